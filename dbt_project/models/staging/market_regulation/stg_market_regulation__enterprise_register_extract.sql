with

source as (
    select
        enterprise_name,
        unified_code,
        registered_on,
        enterprise_kind,
        legal_representative_masked,
        registered_capital,
        registered_capital_currency,
        business_scope,
        province_name,
        city_name,
        registered_address,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('market_regulation', 'enterprise_register_extract') }}
),

latest as (
    {{ latest_version('source', keys=['unified_code'], delivery='full') }}
),

final as (
    select
        enterprise_name,
        unified_code,
        registered_on,
        enterprise_kind,
        legal_representative_masked,
        registered_capital,
        registered_capital_currency,
        business_scope,
        province_name,
        city_name,
        registered_address,
        _delivery_id,
        _business_date,
        _line_number,
        _flags,
        _since_delivery_id,
        _since_business_date,
        _since_line_number
    from latest
)

select * from final
