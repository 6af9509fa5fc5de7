with

conflicts as (
    select * from {{ ref('int_population__conflicts_found') }}
),

golden as (
    select * from {{ ref('int_population__golden_person_chosen') }}
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
