{% call incremental_by(['person_token']) %}
    select golden.person_token
    from {{ ref('int_population__golden_person_chosen') }} as golden
    semi join {{ changed_keys('int_population__golden_person_chosen') }} as changed
        on golden.id_number = changed.id_number
    union
    select person_token from {{ changed_rows('int_population__golden_person_chosen') }}
{% endcall %}

with

conflicts as (
    select * from {{ ref('int_population__conflicts_found') }}
),

golden as (
    select golden.*
    from {{ ref('int_population__golden_person_chosen') }} as golden
    {{ only_changed('golden.person_token') }}
),

final as (
    select
        golden.person_token,
        conflicts.attribute,
        conflicts.golden_value,
        conflicts.golden_department,
        conflicts.golden_dataset,
        conflicts.other_value,
        conflicts.other_department,
        conflicts.other_dataset,
        conflicts.row_count,
        conflicts.newest_business_date
    from conflicts
    inner join golden on conflicts.id_number = golden.id_number
)

select * from final
