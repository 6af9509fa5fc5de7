{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_rows('stg_market_regulation__enterprise') }}
    union
    select unified_code from {{ changed_rows('stg_taxation__tax_payment') }}
    union
    select unified_code from {{ changed_rows('stg_power_supply__electricity_usage') }}
    union
    select employer_code
    from {{ changed_rows('stg_human_resources__social_insurance_enrolment') }}
    union
    select unified_code from {{ changed_rows('stg_development_reform__credit_record') }}
    union
    select unified_code
    from {{ changed_rows('stg_market_regulation__enterprise_register_extract') }}
{% endcall %}

with

enterprises as (
    {{ only_changed(ref('stg_market_regulation__enterprise'), 'unified_code') }}
),

tax_payments as (
    {{ only_changed(ref('stg_taxation__tax_payment'), 'unified_code') }}
),

electricity_usages as (
    {{ only_changed(ref('stg_power_supply__electricity_usage'), 'unified_code') }}
),

insurances as (
    {{ only_changed(ref('stg_human_resources__social_insurance_enrolment'), 'employer_code') }}
),

credit_records as (
    {{ only_changed(ref('stg_development_reform__credit_record'), 'unified_code') }}
),

register_extracts as (
    {{ only_changed(ref('stg_market_regulation__enterprise_register_extract'), 'unified_code') }}
),

appearances as (
    select
        unified_code,
        'market_regulation' as department,
        'enterprise' as dataset,
        9 as source_rank,
        enterprise_name,
        _delivery_id,
        _line_number
    from enterprises
    union all
    select
        unified_code,
        'taxation' as department,
        'tax_payment' as dataset,
        8 as source_rank,
        taxpayer_name as enterprise_name,
        _delivery_id,
        _line_number
    from tax_payments
    union all
    select
        employer_code as unified_code,
        'human_resources' as department,
        'social_insurance_enrolment' as dataset,
        7 as source_rank,
        employer_name as enterprise_name,
        _delivery_id,
        _line_number
    from insurances
    where employer_code is not null
    union all
    select
        unified_code,
        'power_supply' as department,
        'electricity_usage' as dataset,
        6 as source_rank,
        customer_name as enterprise_name,
        _delivery_id,
        _line_number
    from electricity_usages
    union all
    select
        unified_code,
        'development_reform' as department,
        'credit_record' as dataset,
        5 as source_rank,
        enterprise_name,
        _since_delivery_id as _delivery_id,
        _since_line_number as _line_number
    from credit_records
    union all
    select
        unified_code,
        'market_regulation' as department,
        'enterprise_register_extract' as dataset,
        4 as source_rank,
        enterprise_name,
        _since_delivery_id as _delivery_id,
        _since_line_number as _line_number
    from register_extracts
),

deliveries as (
    {{ numbered_deliveries() }}
),

counted as (
    select
        appearances.unified_code,
        appearances.source_rank,
        appearances.department,
        appearances.dataset,
        appearances.enterprise_name,
        count(*) as row_count,
        max(deliveries.delivery_order) as delivery_order,
        max({{ row_order('deliveries.delivery_order', 'appearances._line_number') }})
            as newest_row
    from appearances
    left join deliveries on appearances._delivery_id = deliveries.delivery_id
    group by
        appearances.unified_code,
        appearances.source_rank,
        appearances.department,
        appearances.dataset,
        appearances.enterprise_name
),

final as (
    select
        counted.unified_code,
        counted.source_rank,
        counted.department,
        counted.dataset,
        counted.enterprise_name,
        counted.row_count,
        deliveries.delivery_id,
        counted.newest_row
        - counted.delivery_order * {{ lines_of_a_delivery() }} as line_number,
        deliveries.business_date
    from counted
    left join deliveries on counted.delivery_order = deliveries.delivery_order
)

select * from final
