{# A number of 64 bits that is the same for the same values, missing ones included. #}
{% macro hash_of(columns) -%}
    {{ return(adapter.dispatch('hash_of', 'yishu')(columns)) }}
{%- endmacro %}

{% macro default__hash_of(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}

{% macro duckdb__hash_of(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}
