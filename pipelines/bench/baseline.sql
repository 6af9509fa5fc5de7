-- The shortest honest script that turns the sample city's files into the tables of the marts: no
-- check, no quarantine, no history, no lineage. A line that does not fit its types is dropped.
-- $landing: the files of one night, as UTF-8 text. $seeds: the dbt seeds. $date: business date.

create table resident as
select distinct on (id_number) * from read_csv('$landing/public_security/resident_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'id_number': 'varchar', 'full_name': 'varchar', 'sex_code': 'varchar', 'birth_date': 'date', 'ethnicity': 'varchar', 'household_number': 'varchar',
    'relation_to_head': 'varchar', 'address': 'varchar', 'division_code': 'varchar', 'registration_status': 'varchar', 'registered_on': 'date'});
create table permit as
select distinct on (permit_number) * from read_csv('$landing/public_security/residence_permit_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'permit_number': 'varchar', 'id_number': 'varchar', 'full_name': 'varchar', 'residence_address': 'varchar', 'division_code': 'varchar', 'phone': 'varchar',
    'issued_on': 'date', 'valid_until': 'date'});
create table enrolment as
from read_csv('$landing/human_resources/social_insurance_enrolment_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'id_number': 'varchar', 'full_name': 'varchar', 'insurance_kind': 'varchar', 'employer_code': 'varchar', 'employer_name': 'varchar', 'enrolled_on': 'date',
    'enrolment_status': 'varchar', 'last_paid_month': 'varchar', 'contribution_base': 'decimal(18, 2)'});
create table payment as
from read_csv('$landing/human_resources/social_insurance_payment_*.csv', skip = 1, header = false, delim = '|', ignore_errors = true,
  columns = {'id_number': 'varchar', 'payment_month': 'varchar', 'employer_code': 'varchar', 'contribution_base': 'decimal(18, 2)', 'employer_amount': 'decimal(18, 2)',
    'personal_amount': 'decimal(18, 2)', 'payment_kind': 'varchar', 'paid_on': 'date'});
create table enterprise as
select distinct on (unified_code) * from read_csv('$landing/market_regulation/enterprise_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'unified_code': 'varchar', 'enterprise_name': 'varchar', 'enterprise_kind': 'varchar', 'legal_representative': 'varchar', 'legal_representative_id_number': 'varchar',
    'registered_capital': 'decimal(18, 2)', 'established_on': 'date', 'enterprise_status': 'varchar', 'cancelled_on': 'date', 'industry_code': 'varchar',
    'division_code': 'varchar', 'registered_address': 'varchar', 'phone': 'varchar'});
create table real_estate as
from read_csv('$landing/natural_resources/real_estate_*.csv', skip = 1, header = false, delim = '|', ignore_errors = true,
  columns = {'unit_number': 'varchar', 'owner_id_number': 'varchar', 'owner_name': 'varchar', 'certificate_number': 'varchar', 'location': 'varchar', 'division_code': 'varchar',
    'usage': 'varchar', 'floor_area_m2': 'decimal(18, 2)', 'registered_on': 'date', 'right_status': 'varchar'});
create table electricity as
from read_csv('$landing/power_supply/electricity_usage_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'customer_number': 'varchar', 'usage_month': 'varchar', 'customer_name': 'varchar', 'unified_code': 'varchar', 'usage_kwh': 'decimal(18, 2)',
    'amount_due': 'decimal(18, 2)', 'amount_paid': 'decimal(18, 2)', 'payment_status': 'varchar'});
create table tax as
from read_csv('$landing/taxation/tax_payment_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'voucher_number': 'varchar', 'unified_code': 'varchar', 'taxpayer_name': 'varchar', 'tax_period': 'varchar', 'tax_kind': 'varchar', 'tax_due': 'decimal(18, 2)',
    'tax_paid': 'decimal(18, 2)', 'paid_on': 'date'});
create table water as
from read_csv('$landing/water_supply/water_reading_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'account_number': 'varchar', 'reading_month': 'varchar', 'division_code': 'varchar', 'previous_reading_m3': 'integer', 'current_reading_m3': 'integer',
    'usage_m3': 'integer', 'amount_due': 'decimal(18, 2)', 'reading_kind': 'varchar', 'read_on': 'date'});
