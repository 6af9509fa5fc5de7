-- Licences, residence permits and title deeds as certificates; cancelled ones are a later version.
with rows as (
  select 1 as kind, enterprise_id as number, night, cancels_on as ends_on, '营业执照' as certificate_kind,
    '3713' || lpad(enterprise_id::varchar, 9, '0') as certificate_number, null::bigint as person_id,
    unified_code as holder_code, enterprise_name as holder_name,
    division_name || '行政审批服务局' as issuing_body, established_on as issued_on, null::date as valid_until,
    case when enterprise_status = '在营' then '有效' else '注销' end as status
  from enterprise where draw(enterprise_id, 'electronic licence') < 0.85
  union all
  select 2, person_id, night, null, '居住证', permit_number, person_id, id_number,
    name_in('approval service', person_id, full_name, other_name), '临沂市公安局', issued_on, valid_until,
    case when valid_until < first_date() then '过期' else '有效' end
  from permit where renewed_on is null and draw(person_id, 'electronic permit') < 0.7
  union all
  select 3, household_id, night, sold_on, '不动产权证书', certificate_number, owner, id_number,
    name_in('approval service', owner, full_name, other_name), '临沂市自然资源和规划局',
    registered_on, null, '有效'
  from dwelling where draw(household_id, 'electronic deed') < 0.6),
versions as (
  select *, night as version_night, status as version_status from rows
  union all
  select *, ends_on, '注销' from rows where ends_on is not null)
select kind * 100000000000 + number as _id, version_night as _night, ends_on is null as _stable,
  person_id as _person__holder_code,
  'DZ3713' || kind || lpad(number::varchar, 11, '0') as certificate_identifier,
  certificate_kind, certificate_number, case when kind = 1 then '法人' else '自然人' end as holder_kind,
  holder_code, holder_name, issuing_body, issued_on, valid_until, version_status as certificate_status
from versions
