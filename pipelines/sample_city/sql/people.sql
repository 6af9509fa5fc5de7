-- Households and the people in them. A household's kind follows a template of one hundred
-- households, repeated; everything else about it is drawn.
create table template_household as
with household_type(household_type, members, share, low, high) as (values
  -- H head, S spouse, C and D children, F and M the head's parents; the anchor age between low
  -- and high is that of the first child, or of the head where there is none
  ('single_young', 'H', 11, 22, 50), ('single_old', 'H', 10, 62, 90),
  ('couple_young', 'HS', 6, 24, 40), ('couple_old', 'HS', 17, 50, 86),
  ('couple_one_child', 'HSC', 17, 0, 20), ('couple_two_children', 'HSCD', 16, 5, 20),
  ('three_generations', 'HSCM', 7, 0, 20), ('three_generations_full', 'HSCDFM', 5, 5, 18),
  ('couple_grown_child', 'HSC', 8, 21, 30), ('single_parent', 'HC', 3, 3, 18)),
copies as (
  select household_type.*, copy from household_type, range(20) as numbers(copy) where copy < share),
ordered as (
  select *, row_number() over (
    order by draw(copy, household_type), household_type) - 1 as household_slot from copies)
select *, sum(length(members)) over (order by household_slot) - length(members) as first_slot
from ordered;

create table template_member as
select household_slot, substr(members, position::integer, 1) as role, first_slot + position - 1 as member_slot
from template_household, unnest(range(1, length(members) + 1)) as positions(position);

create macro template_size() as (select count(*) from template_member);