create table certificate as
from read_csv('$landing/approval_service/electronic_certificate_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'certificate_identifier': 'varchar', 'certificate_kind': 'varchar', 'certificate_number': 'varchar', 'holder_kind': 'varchar', 'holder_code': 'varchar',
    'holder_name': 'varchar', 'issuing_body': 'varchar', 'issued_on': 'date', 'valid_until': 'date', 'certificate_status': 'varchar'});
create table credit_record as
from read_csv('$landing/development_reform/credit_record_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'record_number': 'varchar', 'unified_code': 'varchar', 'enterprise_name': 'varchar', 'record_kind': 'varchar', 'severity_grade': 'varchar', 'decided_on': 'date',
    'published_until': 'date', 'deciding_body': 'varchar', 'reason': 'varchar'});
create table application as
select distinct on (application_number) * from read_csv('$landing/education/enrolment_application_*.csv', skip = 1, header = false, delim = ',', ignore_errors = true,
  columns = {'application_number': 'varchar', 'child_id_number': 'varchar', 'child_name': 'varchar', 'child_birth_date': 'date', 'guardian_id_number': 'varchar',
    'guardian_name': 'varchar', 'guardian_relation': 'varchar', 'guardian_phone': 'varchar', 'school_division_code': 'varchar', 'claimed_household_division': 'varchar',
    'claimed_unit_number': 'varchar', 'claimed_permit_number': 'varchar', 'claims_social_insurance': 'varchar', 'claimed_licence_code': 'varchar',
    'claims_tax_payment': 'varchar', 'applied_on': 'date'});
create table enrolment_reason as from read_csv('$seeds/enrolment_reason.csv');

create macro night() as date '$date';
create macro token(value) as left(sha256('a key' || value), 32);
create macro age(born) as date_diff('year', born, night()) - (strftime(night(), '%m%d') < strftime(born, '%m%d'))::integer;
create macro comparable(name) as translate(upper(name), '（）．•・ 　', '()···');

-- Population
create table appearance as
select id_number, 'public_security' as department, 'resident' as dataset, 'resident' as person_role, 9 as source_rank,
  full_name, birth_date, null::varchar as phone, registration_status = '正常' as is_current from resident
union all select id_number, 'public_security', 'residence_permit', 'permit_holder', 8, full_name, null, phone, valid_until >= night() from permit
union all select id_number, 'human_resources', 'social_insurance_enrolment', 'insured', 7, full_name, null, null, enrolment_status = '参保缴费' from enrolment
union all select owner_id_number, 'natural_resources', 'real_estate', 'owner', 6, owner_name, null, null, right_status = '现势' and usage = '住宅' from real_estate
union all select legal_representative_id_number, 'market_regulation', 'enterprise', 'legal_representative', 5, legal_representative, null, null, enterprise_status = '在营' from enterprise
union all select child_id_number, 'education', 'enrolment_application', 'child', 4, child_name, child_birth_date, null, true from application
union all select guardian_id_number, 'education', 'enrolment_application', 'guardian', 3, guardian_name, null, guardian_phone, true from application;

create table golden as
select id_number, token(id_number) as person_token, max_by(full_name, source_rank) as full_name,
  max_by(department, source_rank) as name_department, max_by(dataset, source_rank) as name_dataset,
  coalesce(max_by(birth_date, source_rank) filter (where birth_date is not null),
    try_cast(substr(id_number, 7, 4) || '-' || substr(id_number, 11, 2) || '-' || substr(id_number, 13, 2) as date)) as birth_date,
  max_by(department, source_rank) filter (where birth_date is not null) as birth_date_department,
  max_by(dataset, source_rank) filter (where birth_date is not null) as birth_date_dataset,
  case when substr(id_number, 17, 1) in ('1', '3', '5', '7', '9') then '男' else '女' end as sex_code,
  max_by(phone, source_rank) filter (where phone is not null) as phone,
  bool_or(dataset = 'resident' and is_current) as is_resident,
  bool_or(dataset = 'residence_permit' and is_current) as has_residence_permit,
  bool_or(dataset = 'social_insurance_enrolment' and is_current) as is_insured,
  bool_or(dataset = 'real_estate' and is_current) as owns_home,
  bool_or(dataset = 'enterprise' and is_current) as is_legal_representative,
  count(distinct dataset) as source_count
