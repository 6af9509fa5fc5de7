{# A value as text: Spark's varchar wants a length, DuckDB's does not. #}
{% macro as_text(expression) -%}
    {{ return(adapter.dispatch('as_text', 'yishu')(expression)) }}
{%- endmacro %}

{% macro default__as_text(expression) -%}
    cast({{ expression }} as string)
{%- endmacro %}

{% macro duckdb__as_text(expression) -%}
    cast({{ expression }} as varchar)
{%- endmacro %}
