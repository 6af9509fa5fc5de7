-- Penalties, dishonesty, arrears and honours of enterprises.
with records as (
  select enterprise.*, enterprise_id * 4 + copy as row_id, 1 as record_night
  from enterprise, range(2) as r(copy)
  where is_referenced and draw(enterprise_id * 4 + copy, 'credit record') < (case when copy = 0 then 0.3 else 0.06 end)
  union all
  select enterprise.*, enterprise_id * 4 + 3, happens(enterprise_id, 'new credit record', 0.002)
  from enterprise where is_referenced and happens(enterprise_id, 'new credit record', 0.002) is not null),
kinds as (
  select *,
    case when is_in_arrears then '欠税公告' when draw(row_id, 'record kind') < 0.55 then '行政处罚'
      when draw(row_id, 'record kind') < 0.62 then '严重失信' else '守信激励' end as record_kind,
    case when record_night > 1 then night_date(record_night) - slot(row_id, 'decided', 5)::integer
      else first_date() - slot(row_id, 'decided', 440)::integer end as decided
  from records)
select row_id as _id, record_night as _night, true as _stable,
  'XY' || lpad(row_id::varchar, 10, '0') as record_number, unified_code, enterprise_name, record_kind,
  case record_kind when '行政处罚' then pick(row_id, 'grade', ['一般', '一般', '较重', '严重']) when '严重失信' then '严重'
    when '欠税公告' then '较重' else '不适用' end as severity_grade,
  decided as decided_on,
  (decided + to_years(case record_kind when '严重失信' then 3 when '守信激励' then 2 else 1 + slot(row_id, 'years', 3)::integer end))::date as published_until,
  case record_kind when '欠税公告' then '国家税务总局临沂市税务局' when '守信激励' then '国家税务总局临沂市税务局'
    when '严重失信' then '临沂市中级人民法院'
    else pick(row_id, 'body', ['临沂市市场监督管理局', '临沂市生态环境局', '临沂市应急管理局', '临沂市交通运输局']) end as deciding_body,
  case record_kind when '欠税公告' then '未按期缴纳税款' when '守信激励' then '年度纳税信用评价为A级'
    when '严重失信' then '有履行能力而拒不履行生效法律文书确定的义务'
    else pick(row_id, 'reason', ['未按规定公示年度报告', '销售不符合食品安全标准的食品', '未按规定处置固体废物', '安全生产管理不到位', '超限运输', '发布虚假广告']) end as reason
from kinds