from appearance where id_number is not null group by id_number;

create table household as
select token(household_number) as household_token, household_number,
  coalesce(min(division_code) filter (where relation_to_head = '户主'), min(division_code)) as division_code,
  token(min(id_number) filter (where relation_to_head = '户主')) as head_token, count(*) as member_count,
  count(*) filter (where age(birth_date) < 18) as minor_count,
  count(*) filter (where age(birth_date) between 18 and 59) as adult_under_60_count,
  count(*) filter (where age(birth_date) >= 60) as aged_60_and_over_count
from resident where registration_status = '正常' group by household_number;

create table person_conflict as
select person_token, 'full_name' as attribute, golden.full_name as golden_value, name_department as golden_department,
  name_dataset as golden_dataset, appearance.full_name as other_value, department as other_department,
  dataset as other_dataset, count(*) as row_count
from appearance inner join golden using (id_number)
where comparable(appearance.full_name) <> comparable(golden.full_name) group by all
union all
select person_token, 'birth_date', golden.birth_date::varchar, birth_date_department, birth_date_dataset,
  appearance.birth_date::varchar, department, dataset, count(*)
from appearance inner join golden using (id_number) where appearance.birth_date <> golden.birth_date group by all;

create table person_source as
select person_token, department, dataset, person_role, is_current from appearance inner join golden using (id_number);

create table person as
with valid_permit as (
  select id_number, any_value(division_code) as division_code, any_value(residence_address) as residence_address
  from permit where valid_until >= night() group by id_number),
conflicts as (select person_token, count(*) as conflict_count from person_conflict group by person_token)
select person_token, golden.id_number, golden.full_name, coalesce(resident.sex_code, golden.sex_code) as sex_code, golden.birth_date,
  case when registration_status is distinct from '死亡注销' then age(golden.birth_date) end as age_years, ethnicity, registration_status,
  coalesce(registration_status = '死亡注销', false) as is_deceased, resident.division_code as household_division_code,
  valid_permit.division_code as residence_division_code, resident.address as household_address, residence_address,
  golden.phone, household_token, relation_to_head, is_resident, has_residence_permit, is_insured, owns_home,
  is_legal_representative, name_department, name_dataset, source_count, coalesce(conflict_count, 0) as conflict_count
from golden
left join resident using (id_number)
left join household on household.household_number = resident.household_number and registration_status = '正常'
left join valid_permit on valid_permit.id_number = golden.id_number
left join conflicts using (person_token);

create table home_water_use as
select division_code, reading_month, count(*) as homes_read, count(*) filter (where usage_m3 <= 1) as homes_standing_empty,
  sum(usage_m3) as usage_m3, count(*) filter (where reading_kind = '估抄') as homes_estimated
from water where try_cast(reading_month || '-01' as date) between night() - interval '12' month + interval '1' day and night() group by all;

-- Legal entities
create table legal_entity_source as
select unified_code, 'market_regulation' as department, 'enterprise' as dataset, 9 as source_rank, enterprise_name, count(*) as row_count from enterprise group by all
union all select unified_code, 'taxation', 'tax_payment', 8, taxpayer_name, count(*) from tax group by all
union all select employer_code, 'human_resources', 'social_insurance_enrolment', 7, employer_name, count(*) from enrolment where employer_code is not null group by all
union all select unified_code, 'power_supply', 'electricity_usage', 6, customer_name, count(*) from electricity group by all
union all select unified_code, 'development_reform', 'credit_record', 5, enterprise_name, count(*) from credit_record group by all;

create table golden_entity as
select unified_code, max_by(enterprise_name, source_rank) as enterprise_name, max_by(department, source_rank) as name_department,
  max_by(dataset, source_rank) as name_dataset, bool_or(dataset = 'enterprise') as is_registered, bool_or(dataset = 'tax_payment') as is_taxpayer,
  bool_or(dataset = 'electricity_usage') as is_electricity_customer, bool_or(dataset = 'social_insurance_enrolment') as is_employer,
  bool_or(dataset = 'credit_record') as has_credit_record, count(distinct dataset) as source_count
