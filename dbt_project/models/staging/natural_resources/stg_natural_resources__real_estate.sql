with

source as (
    select
        unit_number,
        owner_id_number,
        owner_name,
        certificate_number,
        location,
        division_code,
        usage,
        floor_area_m2,
        registered_on,
        right_status,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('natural_resources', 'real_estate') }}
),

latest as (
    {{ latest_version('source', keys=['unit_number', 'owner_id_number'], delivery='increment') }}
),

final as (
    select
        unit_number,
        owner_id_number,
        owner_name,
        certificate_number,
        location,
        division_code,
        usage,
        floor_area_m2,
        registered_on,
        right_status,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
