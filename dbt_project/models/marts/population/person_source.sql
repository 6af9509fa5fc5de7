{% call incremental_by(['person_token']) %}
    select person_token
    from {{ changed_keys('int_population__golden_person_chosen') }}
{% endcall %}

with

appearances as (
    select * from {{ new_rows(ref('int_population__appearances_collected')) }}
),

golden as (
    {{ only_changed(ref('int_population__golden_person_chosen'), 'person_token') }}
),

final as (
    select
        golden.person_token,
        appearances.department,
        appearances.dataset,
        appearances.person_role,
        appearances.is_current,
        appearances._delivery_id as delivery_id,
        appearances._line_number as line_number,
        appearances._business_date as business_date
    from appearances
    inner join golden on appearances.id_number = golden.id_number
)

select * from final
