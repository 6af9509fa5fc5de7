{% call incremental_by(['dataset', 'delivery_id', 'line_number']) %}
    select
        dataset,
        _delivery_id as delivery_id,
        _line_number as line_number
    from ({{ person_appearances(appearances_that_came_or_went) }}) as appearances
{% endcall %}

with

appearances as (
    {% if goes_on() -%}
        {{ person_appearances(appearances_that_came) }}
    {%- else -%}
        select * from {{ ref('int_population__appearances_collected') }}
    {%- endif %}
),

golden as (
    select * from {{ new_rows(ref('int_population__golden_person_chosen')) }}
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
