with

source as (
    select
        account_number,
        reading_month,
        division_code,
        previous_reading_m3,
        current_reading_m3,
        usage_m3,
        amount_due,
        reading_kind,
        read_on,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('water_supply', 'water_reading') }}
),

latest as (
    {{ latest_version('source', keys=['account_number', 'reading_month'], delivery='increment') }}
),

final as (
    select
        account_number,
        reading_month,
        division_code,
        previous_reading_m3,
        current_reading_m3,
        usage_m3,
        amount_due,
        reading_kind,
        read_on,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
