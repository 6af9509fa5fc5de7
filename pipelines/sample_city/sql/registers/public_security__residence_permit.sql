-- Permits of people from outside; a renewal is a later version.
with versions as (
  select *, night as version_night, valid_until as version_valid_until from permit
  union all
  select *, renewed_on, (night_date(renewed_on) + to_years(1))::date from permit where renewed_on is not null)
select person_id as _id, version_night as _night, renewed_on is null as _stable,
  person_id as _person__id_number,
  permit_number, id_number, full_name, address as residence_address, division_code,
  case when draw(person_id, 'left a phone') < 0.93 then mobile(person_id, 'phone') end as phone,
  issued_on, version_valid_until as valid_until
from versions
