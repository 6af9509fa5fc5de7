-- What a family can point to: homes, insurance, permits. Registers and claims both read these.
create table dwelling as
with owners as (
  select household.household_id, household.division_code, household.division_name, household.township,
    household.has_applicant, household.night as household_night, head.person_id as owner, head.full_name, head.other_name, head.id_number,
    spouse.person_id as co_owner, spouse.full_name as co_full_name, spouse.other_name as co_other_name, spouse.id_number as co_id_number
  from household
  inner join person as head on head.household_id = household.household_id and head.role = 'H'
  left join person as spouse on spouse.household_id = household.household_id and spouse.role = 'S'
    and draw(household.household_id, 'co-owned') < 0.35
  where household.night = 1 and draw(household.household_id, 'owns') < (case when household.segment = 'resident' then 0.75 else 0.1 end))
select *, unit_number(division_code, household_id, 0) as unit_number,
  case when has_applicant then 1 else coalesce(happens(household_id, 'bought', 0.002), 1) end as night,
  case when not has_applicant and happens(household_id, 'bought', 0.002) is null and co_owner is null
    then happens(household_id, 'sold', 0.002) end as sold_on,
  case when night > 1 then night_date(night)
    else first_date() - (30 + slot(household_id, 'bought on', 6000))::integer end as registered_on,
  '鲁(' || year(registered_on) || ')临沂市不动产权第' || lpad(household_id::varchar, 7, '0') || '号' as certificate_number,
  case when draw(household_id, 'usage') < 0.97 then '住宅' else '商业' end as usage,
  street_address(household_id, 'unit', division_name, township) as location,
  amount(48 + 110 * draw(household_id, 'area')) as floor_area
from owners
order by household_id;

-- Staff do not stay insured with an enterprise that is no longer there: some time before it is
-- cancelled they leave, or go to one that goes on.
create table lasting_employer as
select row_number() over (order by enterprise_id) - 1 as number, unified_code, enterprise_name
from enterprise where is_referenced and enterprise_status = '在营' and cancels_on is null;

create table insurance as
with adults as (
  select person.*,
    case when employer_id is not null then draw(person_id, 'insured') < 0.96
      when segment = 'resident' then age >= 16 and draw(person_id, 'insured') < 0.86
      else false end as is_insured,
    draw(person_id, 'insurance status') as status
  from person where night = 1),
insured as (
  select adults.person_id, adults.night, adults.age, adults.has_applicant, adults.full_name, adults.other_name, adults.id_number,
    employer_id, enterprise.unified_code as first_code,
    case when draw(employer_id, 'human resources use the former name') < 0.5 then coalesce(enterprise.former_name, enterprise.enterprise_name)
      else enterprise.enterprise_name end as first_name,
    enterprise.turnover,
    case when employer_id is null and age >= 60 then '终止参保' when status < 0.88 then '参保缴费'
      when status < 0.96 then '暂停缴费' else '终止参保' end as first_status,
    -- the night from which on the former employer is none; 1 if it never was in our nights
    case when enterprise_status <> '在营' or cancels_on is not null and adults.has_applicant then 1
      when cancels_on is not null then greatest(1, cancels_on - 3 - slot(person_id, 'days before the cancellation', 27)) end as leaves_on,
    adults.has_applicant or draw(person_id, 'finds work') < 0.6 as finds_work,
    -- worked out before the join, which would else look at every pair
    slot(person_id, 'next employer', employers.total) as next_number
  from adults
  cross join (select count(*) as total from lasting_employer) as employers
  left join enterprise on enterprise.enterprise_id = adults.employer_id
  where is_insured),
settled as (
  select insured.* exclude (finds_work, next_number),
    if(finds_work, next.unified_code, first_code) as next_code,
    if(finds_work, next.enterprise_name, first_name) as next_name,
    if(finds_work, first_status, '终止参保') as next_status
  from insured
  inner join lasting_employer as next on next.number = insured.next_number)
select * exclude (first_code, first_name, first_status),
  if(leaves_on = 1, next_code, first_code) as employer_code,
  if(leaves_on = 1, next_name, first_name) as employer_name,
  if(leaves_on = 1, next_status, first_status) as enrolment_status
from settled
order by person_id;

create table permit as
select person_id, full_name, other_name, id_number, has_applicant, division_code, address,
  'JZ' || lpad(person_id::varchar, 10, '0') as permit_number,
  case when has_applicant then 1 else coalesce(happens(person_id, 'permit', 0.004), 1) end as night,
  case when not has_applicant and happens(person_id, 'permit', 0.004) is null then happens(person_id, 'renewal', 0.003) end as renewed_on,
  case when not has_applicant and happens(person_id, 'permit', 0.004) is not null then night_date(happens(person_id, 'permit', 0.004))
    else first_date() - slot(person_id, 'permit age', 760)::integer end as issued_on,
  case when draw(person_id, 'permit years') < 0.35 then 1 else 2 end as years,
  (issued_on + to_years(years))::date as valid_until
from person
where segment = 'outsider' and age >= 16 and draw(person_id, 'holds a permit') < 0.88
order by person_id;
