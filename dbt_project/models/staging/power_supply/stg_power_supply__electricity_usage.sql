with

source as (
    select
        customer_number,
        usage_month,
        customer_name,
        unified_code,
        usage_kwh,
        amount_due,
        amount_paid,
        payment_status,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('power_supply', 'electricity_usage') }}
),

latest as (
    {{ latest_version('source', keys=['customer_number', 'usage_month'], delivery='increment') }}
),

final as (
    select
        customer_number,
        usage_month,
        customer_name,
        unified_code,
        usage_kwh,
        amount_due,
        amount_paid,
        payment_status,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
