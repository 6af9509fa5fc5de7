{# Whether two rows have the same values in some columns; a missing one is a value as well. #}
{% macro same_values(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} is not distinct from {{ right }}.{{ column }}
        {{- ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
