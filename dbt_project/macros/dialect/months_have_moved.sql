{# Whether the last year is of other months than when the model was built: on the first night of a
   month, and of a whole build. #}
{% macro months_have_moved() -%}
    {%- if not goes_on() or flags.WHICH not in ('build', 'run') -%}
        {{- return(true) -}}
    {%- endif -%}
    {%- set found = run_query(
        "select date_trunc('month', " ~ built_date() ~ ") <> date_trunc('month', " ~ business_date() ~ ')'
    ) -%}
    {{- return(found.rows[0][0]) -}}
{%- endmacro %}

{# For `incremental_by`: the keys, one column and the month, of the months that have moved. #}
{% macro and_of_moved_months(relation, key, month) -%}
    {%- if months_have_moved() -%}
        union
        select
            of_month.{{ key }},
            of_month.{{ month }}
        from {{ relation }} as of_month
        where of_month.{{ month }} in ({{ months_that_moved(month, relation) }})
    {%- endif -%}
{%- endmacro %}
