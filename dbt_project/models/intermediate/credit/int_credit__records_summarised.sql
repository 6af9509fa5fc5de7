{% set is_active = "decided_on <= {0} and published_until >= {0}" %}
{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_rows('stg_development_reform__credit_record') }}
    union
    select unified_code  -- of what became active or expired with the date
    from {{ ref('stg_development_reform__credit_record') }}
    where
        ({{ is_active.format(built_date()) }}) <> ({{ is_active.format(business_date()) }})
{% endcall %}

with

credit_records as (
    {{ only_changed(ref('stg_development_reform__credit_record'), 'unified_code') }}
),

active as (
    select
        unified_code,
        record_kind,
        severity_grade,
        decided_on
    from credit_records
    where {{ is_active.format(business_date()) }}
),

final as (
    select
        unified_code,
        count(*) filter (where record_kind = '行政处罚') as active_penalties,
        count(*) filter (where record_kind = '行政处罚' and severity_grade = '严重')
            as active_severe_penalties,
        count(*) filter (where record_kind = '严重失信') as active_serious_dishonesty_records,
        count(*) filter (where record_kind = '欠税公告') as active_tax_arrears_notices,
        count(*) filter (where record_kind = '守信激励') as active_trustworthy_records,
        max(decided_on) filter (where record_kind <> '守信激励') as last_adverse_record_on
    from active
    group by unified_code
)

select * from final
