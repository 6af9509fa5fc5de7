-- One row for a person and kind of insurance; employees of the countryside keep an old, ended
-- row; on later nights some pause or resume, and some lose their employer.
with enrolments as (
  select *, 0 as row_kind, case when employer_id is null then '城乡居民基本养老保险' else '企业职工基本养老保险' end as insurance_kind,
    case when not has_applicant and leaves_on is null then happens(person_id, 'status change', 0.002) end as changes_on
  from insurance
  union all
  select * replace (null as employer_id, null as employer_code, null as employer_name, '终止参保' as enrolment_status, null as leaves_on),
    1, '城乡居民基本养老保险', null
  from insurance where employer_id is not null and draw(person_id, 'insured before') < 0.07),
first_version as (
  select *,
    case when row_kind = 0 and not has_applicant and changes_on is null and leaves_on is null then happens(person_id, 'enrolled', 0.003) end as enrolled_later
  from enrolments),
versions as (
  select *, coalesce(enrolled_later, 1) as version_night, enrolment_status as version_status from first_version
  union all
  select *, changes_on, case enrolment_status when '参保缴费' then '暂停缴费' else '参保缴费' end
  from first_version where changes_on is not null
  union all
  select * replace (next_code as employer_code, next_name as employer_name), leaves_on, next_status
  from first_version where leaves_on > 1)
select person_id * 2 + row_kind as _id, version_night as _night, changes_on is null and coalesce(leaves_on, 1) = 1 as _stable,
  person_id as _person__id_number,
  id_number, name_in('human resources', person_id, full_name, other_name) as full_name, insurance_kind,
  employer_code, employer_name,
  case when enrolled_later is not null then night_date(enrolled_later)
    else first_date() - (40 + slot(person_id, 'enrolled since', least(5000, greatest(60, (age - 16) * 300))))::integer end as enrolled_on,
  version_status as enrolment_status,
  strftime(case when enrolled_later is not null then night_date(enrolled_later)
    when version_night > 1 and version_night = leaves_on then night_date(leaves_on)
    when version_status = '参保缴费' then date_trunc('month', first_date()) - to_months(slot(person_id, 'last paid', 2)::integer)
    else first_date() - (30 + slot(person_id, 'stopped', 500))::integer end, '%Y-%m') as last_paid_month,
  case when employer_code is null then amount(300 * (1 + slot(person_id, 'base', 10)))
    else amount(4416 + 9000 * draw(person_id, 'base') * draw(person_id, 'base') * turnover) end as contribution_base
from versions