-- Who appears when: the residents on the first night, some more each night, and the people from
-- outside, who hold no household registration here. Segments begin with a whole template.
create table segment as
with sized(segment, night, people) as (
  select 'resident', 1, $residents
  union all select 'resident', night, $new_residents from range(2, nights() + 1) as n(night)
  union all select 'outsider', 1, greatest(270, $residents // 10)),
blocks as (select *, ((people + template_size() - 1) // template_size()) as blocks from sized)
select segment, night, people,
  sum(blocks) over (order by segment desc, night) - blocks as first_block, blocks
from blocks;

create table household as
with listed as (
  select block * 100 + household_slot as household_id, segment, segment.night, members, low, high,
    (block * template_size() + first_slot)::bigint as first_member,
    (first_block * template_size() + people)::bigint as end_member
  from segment, unnest(range(first_block::bigint, (first_block + blocks)::bigint)) as b(block), template_household
  where segment = 'resident' or household_type not like '%old'),
aged as (
  select *, low + slot(household_id, 'anchor age', high - low + 1) as anchor_age,
    members like '%C%' as has_child, draw(household_id, 'head is male') < 0.88 as head_is_male
  from listed where first_member < end_member),
generations as (
  select *, anchor_age + 22 + slot(household_id, 'age at birth', 10) as mother_age,
    anchor_age - 2 - slot(household_id, 'second child', 4) as second_age,
    slot(household_id, 'age between spouses', 6) - 1 as age_gap
  from aged),
households as (
  select *,
    case when not has_child then anchor_age
      when head_is_male then mother_age + age_gap else mother_age end as head_age,
    case when not has_child then greatest(21, anchor_age + (case when head_is_male then -age_gap else age_gap end))
      when head_is_male then mother_age else mother_age + age_gap end as spouse_age,
    night = 1 and has_child
      and (anchor_age in (6, 12) or (members like '%D%' and second_age in (6, 12))) as has_applicant
  from generations)
select household_id, segment, night, members, first_member, end_member, anchor_age, second_age, head_age,
  spouse_age, head_is_male, has_applicant, members like '%S%' as has_spouse,
  here.division_code, here.division_name, here.old_code,
  pick(household_id, 'township', here.townships) as township,
  street_address(household_id, 'home', here.division_name, pick(household_id, 'township', here.townships)) as address,
  -- the registers of a family that applies for a school place stand still, so that its claims do
  case when segment = 'resident' and night = 1 and not has_applicant then happens(household_id, 'move', 0.003) end as moves_on,
  there.division_code as next_division_code,
  street_address(household_id, 'next home', there.division_name, pick(household_id, 'next township', there.townships)) as next_address
from households
inner join division_slot as here on here.slot = slot(household_id, 'division', 1000)
inner join division_slot as there on there.slot = slot(household_id, 'next division', 1000)
order by household_id;

create table person as
with members as (
  select household.*, template_member.role,
    (first_member - first_slot + member_slot + 1)::bigint as person_id
  from household
  inner join template_household on template_household.household_slot = household_id % 100
  inner join template_member on template_member.household_slot = household_id % 100
  where first_member - first_slot + member_slot < end_member),
drawn as (
  select *,
    case role when 'H' then head_is_male when 'S' then not head_is_male when 'F' then true
      when 'M' then false else draw(person_id, 'sex') < 0.525 end as is_male,
    case role when 'H' then head_age when 'S' then spouse_age when 'C' then anchor_age
      when 'D' then second_age
      else least(97, head_age + 22 + slot(person_id, 'age of parent', 9)) end as age,
    draw(person_id, 'origin') as origin
  from members),
dated as (
  select *, first_date() - (floor(age * 365.25) + slot(person_id, 'birthday', 364))::integer as birth_date
  from drawn),
coded as (
  select dated.*,
    case
      when segment = 'outsider' or origin < (case when role = 'S' then 0.04 else 0.015 end)
        then pick(person_id, 'origin outside', $outside_codes)
      when origin < (case when role = 'S' then 0.2 else 0.06 end)
        then (case when birth_date < date '1995-01-01' then elsewhere.old_code else elsewhere.division_code end)
      when birth_date < date '1995-01-01' then dated.old_code
      else dated.division_code
    end as first_code
  from dated
  inner join division_slot as elsewhere on elsewhere.slot = slot(person_id, 'other division', 1000)),
numbered as (
  select *,
    2 * ((row_number() over (partition by first_code, birth_date, is_male order by person_id)
      + slot(hash(first_code, birth_date) % 1000000007, 'order', 500)) % 500)
      + (case when is_male then 1 else 0 end) as order_number,
    case
      when role = 'M' then slot(person_id, 'surname', 1000)
      when role = 'S' and is_male or role = 'H' and is_male or role = 'F' and head_is_male
        or role in ('C', 'D') and (head_is_male or has_spouse)
        then slot(household_id, 'surname of the man', 1000)
      else slot(household_id, 'surname of the woman', 1000)
    end as surname_slot,
    (case when is_male then 0 else 3 end)
      + (case when year(birth_date) < 1970 then 0 when year(birth_date) < 2000 then 1 else 2 end) as name_group
  from coded)
select person_id, household_id, segment, night, role, age, is_male, birth_date,
  resident_number(first_code || strftime(birth_date, '%Y%m%d') || lpad(order_number::varchar, 3, '0')) as id_number,
  surname.surname || (case when draw(person_id, 'short name') < 0.13 then '' else first_character.name_character end)
    || last_character.name_character as full_name,
  surname.surname || (case when draw(person_id, 'short name') < 0.13 then '' else first_character.name_character end)
    || last_character.variant as other_name,
  division_code, division_name, address, has_applicant, moves_on,
  next_division_code, next_address,
  case when age between 18 and 59 and draw(person_id, 'employed') < (case when segment = 'outsider' then 0.8 else 0.42 end)
    and not (age < 22 and draw(person_id, 'student') < 0.6)
    then 1 + floor($referenced * draw(person_id, 'employer') * draw(person_id, 'employer') * draw(person_id, 'employer'))::bigint
  end as employer_id
from numbered
inner join surname on surname.slot = surname_slot
inner join given_character as first_character
  on first_character.name_group = numbered.name_group and first_character.slot = slot(person_id, 'first character', 256)
inner join given_character as last_character
  on last_character.name_group = numbered.name_group and last_character.slot = slot(person_id, 'last character', 256)
order by person_id;