from legal_entity_source group by unified_code;

create table legal_entity_conflict as
select unified_code, 'enterprise_name' as attribute, golden_entity.enterprise_name as golden_value, name_department as golden_department,
  name_dataset as golden_dataset, legal_entity_source.enterprise_name as other_value, department as other_department, dataset as other_dataset, row_count
from legal_entity_source inner join golden_entity using (unified_code)
where comparable(legal_entity_source.enterprise_name) <> comparable(golden_entity.enterprise_name);

create table legal_entity as
with conflicts as (select unified_code, count(*) as conflict_count from legal_entity_conflict group by unified_code)
select unified_code, golden_entity.enterprise_name, enterprise_kind, enterprise_status, established_on, cancelled_on, industry_code,
  division_code, registered_address, registered_capital as registered_capital_10k_cny, person_token as legal_representative_token,
  golden_entity.name_department, golden_entity.name_dataset, is_registered, coalesce(enterprise_status = '在营', false) as is_operating,
  is_taxpayer, is_electricity_customer, is_employer, has_credit_record, golden_entity.source_count, coalesce(conflict_count, 0) as conflict_count
from golden_entity
left join enterprise using (unified_code)
left join golden on golden.id_number = legal_representative_id_number
left join conflicts using (unified_code);

-- Credit
create table enterprise_employment as
with months as (
  select employer_code as unified_code, payment_month, count(*) as employees, count(*) filter (where payment_kind = '补缴') as late
  from payment where try_cast(payment_month || '-01' as date) between night() - interval '12' month + interval '1' day and night() group by all)
select unified_code, count(*) as months_with_employees, sum(employees) as employee_months, max(employees) as employees_in_largest_month,
  max_by(employees, payment_month) as employees_in_newest_month, max(payment_month) as newest_month, sum(late) as employee_months_paid_late
from months group by unified_code;

create table enterprise_profile as
with taxes as (
  select unified_code, sum(tax_due) as tax_due_12_months_cny, sum(tax_paid) as tax_paid_12_months_cny, count(*) as tax_vouchers_12_months,
    count(*) filter (where tax_paid >= tax_due and paid_on < try_cast(tax_period || '-01' as date) + interval '1' month + interval '20' day) / count(*) as tax_on_time_share,
    count(distinct tax_period) filter (where tax_paid > 0) as tax_months_paid_12_months, max(paid_on) filter (where tax_paid > 0) as tax_last_paid_on
  from tax where paid_on <= night() and paid_on > night() - interval '12' month group by unified_code),
bills as (
  select *, try_cast(usage_month || '-01' as date) >= date_trunc('month', night()) - interval '12' month as is_recent, payment_status = '欠费' as owes
  from electricity
  where try_cast(usage_month || '-01' as date) >= date_trunc('month', night()) - interval '24' month and try_cast(usage_month || '-01' as date) < date_trunc('month', night())),
power as (
  select unified_code, sum(usage_kwh) filter (where is_recent) as electricity_kwh_12_months,
    sum(usage_kwh) filter (where not is_recent) as electricity_kwh_12_months_before,
    count(distinct usage_month) filter (where is_recent) as electricity_months_12_months, sum(amount_due) filter (where is_recent) as electricity_due_12_months_cny,
    count(distinct usage_month) filter (where is_recent and owes) as electricity_arrears_months_12_months,
    sum(amount_due - amount_paid) filter (where is_recent and owes) as electricity_arrears_12_months_cny
  from bills group by unified_code),
insured as (
  select employer_code as unified_code, count(distinct id_number) filter (where enrolment_status = '参保缴费') as insured_employees_paying,
    count(distinct id_number) filter (where enrolment_status = '暂停缴费') as insured_employees_suspended
  from enrolment where employer_code is not null group by employer_code),
records as (
  select unified_code, count(*) filter (where record_kind = '行政处罚') as active_penalties,
    count(*) filter (where record_kind = '行政处罚' and severity_grade = '严重') as active_severe_penalties,
    count(*) filter (where record_kind = '严重失信') as active_serious_dishonesty_records, count(*) filter (where record_kind = '欠税公告') as active_tax_arrears_notices,
    count(*) filter (where record_kind = '守信激励') as active_trustworthy_records, max(decided_on) filter (where record_kind <> '守信激励') as last_adverse_record_on
  from credit_record where decided_on <= night() and published_until >= night() group by unified_code)
