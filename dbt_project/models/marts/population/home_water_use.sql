{% call incremental_by(['division_code', 'reading_month']) %}
    select
        division_code,
        reading_month
    from {{ changed_rows('stg_water_supply__water_reading') }}
    union
    select
        readings.division_code,
        readings.reading_month
    from {{ ref('stg_water_supply__water_reading') }} as readings
    where readings.reading_month in ({{ months_that_moved('reading_month', ref('stg_water_supply__water_reading')) }})
{% endcall %}

with

readings as (
    select readings.*
    from {{ ref('stg_water_supply__water_reading') }} as readings
    {{ only_changed(['readings.division_code', 'readings.reading_month']) }}
),

final as (
    select
        division_code,
        reading_month,
        count(*) as homes_read,
        count(*) filter (where usage_m3 <= 1) as homes_standing_empty,
        cast(sum(usage_m3) as bigint) as usage_m3,
        count(*) filter (where reading_kind = '估抄') as homes_estimated
    from readings
    where
        reading_month in (
            {{ months_of_last_year('reading_month', ref('stg_water_supply__water_reading')) }}
        )
    group by division_code, reading_month
)

select * from final
