{# The business date of the night, as a scalar subquery. Never current_date: a night can be repeated. #}
{% macro business_date() -%}
    (select night.business_date from {{ source('meta', 'night') }} as night)
{%- endmacro %}
