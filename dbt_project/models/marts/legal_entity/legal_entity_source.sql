{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_keys('int_legal_entity__appearances_collected') }}
{% endcall %}

with

appearances as (
    select * from {{ new_rows(ref('int_legal_entity__appearances_collected')) }}
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
