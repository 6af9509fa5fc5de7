{# Whether a month (text, YYYY-MM) began in the twelve months that end with a date. #}
{% macro in_last_year(month, on_date) -%}
    cast({{ month }} || '-01' as date) <= {{ on_date }}
    and cast({{ month }} || '-01' as date) > {{ on_date }} - interval '12' month
{%- endmacro %}
