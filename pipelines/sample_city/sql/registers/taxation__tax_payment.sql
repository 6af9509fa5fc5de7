-- Thirteen months of returns, each paid some days after its period; large enterprises monthly,
-- small ones quarterly; a payment reaches us on the night of the day it was made.
with kinds(kind_number, tax_kind, share) as (values
  (1, '增值税', 0.03), (2, '城市维护建设税', 0.0021), (3, '企业所得税', 0.012), (4, '个人所得税', 0.008)),
months as (
  select number, (date_trunc('month', first_date()) - to_months(number::integer))::date as month_start
  from range(0, 14) as r(number)),
season as (
  select month, factor from (select unnest(range(1, 13)) as month,
    unnest([1.02, 0.72, 0.98, 1.0, 1.02, 1.04, 0.98, 0.97, 1.03, 1.02, 1.08, 1.14]) as factor)),
returns as (
  select enterprise_id * 1000 + number * 10 + kind_number as row_id, enterprise.*, tax_kind, month_start, kind_number,
    monthly_turnover * share * factor
      * (case when employees >= 8 and kind_number <> 3 then 1 else 3 end) as base
  from enterprise, months, kinds, season
  where is_taxpayer and month(month_start) = season.month
    and case when kind_number = 4 then employees >= 12
      when kind_number = 3 then enterprise_kind <> '个体工商户' and month(month_start) % 3 = 0
      else employees >= 8 or month(month_start) % 3 = 0 end),
paid as (
  select *, strftime(month_start, '%Y-%m') as tax_period,
    last_day(month_start) + (1 + slot(row_id, 'day', 15)
      + (case when draw(row_id, 'late') < 0.08 then slot(row_id, 'days late', 45) else 0 end))::integer as paid_on
  from returns
  union all
  select enterprise_id * 1000 + 900, enterprise.* exclude (day), '印花税', date_trunc('month', day)::date, 5, monthly_turnover * 0.001,
    strftime(day, '%Y-%m'), day
  from (select *, coalesce(night_date(happens(enterprise_id, 'stamp duty', 0.005)),
      first_date() - slot(enterprise_id, 'stamp duty day', 300)::integer) as day
    from enterprise where is_taxpayer and draw(enterprise_id, 'stamp duty at all') < 0.6) as enterprise),
dated as (
  select *, greatest(1, 1 + (paid_on - first_date())) as paid_night,
    greatest(0.5, amount(base * (0.85 + 0.3 * draw(row_id, 'amount')))) as due
  from paid where paid_on <= last_date())
select row_id as _id, paid_night as _night, true as _stable,
  '3371' || strftime(paid_on, '%y') || lpad(row_id::varchar, 12, '0') as voucher_number,
  unified_code,
  case when draw(enterprise_id, 'taxation uses the former name') < 0.5 then coalesce(former_name, enterprise_name) else enterprise_name end as taxpayer_name,
  tax_period, tax_kind, amount(due) as tax_due,
  case when is_in_arrears then amount(0) when draw(row_id, 'pays in part') < 0.02 then amount(due / 2) else amount(due) end as tax_paid,
  paid_on
from dated
