-- A row version per resident: the registration, then the move or the death, if there is one.
with registered as (
  select *,
    case when not has_applicant and moves_on is null and night = 1 and age >= 55 then happens(person_id, 'death', 0.0004) end as dies_on,
    case when night > 1 then night_date(night)
      else least(first_date(), birth_date + slot(person_id, 'registered', 300)::integer) end as registered_on
  from person where segment = 'resident'),
versions as (
  select registered.*, night as version_night, '正常' as status, registered_on as version_registered_on,
    address as version_address, division_code as version_division_code
  from registered
  union all
  select registered.*, moves_on, '正常', night_date(moves_on), next_address, next_division_code
  from registered where moves_on is not null
  union all
  select registered.*, dies_on, '死亡注销', registered_on, address, division_code
  from registered where dies_on is not null)
select person_id as _id, version_night as _night, moves_on is null and dies_on is null as _stable,
  person_id as _person__id_number,
  id_number, full_name, case when is_male then '男' else '女' end as sex_code, birth_date,
  case when draw(household_id, 'ethnicity') < 0.985 then '汉族'
    else pick(household_id, 'minority', ['回族', '回族', '回族', '满族', '朝鲜族', '蒙古族', '壮族', '苗族', '土家族', '彝族', '布依族', '其他']) end as ethnicity,
  lpad(household_id::varchar, 9, '0') as household_number,
  case role when 'H' then '户主' when 'S' then '配偶' when 'C' then '子女' when 'D' then '子女' else '父母' end as relation_to_head,
  version_address as address, version_division_code as division_code, status as registration_status,
  version_registered_on as registered_on
from versions