select enterprise.* exclude (legal_representative, legal_representative_id_number, registered_address, phone, registered_capital),
  age(established_on) as age_years, registered_capital as registered_capital_10k_cny, person_token as legal_representative_token,
  taxes.* exclude (unified_code), power.* exclude (unified_code),
  electricity_kwh_12_months / nullif(electricity_kwh_12_months_before, 0) - 1 as electricity_kwh_change_share,
  insured.* exclude (unified_code), records.* exclude (unified_code)
from enterprise
left join golden on golden.id_number = legal_representative_id_number
left join taxes using (unified_code)
left join power using (unified_code)
left join insured using (unified_code)
left join records using (unified_code);

-- School enrolment
create table enrolment_verification as
with homes as (
  select application_number, case when count(unit_number) = 0 then 'real_estate_not_found'
      when count(*) filter (where owner_id_number = guardian_id_number) = 0 then 'real_estate_owned_by_others'
      when count(*) filter (where owner_id_number = guardian_id_number and right_status = '现势') = 0 then 'real_estate_not_current'
      when count(*) filter (where owner_id_number = guardian_id_number and right_status = '现势' and usage = '住宅') = 0 then 'real_estate_not_a_home'
      else 'real_estate_owned' end as reason_code
  from application left join real_estate on unit_number = claimed_unit_number where claimed_unit_number is not null group by application_number),
insurances as (
  select application_number, case when count(id_number) = 0 then 'insurance_not_found'
      when count(*) filter (where enrolment_status = '参保缴费') = 0 then 'insurance_not_paying' else 'insurance_paying' end as reason_code
  from application left join enrolment on id_number = guardian_id_number where claims_social_insurance = '是' group by application_number),
taxes as (
  select application_number, case when count(voucher_number) = 0 then 'tax_not_found'
      when count(*) filter (where tax_paid > 0) = 0 then 'tax_nothing_paid' else 'tax_paid' end as reason_code
  from application left join tax on unified_code = claimed_licence_code and paid_on between applied_on - interval '12' month and applied_on
  where claims_tax_payment = '是' group by application_number),
judged as (
  select application_number, case when id_number is null then 'household_not_found' when registration_status <> '正常' then 'household_not_in_force'
      when division_code <> claimed_household_division then 'household_elsewhere' else 'household_registered' end as reason_code
  from application left join resident on id_number = child_id_number where claimed_household_division is not null
  union all
  select application_number, case when permit_number is null then 'permit_not_found' when id_number <> guardian_id_number then 'permit_of_others'
      when valid_until < applied_on then 'permit_expired' else 'permit_valid' end
  from application left join permit on permit_number = claimed_permit_number where claimed_permit_number is not null
  union all
  select application_number, case when unified_code is null then 'licence_not_found' when legal_representative_id_number <> guardian_id_number then 'licence_of_others'
      when enterprise_status <> '在营' then 'licence_not_operating' else 'licence_held' end
  from application left join enterprise on unified_code = claimed_licence_code where claimed_licence_code is not null
  union all from homes union all from insurances union all from taxes)
select application_number, token(child_id_number) as child_token, claim, verdict, reason_code, reason
from judged inner join enrolment_reason using (reason_code) inner join application using (application_number);

create table enrolment_application as
with counted as (
  select application_number, count(*) as claim_count, count(*) filter (where verdict = 'verified') as verified_count,
    count(*) filter (where verdict = 'contradicted') as contradicted_count, count(*) filter (where verdict = 'no_record') as no_record_count
  from enrolment_verification group by application_number)
select application_number, token(child_id_number) as child_token, school_division_code, applied_on, coalesce(claim_count, 0) as claim_count,
  coalesce(verified_count, 0) as verified_count, coalesce(contradicted_count, 0) as contradicted_count, coalesce(no_record_count, 0) as no_record_count,
  case when claim_count = verified_count then 'documents_waived' else 'manual_review' end as outcome, coalesce(verified_count, 0) as documents_waived_count
from application left join counted using (application_number);
