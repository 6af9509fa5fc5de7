with

appearances as (
    select * from {{ ref('int_legal_entity__appearances_collected') }}
),

final as (
    select
        unified_code,
        department,
        dataset,
        enterprise_name,
        row_count,
        delivery_id,
        line_number,
        business_date
    from appearances
)

select * from final
