-- Enterprises. The numbers 1..$referenced are known to other departments (they employ, pay tax,
-- use power); those above stand in the register alone. A low number is a large enterprise.
create table employment as
select employer_id as enterprise_id, count(*) as employees from person
where employer_id is not null and night = 1 group by all;

create table enterprise as
with listed as (
  select number as enterprise_id, 1 as night from range(1, $enterprises + 1) as r(number)
  union all
  select $enterprises + (night - 2) * $new_enterprises + copy, night
  from range(2, nights() + 1) as n(night), range(1, $new_enterprises + 1) as c(copy)),
drawn as (
  select enterprise_id, slot(enterprise_id, 'representative', $residents) as member from listed),
-- the representative is the head of the household of a resident who was drawn
located as (
  select enterprise_id, (member // template_size() * template_size() + first_slot + 1)::bigint as person_id
  from drawn
  inner join template_member on member_slot = member % template_size()
  inner join template_household using (household_slot)),
represented as (
  select listed.*, enterprise_id <= $referenced as is_referenced,
    coalesce(employees, 0) as employees,
    person.person_id as representative, person.full_name, person.other_name, person.id_number,
    person.has_applicant,
    case when draw(enterprise_id, 'near home') < 0.85 then person.division_code else place.division_code end as division_code,
    case when draw(enterprise_id, 'near home') < 0.85 then home.division_name else place.division_name end as division_name,
    case when draw(enterprise_id, 'near home') < 0.85 then pick(enterprise_id, 'township', home.townships)
      else pick(enterprise_id, 'township', place.townships) end as township
  from listed
  left join employment using (enterprise_id)
  inner join division_slot as place on place.slot = slot(enterprise_id, 'division', 1000)
  inner join located using (enterprise_id)
  inner join person on person.person_id = located.person_id
  inner join (select distinct on (division_code) * from division_slot order by division_code, slot) as home
    on home.division_code = person.division_code),
described as (
  select represented.*, industry_slot.* exclude (slot),
    case when employees >= 60 and draw(enterprise_id, 'kind') < 0.3 then '股份有限公司'
      when employees >= 4 or draw(enterprise_id, 'kind') < 0.3 then '有限责任公司'
      when draw(enterprise_id, 'kind') < 0.36 then '个人独资企业'
      when industry_code like 'A%' then '农民专业合作社'
      else '个体工商户' end as enterprise_kind,
    case when night > 1 then night_date(night) - slot(enterprise_id, 'age', 3)::integer
      when is_referenced then first_date() - (450 + floor(draw(enterprise_id, 'age') * draw(enterprise_id, 'age') * 9000))::integer
      else first_date() - (10 + slot(enterprise_id, 'age', 5000))::integer end as established_on,
    case when night > 1 then '在营'
      when is_referenced then (case when draw(enterprise_id, 'status') < 0.015 then '吊销' else '在营' end)
      when draw(enterprise_id, 'status') < 0.28 then '注销'
      when draw(enterprise_id, 'status') < 0.33 then '吊销' else '在营' end as enterprise_status,
    pick(enterprise_id, 'trade name', $trade_names) as trade_name,
    nullif(pick(enterprise_id, 'second trade name', $trade_names), trade_name) as other_trade_name,
    coalesce(other_trade_name, '') as second_trade_name
  from represented
  inner join industry_slot on industry_slot.slot = slot(enterprise_id, 'industry', 100)),
coded as (
  select *, (enterprise_id * 39916801 + (hash($seed::bigint) % 60000000)::bigint) % 60000000 as scrambled from described),
changed as (
  select *,
    (case enterprise_kind when '个体工商户' then '92' when '农民专业合作社' then '93' else '91' end)
      || (case when draw(enterprise_id, 'registering body') < 0.25 then '371300' else division_code end)
      || organisation_code(case when established_on < date '2015-10-01' then (10000000 + scrambled)::varchar
        else 'MA' || unified_character(scrambled // 28629151 % 31) || unified_character(scrambled // 923521 % 31)
          || unified_character(scrambled // 29791 % 31) || unified_character(scrambled // 961 % 31)
          || unified_character(scrambled // 31 % 31) || unified_character(scrambled % 31) end) as code_body,
    case when is_referenced and not has_applicant and enterprise_status = '在营' then happens(enterprise_id, 'cancelled', 0.0006) end as cancels_on,
    case when is_referenced and not has_applicant then happens(enterprise_id, 'amended', 0.003) end as amends_on
  from coded)
select enterprise_id, night, is_referenced, employees, representative, full_name, other_name, id_number,
  has_applicant, enterprise_kind, established_on, enterprise_status, division_code, division_name,
  industry_code, turnover, power, cancels_on,
  case when cancels_on is null then amends_on end as amends_on,
  unified_code(code_body) as unified_code,
  case when enterprise_kind = '个体工商户'
      then division_name || trade_name || word || pick(enterprise_id, 'shop', ['店', '商行', '经营部', '门市部'])
    when enterprise_kind = '农民专业合作社' then division_name || trade_name || word || '农民专业合作社'
    when enterprise_kind = '个人独资企业' then division_name || trade_name || second_trade_name || word || '中心'
    when enterprise_kind = '股份有限公司' then '山东' || trade_name || second_trade_name || word || '股份有限公司'
    else '临沂' || trade_name || second_trade_name || word || '有限公司' end as enterprise_name,
  -- other registers keep the former name for years
  case when draw(enterprise_id, 'renamed') < 0.03
    then '临沂市' || second_trade_name || word || (case when enterprise_kind = '个体工商户' then '店' else '有限公司' end)
  end as former_name,
  case when enterprise_kind = '个体工商户' then 1 + slot(enterprise_id, 'capital', 30)
    else least(5000000, pick(enterprise_id, 'capital', [10, 30, 50, 50, 100, 100, 200, 300, 500, 1000]) * (1 + employees // 10)) end as capital,
  case when enterprise_status = '注销' then established_on
    + floor(draw(enterprise_id, 'life') * (first_date() - established_on))::integer end as cancelled_on,
  street_address(enterprise_id, 'seat', division_name, township) as address,
  is_referenced and draw(enterprise_id, 'pays tax') < 0.8 as is_taxpayer,
  is_referenced and draw(enterprise_id, 'pays tax') < 0.04 as is_in_arrears,
  turnover * (12000 + 30000 * employees) * (0.6 + 0.8 * draw(enterprise_id, 'turnover')) as monthly_turnover,
  power * (180 + 420 * employees) * (0.6 + 0.8 * draw(enterprise_id, 'power')) as monthly_kwh
from changed
order by enterprise_id;
