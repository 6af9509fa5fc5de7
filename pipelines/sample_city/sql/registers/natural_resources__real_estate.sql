-- A row for an owner of a unit: owner, co-owner, former owner, a second unit, and sales.
with homes as (from dwelling),
drawn as (
  select household_id, slot(household_id, 'stranger', $residents) as member from homes
  where sold_on is not null or night = 1 and draw(household_id, 'had an owner before') < 0.06),
located as (
  select household_id, (member // template_size() * template_size() + first_slot + 1)::bigint as person_id
  from drawn
  inner join template_member on member_slot = member % template_size()
  inner join template_household using (household_slot)),
strangers as (
  select located.household_id, person.person_id, person.full_name, person.other_name, person.id_number
  from located inner join person using (person_id)
  where person.household_id <> located.household_id),
rows as (
  select household_id * 8 as _id, night as _night, sold_on is null as _stable, owner as person_id, full_name, other_name, id_number,
    0 as unit, registered_on as registered, '现势' as right_status, household_id from homes
  union all
  select household_id * 8, sold_on, false, owner, full_name, other_name, id_number, 0, registered_on, '历史', household_id
  from homes where sold_on is not null
  union all
  select household_id * 8 + 1, night, true, co_owner, co_full_name, co_other_name, co_id_number, 0, registered_on, '现势', household_id
  from homes where co_owner is not null
  union all
  select household_id * 8 + 2, 1, true, strangers.person_id, strangers.full_name, strangers.other_name, strangers.id_number,
    0, registered_on - (400 + slot(household_id, 'former', 3000))::integer, '历史', household_id
  from homes inner join strangers using (household_id) where sold_on is null
  union all
  select household_id * 8 + 3, sold_on, true, strangers.person_id, strangers.full_name, strangers.other_name, strangers.id_number,
    0, night_date(sold_on), '现势', household_id
  from homes inner join strangers using (household_id) where sold_on is not null
  union all
  select household_id * 8 + 4, 1, true, owner, full_name, other_name, id_number, 1,
    first_date() - (30 + slot(household_id, 'second bought on', 4000))::integer, '现势', household_id
  from homes where draw(household_id, 'owns a second unit') < 0.09)
select _id, _night, _stable, person_id as _person__owner_id_number,
  case when unit = 0 then homes.unit_number else unit_number(homes.division_code, household_id, 1) end as unit_number,
  rows.id_number as owner_id_number,
  name_in('natural resources', person_id, rows.full_name, rows.other_name) as owner_name,
  case when unit = 0 then certificate_number else '鲁(' || year(registered) || ')临沂市不动产权第1' || lpad(household_id::varchar, 7, '0') || '号' end as certificate_number,
  case when unit = 0 then location else street_address(household_id, 'second unit', division_name, township) end as location,
  homes.division_code,
  case when unit = 0 then usage else pick(household_id, 'second usage', ['商业', '商业', '住宅', '工业', '其他']) end as usage,
  case when unit = 0 then floor_area else amount(20 + 300 * draw(household_id, 'second area')) end as floor_area_m2,
  registered as registered_on, right_status
from rows inner join homes using (household_id)
