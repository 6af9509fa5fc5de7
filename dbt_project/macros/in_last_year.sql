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
