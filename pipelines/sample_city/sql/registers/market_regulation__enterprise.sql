-- Enterprises as registered; some are cancelled or amended on later nights.
with versions as (
  select *, night as version_night, enterprise_status as version_status, cancelled_on as version_cancelled_on, capital as version_capital
  from enterprise
  union all
  select *, cancels_on, '注销', night_date(cancels_on), capital from enterprise where cancels_on is not null
  union all
  select *, amends_on, enterprise_status, cancelled_on, capital + 50 from enterprise where amends_on is not null)
select enterprise_id as _id, version_night as _night, cancels_on is null and amends_on is null as _stable,
  is_referenced as _is_referenced, representative as _person__legal_representative_id_number,
  unified_code, enterprise_name, enterprise_kind,
  name_in('market regulation', representative, full_name, other_name) as legal_representative,
  id_number as legal_representative_id_number,
  amount(version_capital) as registered_capital, established_on, version_status as enterprise_status,
  version_cancelled_on as cancelled_on, industry_code, division_code, address as registered_address,
  case when draw(enterprise_id, 'left a phone') < 0.9 then mobile(representative, 'phone') end as phone
from versions
