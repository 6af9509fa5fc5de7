with

source as (
    select
        permit_number,
        id_number,
        full_name,
        residence_address,
        division_code,
        phone,
        issued_on,
        valid_until,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('public_security', 'residence_permit') }}
),

latest as (
    {{ latest_version('source', keys=['permit_number'], delivery='increment') }}
),

final as (
    select
        permit_number,
        id_number,
        full_name,
        residence_address,
        division_code,
        phone,
        issued_on,
        valid_until,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
