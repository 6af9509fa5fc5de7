{% set readings = 'stg_water_supply__water_reading' %}
{% call incremental_by(['division_code', 'reading_month']) %}
    select
        division_code,
        reading_month
    from {{ changed_rows(readings) }}
    union
    select
        division_code,
        reading_month
    from {{ rows_of_moved_months(readings, 'reading_month') }} as moved
{% endcall %}

with

readings as (
    {{ came_and_went(readings, ['division_code', 'reading_month']) }}
),

recent as (
    select
        division_code,
        reading_month,
        usage_m3,
        reading_kind,
        _copies
    from readings
    where reading_month in ({{ months_that_count(readings, 'reading_month') }})
),

counted as (
    select
        division_code,
        reading_month,
        sum(_copies) as homes_read,
        coalesce(sum(_copies) filter (where usage_m3 <= 1), 0) as homes_standing_empty,
        sum(usage_m3 * _copies) as usage_m3,
        coalesce(sum(_copies) filter (where reading_kind = '估抄'), 0) as homes_estimated
    from recent
    group by division_code, reading_month
    {{ and_counted_before(
        [
            'division_code', 'reading_month', 'homes_read', 'homes_standing_empty', 'usage_m3',
            'homes_estimated'
        ]
    ) }}
),

final as (
    select
        division_code,
        reading_month,
        cast(sum(homes_read) as bigint) as homes_read,
        cast(sum(homes_standing_empty) as bigint) as homes_standing_empty,
        cast(sum(usage_m3) as bigint) as usage_m3,
        cast(sum(homes_estimated) as bigint) as homes_estimated
    from counted
    group by division_code, reading_month
    having sum(homes_read) > 0
)

select * from final
