{% set all_months = months_have_moved() %}
{% call incremental_by(['division_code', 'reading_month']) %}
    select
        division_code,
        reading_month
    from {{ changed_rows('stg_water_supply__water_reading') }}
    {{ and_of_moved_months(
        ref('stg_water_supply__water_reading'), 'division_code', 'reading_month'
    ) }}
{% endcall %}

with

{% if all_months -%}
    readings as (
        {{ only_changed(
            ref('stg_water_supply__water_reading'), ['division_code', 'reading_month']
        ) }}
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
{%- else -%}
    readings as (  -- within a month, what was counted and the rows that came and went say it all
        select
            division_code,
            reading_month,
            usage_m3,
            reading_kind,
            _copies as copies
        from {{ changed_rows('stg_water_supply__water_reading') }}
    ),

    counted_before as (
        {{ only_changed(this, ['division_code', 'reading_month']) }}
    ),

    counted as (
        select
            division_code,
            reading_month,
            homes_read,
            homes_standing_empty,
            usage_m3,
            homes_estimated
        from counted_before
        union all
        select
            division_code,
            reading_month,
            copies as homes_read,
            if(usage_m3 <= 1, copies, 0) as homes_standing_empty,
            usage_m3 * copies as usage_m3,
            if(reading_kind = '估抄', copies, 0) as homes_estimated
        from readings
        where reading_month in ({{ months_of_last_year('reading_month', 'readings') }})
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
{%- endif %}

select * from final
