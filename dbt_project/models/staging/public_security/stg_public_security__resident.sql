with

source as (
    select
        id_number,
        full_name,
        sex_code,
        birth_date,
        ethnicity,
        household_number,
        relation_to_head,
        address,
        division_code,
        registration_status,
        registered_on,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('public_security', 'resident') }}
),

latest as (
    {{ latest_version('source', keys=['id_number'], delivery='increment') }}
),

final as (
    select
        id_number,
        full_name,
        sex_code,
        birth_date,
        ethnicity,
        household_number,
        relation_to_head,
        address,
        division_code,
        registration_status,
        registered_on,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
