{% call incremental_by(['household_token']) %}
    select household_token
    from {{ new_rows(ref('int_population__households_counted')) }}
    union
    select sm3_token(gone.household_number) as household_token
    from {{ changed_keys('int_population__households_counted') }} as gone
    anti join {{ new_rows(ref('int_population__households_counted')) }} as counted
        on gone.household_number = counted.household_number
{% endcall %}

with

households as (
    select * from {{ new_rows(ref('int_population__households_counted')) }}
),

golden as (
    {{ only_referred_to(
        ref('int_population__golden_person_chosen'), 'id_number', 'households', 'head_id_number'
    ) }}
),

final as (
    select
        households.household_token,
        households.division_code,
        golden.person_token as head_token,
        households.member_count,
        households.minor_count,
        households.adult_under_60_count,
        households.aged_60_and_over_count
    from households
    left join golden on households.head_id_number = golden.id_number
)

select * from final
