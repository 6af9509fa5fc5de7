-- One application for a child: see sql/claims.sql for what is claimed.
select person_id as _id, night as _night, true as _stable,
  person_id as _person__child_id_number, guardian as _person__guardian_id_number,
  application_number, child_id_number, name_in('education', person_id, child_name, child_other_name) as child_name,
  birth_date as child_birth_date, guardian_id_number,
  name_in('education', guardian, guardian_name, guardian_other_name) as guardian_name,
  case when is_male then '父亲' else '母亲' end as guardian_relation,
  mobile(guardian, (case when draw(guardian, 'changed number') < 0.15 then 'second phone' else 'phone' end)) as guardian_phone,
  division_code as school_division_code, claimed_household_division, claimed_unit_number, claimed_permit_number,
  case when social_insurance is null then '否' else '是' end as claims_social_insurance,
  claimed_licence_code,
  case when tax_payment is null then '否' else '是' end as claims_tax_payment,
  applied_on
from claim
