with

source as (
    select
        unified_code,
        enterprise_name,
        enterprise_kind,
        legal_representative,
        legal_representative_id_number,
        registered_capital,
        established_on,
        enterprise_status,
        cancelled_on,
        industry_code,
        division_code,
        registered_address,
        phone,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('market_regulation', 'enterprise') }}
),

latest as (
    {{ latest_version('source', keys=['unified_code'], delivery='increment') }}
),

final as (
    select
        unified_code,
        enterprise_name,
        enterprise_kind,
        legal_representative,
        legal_representative_id_number,
        registered_capital,
        established_on,
        enterprise_status,
        cancelled_on,
        industry_code,
        division_code,
        registered_address,
        phone,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
