{#
    Models whose rows follow what changed: the one pattern (docs/incremental.md).

    A model says by which columns its rows hang together (`keys`) and which keys a night changes
    (`changed`, a query over the changed rows of what it reads):

        {% call incremental_by(['id_number']) %}
            select id_number from {{ changed_rows('stg_public_security__resident') }}
        {% endcall %}

        residents as (
            {{ only_changed(ref('stg_public_security__resident'), 'id_number') }}
        )

    On a whole build the query is not asked and all rows are taken: the model is what it would
    be without this pattern. On a build that goes on from the last one the keys lie in the table
    changes.<model>__keys, the model computes the rows of these keys alone, and the strategy
    `changed_keys` puts them in the place of the former ones. A model that reads this one asks for
    its keys (`changed_keys(model)`).

    Staging has a strategy of its own, `changed_rows`: only rows that differ are replaced, and they
    lie in changes.<model> as they were and as they are, because other models hang on more columns
    than the key (`changed_rows(model)`).

    Every table of the schema `changes` is written anew by the build that reads it. Whether a build
    goes on or is whole is decided outside (pipelines/last_build.py): never after a build that did
    not end well.
#}

{% macro incremental_by(keys) -%}
    {%- do config(materialized='incremental', unique_key=keys) -%}
    {%- if model.resource_type != 'unit_test' -%}
        {%- set changed = caller() -%}  {# in any case, so that dbt sees what it refers to #}
        {%- if goes_on() and flags.WHICH in ('build', 'run') -%}
            {%- do note_changed_keys(changed) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# The rows that this build changed in a staging model: as they were and as they are. #}
{% macro changed_rows(model_name) -%}
    changes.{{ model_name }}
{%- endmacro %}

{# The keys that this build looked at in a model, whether their rows changed or not. #}
{% macro changed_keys(model_name) -%}
    changes.{{ model_name }}__keys
{%- endmacro %}

{# The business date from which a build goes on. #}
{% macro built_date() -%}
    (select built_night.business_date from meta.built_night as built_night)
{%- endmacro %}

{# For a view that several models of the same keys read: the first of them looks for the rows of the
   changed keys, by the view's own query, and all of them read what it found (`new_rows`). #}
{% macro keep_new_rows(view) -%}
    {%- if model.resource_type != 'unit_test' -%}
        {%- set query = caller() -%}
        {%- if goes_on() and flags.WHICH in ('build', 'run') -%}
            {%- call statement('keep_new_rows', auto_begin=false) -%}
                create or replace table changes.{{ view.identifier }}__new as
                {{ query }}
            {%- endcall -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Of a model, or a view whose rows are kept, those of its changed keys; for models of the same keys. #}
{% macro new_rows(relation) -%}
    {%- if goes_on() -%}
        changes.{{ relation.identifier }}__new
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# Of a table the rows of the changed keys; `columns` are its own, in the keys' order. #}
{% macro only_changed(table, columns) -%}
    {%- if goes_on() -%}
        {%- set columns = [columns] if columns is string else columns -%}
        {{ rows_of_keys(table, columns, 'changes.' ~ this.name ~ '__keys', config.get('unique_key')) }}
    {%- else -%}
        select * from {{ table }}
    {%- endif -%}
{%- endmacro %}

{# Of a table all rows; on a build that goes on those to which a CTE of few rows refers. #}
{% macro only_referred_to(table, column, cte, referring) -%}
    {%- if goes_on() -%}
        {{ rows_of_keys(table, [column], cte, [referring]) }}
    {%- else -%}
        select * from {{ table }}
    {%- endif -%}
{%- endmacro %}
