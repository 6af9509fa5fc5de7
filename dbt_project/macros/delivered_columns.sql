{# Where a row was delivered; what it says of that does not make it another. #}
{% macro delivered_columns() -%}
    {{- return(['_delivery_id', '_business_date', '_line_number']) -}}
{%- endmacro %}

{# The delivery since which it stands as it is, in the same order. #}
{% macro since_columns() -%}
    {{- return(['_since_delivery_id', '_since_business_date', '_since_line_number']) -}}
{%- endmacro %}
