{# Whether a month (text, YYYY-MM) began in the twelve months that end with a date. #}
{% macro in_last_year(month, on_date) -%}
    cast({{ month }} || '-01' as date) <= {{ on_date }}
    and cast({{ month }} || '-01' as date) > {{ on_date }} - interval '12' month
{%- endmacro %}

{# The months of a relation that are in the last year. To look at each month once instead of at each
   row takes half the time. #}
{% macro months_of_last_year(month, relation) -%}
    select months.{{ month }}
    from (select distinct {{ month }} from {{ relation }}) as months
    where {{ in_last_year('months.' ~ month, business_date()) }}
{%- endmacro %}

{# The months of a relation that were in the last year when the model was built and are not now, or
   the other way round. #}
{% macro months_that_moved(month, relation) -%}
    select months.{{ month }}
    from (select distinct {{ month }} from {{ relation }}) as months
    where
        ({{ in_last_year('months.' ~ month, built_date()) }})
        <> ({{ in_last_year('months.' ~ month, business_date()) }})
{%- endmacro %}

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
