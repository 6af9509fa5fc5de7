-- Twelve months of bills for each customer; some of the last month's come on later nights, and
-- some arrears are settled then.
with season as (
  select unnest(range(1, 13)) as month,
    unnest([1.1, 0.75, 0.92, 0.9, 0.95, 1.08, 1.25, 1.28, 1.05, 0.92, 0.95, 1.12]) as factor),
months as (
  select number, (date_trunc('month', first_date()) - to_months(number::integer))::date as month_start
  from range(1, 13) as r(number)),
bills as (
  select enterprise.*, enterprise_id * 16 + number as row_id, strftime(month_start, '%Y-%m') as usage_month,
    50 + amount(monthly_kwh * factor * (0.85 + 0.3 * draw(enterprise_id * 16 + number, 'usage'))) as kwh,
    case when number = 1 then coalesce(happens(enterprise_id, 'billed', 0.01), 1) else 1 end as billed_on
  from enterprise, months, season
  where is_referenced and draw(enterprise_id, 'is a customer') < 0.9 and month(month_start) = season.month),
priced as (
  select *, amount(kwh * (0.62 + 0.2 * draw(enterprise_id, 'price'))) as due,
    draw(row_id, 'arrears') < (case when is_in_arrears then 0.4 else 0.02 end) as owes
  from bills),
first_version as (
  select *, case when owes and billed_on = 1 then happens(row_id, 'settles', 0.05) end as settles_on from priced),
versions as (
  select *, billed_on as version_night, owes as version_owes from first_version
  union all
  select *, settles_on, false from first_version where settles_on is not null)
select row_id as _id, version_night as _night, settles_on is null as _stable,
  '37' || lpad((10000000 + enterprise_id)::varchar, 8, '0') as customer_number, usage_month,
  case when draw(enterprise_id, 'power supply uses the former name') < 0.5 then coalesce(former_name, enterprise_name) else enterprise_name end as customer_name,
  unified_code, amount(kwh) as usage_kwh, due as amount_due,
  case when not version_owes then due when draw(row_id, 'paid in part') < 0.5 then amount(0) else amount(due / 3) end as amount_paid,
  case when version_owes then '欠费' else '已结清' end as payment_status
from versions
