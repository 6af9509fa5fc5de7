{# Where persons appear in the city's registers: all of them, or, for a model that goes on, those that
   it looks at. `rows_of(table, column)` is the macro that says which; of its own, those of its changed
   id_number. #}
{% macro person_appearances(rows_of=only_changed) -%}
with

residents as (
    {{ rows_of(ref('stg_public_security__resident'), 'id_number') }}
),

permits as (
    {{ rows_of(ref('stg_public_security__residence_permit'), 'id_number') }}
),

insurances as (
    {{ rows_of(ref('stg_human_resources__social_insurance_enrolment'), 'id_number') }}
),

real_estates as (
    {{ rows_of(ref('stg_natural_resources__real_estate'), 'owner_id_number') }}
),

enterprises as (
    {{ rows_of(ref('stg_market_regulation__enterprise'), 'legal_representative_id_number') }}
),

children as (
    {{ rows_of(ref('stg_education__enrolment_application'), 'child_id_number') }}
),

guardians as (
    {{ rows_of(ref('stg_education__enrolment_application'), 'guardian_id_number') }}
),

appearances as (
    select
        id_number,
        {{ person_source_columns(9) }},
        'resident' as person_role,
        full_name,
        birth_date,
        {{ as_text("null") }} as phone,
        registration_status = '正常' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from residents
    union all
    select
        id_number,
        {{ person_source_columns(8) }},
        'permit_holder' as person_role,
        full_name,
        cast(null as date) as birth_date,
        phone,
        valid_until >= {{ business_date() }} as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from permits
    union all
    select
        id_number,
        {{ person_source_columns(7) }},
        'insured' as person_role,
        full_name,
        cast(null as date) as birth_date,
        {{ as_text("null") }} as phone,
        enrolment_status = '参保缴费' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from insurances
    union all
    select
        owner_id_number as id_number,
        {{ person_source_columns(6) }},
        'owner' as person_role,
        owner_name as full_name,
        cast(null as date) as birth_date,
        {{ as_text("null") }} as phone,
        right_status = '现势' and usage = '住宅' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from real_estates
    union all
    select
        legal_representative_id_number as id_number,
        {{ person_source_columns(5) }},
        'legal_representative' as person_role,
        legal_representative as full_name,
        cast(null as date) as birth_date,
        {{ as_text("null") }} as phone,
        enterprise_status = '在营' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from enterprises
    union all
    select
        child_id_number as id_number,
        {{ person_source_columns(4) }},
        'child' as person_role,
        child_name as full_name,
        child_birth_date as birth_date,
        {{ as_text("null") }} as phone,
        true as is_current,
        _since_delivery_id as _delivery_id,
        _since_business_date as _business_date,
        _since_line_number as _line_number
    from children
    union all
    select
        guardian_id_number as id_number,
        {{ person_source_columns(3) }},
        'guardian' as person_role,
        guardian_name as full_name,
        cast(null as date) as birth_date,
        guardian_phone as phone,
        true as is_current,
        _since_delivery_id as _delivery_id,
        _since_business_date as _business_date,
        _since_line_number as _line_number
    from guardians
),

deliveries as (
    {{ numbered_deliveries() }}
),

final as (
    select
        appearances.id_number,
        appearances.department,
        appearances.dataset,
        appearances.person_role,
        appearances.full_name,
        appearances.birth_date,
        appearances.phone,
        appearances.is_current,
        appearances.source_rank * {{ rank_weight() }}
        + {{ row_order('deliveries.delivery_order', 'appearances._line_number') }} as preference,
        appearances._delivery_id,
        appearances._business_date,
        appearances._line_number
    from appearances
    left join deliveries on appearances._delivery_id = deliveries.delivery_id
)

select * from final
{%- endmacro %}

{# For `rows_of` on a build that goes on: the rows that came, and those that went as well. A permit
   that ran out since the last build is another, though nobody delivered it. #}
{% macro appearances_that_came(table, _column) -%}
    select * exclude (_copies) from {{ changed_rows(table.identifier) }} where _copies > 0
    {{- and_permits_that_ran_out(table) }}
{%- endmacro %}

{% macro appearances_that_came_or_went(table, _column) -%}
    select * exclude (_copies) from {{ changed_rows(table.identifier) }}
    {{- and_permits_that_ran_out(table) }}
{%- endmacro %}

{% macro and_permits_that_ran_out(table) -%}
    {%- if table.identifier == 'stg_public_security__residence_permit' %}
        union
        {{ permits_that_ran_out() }}
    {%- endif -%}
{%- endmacro %}

{% macro permits_that_ran_out() -%}
    select *
    from {{ ref('stg_public_security__residence_permit') }}
    where (valid_until >= {{ built_date() }}) <> (valid_until >= {{ business_date() }})
{%- endmacro %}
