{# A text that sorts the rows of one dataset by age: business date, delivery, line. #}
{% macro row_order() -%}
    {{ as_text('_business_date') }} || _delivery_id || lpad({{ as_text('_line_number') }}, 9, '0')
{%- endmacro %}
