{{ config(materialized='table') }}

with

enterprises as (
    select * from {{ ref('stg_market_regulation__enterprise') }}
),

tax_payments as (
    select * from {{ ref('stg_taxation__tax_payment') }}
),

electricity_usages as (
    select * from {{ ref('stg_power_supply__electricity_usage') }}
),

insurances as (
    select * from {{ ref('stg_human_resources__social_insurance_enrolment') }}
),

credit_records as (
    select * from {{ ref('stg_development_reform__credit_record') }}
),

register_extracts as (
    select * from {{ ref('stg_market_regulation__enterprise_register_extract') }}
),

appearances as (
    select
        unified_code,
        'market_regulation' as department,
        'enterprise' as dataset,
        '9' as source_rank,
        enterprise_name,
        _delivery_id,
        _business_date,
        _line_number
    from enterprises
    union all
    select
        unified_code,
        'taxation' as department,
        'tax_payment' as dataset,
        '8' as source_rank,
        taxpayer_name as enterprise_name,
        _delivery_id,
        _business_date,
        _line_number
    from tax_payments
    union all
    select
        employer_code as unified_code,
        'human_resources' as department,
        'social_insurance_enrolment' as dataset,
        '7' as source_rank,
        employer_name as enterprise_name,
        _delivery_id,
        _business_date,
        _line_number
    from insurances
    where employer_code is not null
    union all
    select
        unified_code,
        'power_supply' as department,
        'electricity_usage' as dataset,
        '6' as source_rank,
        customer_name as enterprise_name,
        _delivery_id,
        _business_date,
        _line_number
    from electricity_usages
    union all
    select
        unified_code,
        'development_reform' as department,
        'credit_record' as dataset,
        '5' as source_rank,
        enterprise_name,
        _delivery_id,
        _business_date,
        _line_number
    from credit_records
    union all
    select
        unified_code,
        'market_regulation' as department,
        'enterprise_register_extract' as dataset,
        '4' as source_rank,
        enterprise_name,
        _delivery_id,
        _business_date,
        _line_number
    from register_extracts
),

final as (
    select
        unified_code,
        department,
        dataset,
        enterprise_name,
        count(*) as row_count,
        max(source_rank || {{ row_order() }}) as preference,
        max_by(_delivery_id, {{ row_order() }}) as delivery_id,
        max_by(_line_number, {{ row_order() }}) as line_number,
        max(_business_date) as business_date
    from appearances
    group by
        unified_code,
        department,
        dataset,
        enterprise_name
)

select * from final
