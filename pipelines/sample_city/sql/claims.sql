-- Families that apply for a school place: what they claim, and what is true of each claim.
-- False claims are planted at the rates that stand in this file.
create table applicant as
select child.person_id, child.household_id, child.segment, child.division_code,
  child.full_name as child_name, child.other_name as child_other_name, child.id_number as child_id_number, child.birth_date,
  guardian.person_id as guardian, guardian.full_name as guardian_name, guardian.other_name as guardian_other_name,
  guardian.id_number as guardian_id_number, guardian.is_male,
  'RX' || lpad(child.person_id::varchar, 10, '0') as application_number,
  coalesce(happens(child.person_id, 'applies', 0.01), 1) as night,
  case when happens(child.person_id, 'applies', 0.01) is null then first_date() - slot(child.person_id, 'applied', 20)::integer
    else night_date(happens(child.person_id, 'applies', 0.01)) end as applied_on
from person as child
inner join household using (household_id)
inner join person as guardian on guardian.household_id = child.household_id
  and guardian.role = (case when household.has_spouse and draw(child.person_id, 'guardian') < 0.5 then 'S' else 'H' end)
where child.role in ('C', 'D') and child.age in (6, 12) and child.has_applicant and draw(child.person_id, 'applies at all') < 0.92
order by child.person_id;

-- Somebody else's home, permit and enterprise, for claims that contradict the registers.
create table other_dwelling as
select row_number() over (order by household_id) - 1 as number, unit_number, household_id
from (select * from dwelling where not has_applicant and night = 1 order by household_id limit 2000);
create table other_permit as
select row_number() over (order by person_id) - 1 as number, permit_number, person_id
from (select * from permit where not has_applicant and night = 1 order by person_id limit 2000);
create table other_enterprise as
select row_number() over (order by enterprise_id) - 1 as number, unified_code, representative
from (select * from enterprise where is_referenced and not has_applicant order by enterprise_id limit 2000);

create table claim as
with known as (
  select applicant.*,
    dwelling.unit_number, dwelling.usage, permit.permit_number, permit.valid_until,
    insurance.enrolment_status, own.unified_code, own.enterprise_status, own.is_taxpayer, own.is_in_arrears,
    other_dwelling.unit_number as other_unit_number, other_permit.permit_number as other_permit_number,
    other_enterprise.unified_code as other_code, division_slot.division_code as other_division_code,
    draw(applicant.person_id, 'claims household') as household_draw,
    draw(applicant.person_id, 'claims unit') as unit_draw,
    draw(applicant.person_id, 'claims permit') as permit_draw,
    draw(applicant.person_id, 'claims insurance') as insurance_draw,
    draw(applicant.person_id, 'claims licence') as licence_draw,
    draw(applicant.person_id, 'claims tax') as tax_draw
  from applicant
  left join dwelling on dwelling.household_id = applicant.household_id and applicant.guardian in (dwelling.owner, dwelling.co_owner)
  left join permit on permit.person_id = applicant.guardian
  left join insurance on insurance.person_id = applicant.guardian
  left join (select distinct on (representative) * from enterprise where is_referenced and night = 1
    order by representative, enterprise_id) as own on own.representative = applicant.guardian
  left join other_dwelling on other_dwelling.number = slot(applicant.person_id, 'other unit', (select count(*) from other_dwelling))
  left join other_permit on other_permit.number = slot(applicant.person_id, 'other permit', (select count(*) from other_permit))
  left join other_enterprise on other_enterprise.number = slot(applicant.person_id, 'other enterprise', (select count(*) from other_enterprise))
  inner join division_slot on division_slot.slot = slot(applicant.person_id, 'other division', 1000)),
decided as (
  select *,
    case
      when segment = 'resident' and household_draw < 0.04 and other_division_code <> division_code then 'contradicted'
      when segment = 'resident' and household_draw < 0.85 then 'verified'
      when segment = 'outsider' and household_draw < 0.06 then 'no_record' end as household,
    case
      when unit_draw < 0.04 then 'contradicted'
      when unit_draw < 0.07 then 'no_record'
      when unit_number is not null and unit_draw < 0.85
        then (case when usage = '住宅' then 'verified' else 'contradicted' end) end as real_estate,
    case
      when segment = 'outsider' and permit_draw < 0.05 then 'contradicted'
      when segment = 'outsider' and permit_draw < 0.1 then 'no_record'
      when permit_number is not null then (case when valid_until >= applied_on then 'verified' else 'contradicted' end)
    end as residence_permit,
    case
      when enrolment_status = '参保缴费' and insurance_draw < 0.7 then 'verified'
      when enrolment_status <> '参保缴费' and insurance_draw < 0.3 then 'contradicted'
      when enrolment_status is null and insurance_draw < 0.2 then 'no_record' end as social_insurance,
    case
      when licence_draw < 0.03 then 'contradicted'
      when licence_draw < 0.05 then 'no_record'
      when unified_code is not null and licence_draw < 0.9
        then (case when enterprise_status = '在营' then 'verified' else 'contradicted' end) end as business_licence
  from known)
select *,
  case household when 'contradicted' then other_division_code when 'verified' then division_code
    when 'no_record' then division_code end as claimed_household_division,
  case when real_estate = 'no_record' then unit_number(division_code, household_id, 9)
    when real_estate = 'contradicted' and unit_draw < 0.04 then other_unit_number
    when real_estate is not null then unit_number end as claimed_unit_number,
  case when residence_permit = 'no_record' then 'JZ9' || lpad(person_id::varchar, 9, '0')
    when residence_permit = 'contradicted' and permit_draw < 0.05 then other_permit_number
    when residence_permit is not null then permit_number end as claimed_permit_number,
  case when business_licence = 'no_record' then unregistered_code(person_id)
    when business_licence = 'contradicted' and licence_draw < 0.03 then other_code
    when business_licence is not null then unified_code end as claimed_licence_code,
  case
    when business_licence is null or licence_draw < 0.03 then null
    when business_licence = 'no_record' then 'no_record'
    when is_in_arrears then 'contradicted'
    when is_taxpayer and tax_draw < 0.75 then 'verified'
    when not is_taxpayer and tax_draw < 0.3 then 'no_record' end as tax_payment
from decided
order by person_id;
