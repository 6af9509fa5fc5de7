{#
    For models that count and sum by keys and month, of the last year: within a month, what was counted
    and the rows that came and went say it all, and no other row is looked at.

        rows_of as ({{ came_and_went('stg_…', ['code', 'month']) }})

    gives the rows that came, with _copies = 1, and those that went, with -1; the model multiplies what
    it adds up by _copies. Where months have moved, and on a whole build, all rows of the keys came, and
    `and_counted_before` adds nothing.
#}
{% macro came_and_went(model_name, columns) -%}
    {%- if months_have_moved() -%}
        select
            *,
            1 as _copies
        from ({{ only_changed(ref(model_name), columns) }}) as came
    {%- else -%}
        select * from {{ changed_rows(model_name) }}
    {%- endif -%}
{%- endmacro %}

{# The months of these rows that are in the last year. #}
{% macro months_that_count(model_name, month) -%}
    {%- set rows = ref(model_name) if months_have_moved() else changed_rows(model_name) -%}
    {{ months_of_last_year(month, rows) }}
{%- endmacro %}

{# What the last build made of the keys; `columns` are those of the model, in its order. #}
{% macro and_counted_before(columns) -%}
    {%- if not months_have_moved() -%}
        union all
        select
            {{ columns | join(',
            ') }}
        from ({{ only_changed(this, config.get('unique_key')) }}) as counted_before
    {%- endif -%}
{%- endmacro %}

{# For `incremental_by`: the rows of the months that entered the last year or left it. #}
{% macro rows_of_moved_months(model_name, month) -%}
    (
        select *
        from {{ ref(model_name) }}
        where {% if months_have_moved() -%}
            {{ month }} in ({{ months_that_moved(month, ref(model_name)) }})
        {%- else -%}
            false
        {%- endif %}
    )
{%- endmacro %}
