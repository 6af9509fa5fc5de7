{#
    Which keys of a dataset its deliveries changed since the last build, for `latest_version`.

    meta.in_force holds the deliveries in force tonight, meta.built_in_force those of the last
    build; a delivery whose rows were loaded anew has another `content`.
#}

{# Notes the keys; true where the rows in force and the new rows say it all. #}
{% macro note_changed_deliveries(dataset, keys, delivery) -%}
    {%- set columns = keys | join(', ') -%}
    {%- set raw = 'raw.' ~ dataset -%}
    {%- set came = changed_deliveries(dataset, 'meta.in_force', 'meta.built_in_force', delivery) -%}
    {%- set went = changed_deliveries(dataset, 'meta.built_in_force', 'meta.in_force', delivery) -%}
    {%- set found = run_query(
        'select exists (' ~ came ~ ') as has_come, exists (' ~ went ~ ') as has_gone'
    ).rows[0] -%}
    {%- set has_come, has_gone = found[0], found[1] -%}
    {%- set all_keys = (has_come or has_gone) if delivery == 'full'
        else (has_gone and delivery == 'change_log') -%}
    {%- if flags.WHICH in ('build', 'run') -%}
        {%- set changed -%}
            {%- if all_keys -%}
                select {{ columns }} from {{ raw }}
                union
                select {{ columns }} from {{ this }}
            {%- else -%}
                select {{ columns }} from {{ raw }}
                where _delivery_id in (select delivery_id from ({{ came }}) as came)
                union
                select {{ columns }} from {{ this }}
                where _delivery_id in (select delivery_id from ({{ went }}) as went)
            {%- endif -%}
        {%- endset -%}
        {%- do note_changed_keys(changed) -%}
    {%- endif -%}
    {{- return(delivery == 'increment' and not has_gone) -}}
{%- endmacro %}

{# Deliveries of a dataset that stand in one table and not, or with other rows, in the other. Of a
   full dataset those of the newest date count. #}
{% macro changed_deliveries(dataset, here, there, delivery) -%}
    select delivery_id from (
        {%- for table in (here, there) %}
        select delivery_id, content from {{ table }}
        where
            department || '__' || dataset = '{{ dataset }}'
            {%- if delivery == 'full' %}
            and business_date = (
                select max(newest.business_date) from {{ table }} as newest
                where newest.department || '__' || newest.dataset = '{{ dataset }}'
            )
            {%- endif %}
        {{- ' except' if not loop.last }}
        {%- endfor %}
    ) as changed
{%- endmacro %}

{# The rows that are in force of the changed keys, and those that the new deliveries bring. #}
{% macro rows_in_force_and_new_rows(relation, dataset, keys) -%}
    {%- set columns = model.columns.keys() | list -%}  {# of the contract: all that the table has #}
    {%- set came = changed_deliveries(dataset, 'meta.in_force', 'meta.built_in_force', 'increment') -%}
    select
        rows_before.{{ columns | join(', rows_before.') }},
        own.sequence as _sequence
    from {{ this }} as rows_before
    {{ only_changed(prefixed('rows_before', keys)) }}
    left join deliveries as own on rows_before._delivery_id = own.delivery_id
    union all
    select
        {{ columns | join(', ') }},
        _sequence
    from {{ relation }}
    where _delivery_id in (select delivery_id from ({{ came }}) as came)
{%- endmacro %}

{% macro prefixed(relation, columns) -%}
    {%- set names = [] -%}
    {%- for column in columns -%}
        {%- do names.append(relation ~ '.' ~ column) -%}
    {%- endfor -%}
    {{- return(names) -}}
{%- endmacro %}
