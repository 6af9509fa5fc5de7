with

conflicts as (
    select * from {{ ref('int_population__conflicts_found') }}
),

final as (
    select
        person_token,
        attribute,
        golden_value,
        golden_department,
        golden_dataset,
        other_value,
        other_department,
        other_dataset,
        row_count,
        newest_business_date
    from conflicts
)

select * from final
