with

source as (
    select
        voucher_number,
        unified_code,
        taxpayer_name,
        tax_period,
        tax_kind,
        tax_due,
        tax_paid,
        paid_on,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('taxation', 'tax_payment') }}
),

latest as (
    {{ latest_version('source', keys=['voucher_number'], delivery='increment') }}
),

final as (
    select
        voucher_number,
        unified_code,
        taxpayer_name,
        tax_period,
        tax_kind,
        tax_due,
        tax_paid,
        paid_on,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
