{% call incremental_by(['household_number']) %}
    select household_number from {{ changed_rows('stg_public_security__resident') }}
    union
    select household_number  -- of a member whose birthday it was
    from {{ ref('stg_public_security__resident') }}
    where
        {{ completed_years('birth_date', built_date()) }}
        <> {{ completed_years('birth_date', business_date()) }}
{% endcall %}

with

residents as (
    {{ only_changed(ref('stg_public_security__resident'), 'household_number') }}
),

night as (
    select business_date from {{ source('meta', 'night') }}
),

members as (
    select
        residents.household_number,
        residents.id_number,
        residents.division_code,
        residents.relation_to_head = '户主' as is_head,
        {{ completed_years('residents.birth_date', 'night.business_date') }} as age_years
    from residents
    cross join night
    where residents.registration_status = '正常'
),

counted as (
    select
        household_number,
        coalesce(min(division_code) filter (where is_head), min(division_code)) as division_code,
        min(id_number) filter (where is_head) as head_id_number,
        count(*) as member_count,
        count(*) filter (where age_years < 18) as minor_count,
        count(*) filter (where age_years between 18 and 59) as adult_under_60_count,
        count(*) filter (where age_years >= 60) as aged_60_and_over_count
    from members
    group by household_number
),

final as (
    select
        household_number,
        sm3_token(household_number) as household_token,
        division_code,
        head_id_number,
        member_count,
        minor_count,
        adult_under_60_count,
        aged_60_and_over_count
    from counted
)

select * from final
