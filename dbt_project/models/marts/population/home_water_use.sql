with

readings as (
    select * from {{ ref('stg_water_supply__water_reading') }}
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
        cast(reading_month || '-01' as date) <= {{ business_date() }}
        and cast(reading_month || '-01' as date) > {{ business_date() }} - interval '12' month
    group by division_code, reading_month
)

select * from final
