-- Six readings of each household's meter, one every two months; some of the newest come on later
-- nights, and some bills are reduced then. Nobody lives in one home of nine: its meter stands still.
with months as (
  select number, months_ago, (date_trunc('month', first_date()) - to_months(months_ago::integer))::date as month_start,
    strftime(month_start, '%Y-%m') as reading_month
  from (select months_ago, (months_ago - 1) // 2 as number from range(1, 13) as r(months_ago))),
accounts as (
  select household_id, division_code, slot(household_id, 'meter began at', 1500) as began_at,
    case when draw(household_id, 'stands empty') < 0.11 then 0.15
      else length(members) * (3.5 + 5 * draw(household_id, 'water')) end as mean_m3,
    coalesce(happens(household_id, 'read late', 0.02), 1) as newest_night
  from household where night = 1 and draw(household_id, 'has tap water') < 0.9),
readings as (
  select accounts.*, months.*, household_id * 8 + number as row_id,
    began_at + floor(mean_m3 * (5 - number + draw(row_id + 1, 'flow')))::integer as previous_reading_m3,
    began_at + floor(mean_m3 * (6 - number + draw(row_id, 'flow')))::integer as current_reading_m3,
    current_reading_m3 - previous_reading_m3 as usage_m3,
    case when number = 0 then newest_night else 1 end as read_night
  from accounts inner join months on months_ago % 2 = household_id % 2),
first_version as (
  select *, case when read_night = 1 then happens(row_id, 'reduced', 0.002) end as changes_on,
    amount(usage_m3 * (case when usage_m3 > 60 then 4.5 else 3.2 end)) as due
  from readings),
versions as (
  select *, read_night as version_night, due as version_due from first_version
  union all
  select *, changes_on, amount(due * 0.8) from first_version where changes_on is not null)
select row_id as _id, version_night as _night, changes_on is null as _stable,
  'S' || lpad(household_id::varchar, 9, '0') as account_number, reading_month, division_code,
  previous_reading_m3, current_reading_m3, usage_m3, version_due as amount_due,
  case when draw(row_id, 'reading kind') < 0.03 then '估抄' when draw(household_id, 'meter kind') < 0.4 then '远传' else '实抄' end as reading_kind,
  case when version_night > 1 and changes_on is null then night_date(version_night)
    else month_start + slot(household_id, 'reading day', 28)::integer end as read_on
from versions
