-- Twelve months of pension contributions of each employee, as far as the enrolment says that they
-- were paid; some of the newest month's come on later nights, and some are declared again then.
with months as (
  select number, (date_trunc('month', first_date()) - to_months(number::integer))::date as month_start,
    strftime(month_start, '%Y-%m') as payment_month
  from range(0, 13) as r(number)),
employees as (
  select person_id, id_number, employer_code,
    amount(4416 + 9000 * draw(person_id, 'base') * draw(person_id, 'base') * turnover) as base,
    case when enrolment_status = '参保缴费' then slot(person_id, 'last paid', 2)
      else datediff('month', first_date() - (30 + slot(person_id, 'stopped', 500))::integer, first_date()) end as newest,
    coalesce(happens(person_id, 'contribution late', 0.02), 1) as newest_night
  from insurance
  -- whoever enrols on a later night has paid nothing yet
  where employer_id is not null
    and (has_applicant or leaves_on is not null or happens(person_id, 'status change', 0.002) is not null or happens(person_id, 'enrolled', 0.003) is null)),
payments as (
  select employees.*, months.*, person_id * 16 + number as row_id,
    case when number = newest then newest_night else 1 end as paid_night,
    case when paid_night > 1 then night_date(paid_night)
      else least(first_date(), month_start + slot(row_id, 'contribution day', 25)::integer
        + (case when draw(row_id, 'paid behind time') < 0.03 then 40 else 0 end)) end as paid_on
  from employees inner join months on number >= newest and number < newest + 12),
first_version as (
  select *, case when paid_night = 1 then happens(row_id, 'declared again', 0.002) end as changes_on from payments),
versions as (
  select *, paid_night as version_night, base as version_base from first_version
  union all
  select *, changes_on, amount(base * 1.1) from first_version where changes_on is not null)
select row_id as _id, version_night as _night, changes_on is null as _stable,
  case when number = newest then person_id end as _person__id_number,
  id_number, payment_month, employer_code, version_base as contribution_base,
  amount(version_base * 0.16) as employer_amount, amount(version_base * 0.08) as personal_amount,
  case when paid_on > last_day(month_start) then '补缴' else '正常缴费' end as payment_kind, paid_on
from versions
