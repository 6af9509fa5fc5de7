{#
    Which keys of a dataset its deliveries changed since the last build, for `latest_version`.

    meta.in_force holds the deliveries in force tonight, meta.built_in_force those of the last
    build; a delivery whose rows were loaded anew has another `content`.
#}

{# Notes the keys; true where what the last build made and the new rows say it all: of a full
   dataset where one newer date came, of others where deliveries only came. #}
{% macro note_changed_deliveries(dataset, keys, delivery) -%}
    {%- set columns = keys | join(', ') -%}
    {%- set raw = 'raw.' ~ dataset -%}
    {%- set came = changed_deliveries(dataset, 'meta.in_force', 'meta.built_in_force') -%}
    {%- set went = changed_deliveries(dataset, 'meta.built_in_force', 'meta.in_force') -%}
    {%- set newest = newest_date(dataset, 'meta.in_force') -%}
    {%- set found = run_query(
        'select exists (' ~ came ~ ') as has_come, exists (' ~ went ~ ') as has_gone, '
        ~ '(select min(business_date) = max(business_date) and min(business_date) > '
        ~ newest_date(dataset, 'meta.built_in_force') ~ ' from (' ~ came ~ ') as came) as is_newer'
    ).rows[0] -%}
    {%- set has_come, has_gone, is_newer = found[0], found[1], found[2] -%}
    {%- if flags.WHICH in ('build', 'run') -%}
        {%- set changed -%}
            {%- if delivery == 'full' -%}  {# every key, if anything came or went #}
                select {{ columns }} from {{ raw }}
                where _business_date = {{ newest }} and {{ has_come or has_gone }}
                union
                select {{ columns }} from {{ this }}
                where {{ has_come or has_gone }}
            {%- elif has_gone and delivery == 'change_log' -%}
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
        {%- do keep_rows_before(keys) -%}
    {%- endif -%}
    {%- if delivery == 'full' -%}
        {{- return(has_come and is_newer and not has_gone) -}}
    {%- endif -%}
    {{- return(delivery == 'increment' and not has_gone) -}}
{%- endmacro %}

{# Deliveries of a dataset that stand in one table and not, or with other rows, in the other. #}
{% macro changed_deliveries(dataset, here, there) -%}
    select delivery_id, business_date from (
        {%- for table in (here, there) %}
        select delivery_id, business_date, content from {{ table }}
        where department || '__' || dataset = '{{ dataset }}'
        {{- ' except' if not loop.last }}
        {%- endfor %}
    ) as changed
{%- endmacro %}

{# The newest date of a dataset's deliveries. #}
{% macro newest_date(dataset, table) -%}
    (
        select max(newest.business_date) from {{ table }} as newest
        where newest.department || '__' || newest.dataset = '{{ dataset }}'
    )
{%- endmacro %}

{# The rows that are in force of the changed keys, and those that the new deliveries bring. #}
{% macro rows_in_force_and_new_rows(relation, dataset) -%}
    {%- set columns = model.columns.keys() | list -%}  {# of the contract: all that the table has #}
    {%- set came = changed_deliveries(dataset, 'meta.in_force', 'meta.built_in_force') -%}
    select
        rows_before.{{ columns | join(', rows_before.') }},
        own.sequence as _sequence
    from rows_before
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
