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
