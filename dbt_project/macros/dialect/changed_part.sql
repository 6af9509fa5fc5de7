{# For tests: of a model that this build changed by its keys, the rows of these keys; else all.

   What a build leaves as it was has been tested when it was built. The rows suffice where the test
   asks of rows of one key alone; `columns` are those that it groups by. #}
{% macro changed_part(relation, columns) -%}
    {%- set keys = keys_that_changed(relation) -%}
    {%- if keys and not keys | reject('in', columns) | list -%}
        {{ rows_of_changed_keys(relation, columns) }}
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# The same, for tests that look for the partners of these rows elsewhere in the model, with some of
   their columns. Staging leaves those of the keys (strategy.sql). #}
{% macro rows_of_changed_keys(relation, columns) -%}
    {%- set node = node_that_went_on(relation) -%}
    {%- set keys = node.config.unique_key if node else [] -%}
    {%- if node and ('staging' not in node.fqn or not columns | reject('in', keys) | list) -%}
        changes.{{ relation.identifier }}__new
    {%- elif node -%}
        (
            {{ rows_of_keys(relation, keys, 'changes.' ~ relation.identifier ~ '__keys', keys) }}
        )
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# The columns by which this build changed a model; none where it built the whole of it. #}
{% macro keys_that_changed(relation) -%}
    {%- set node = node_that_went_on(relation) -%}
    {{- return(node.config.unique_key if node else []) -}}
{%- endmacro %}

{# The model that this build changed by its keys; none where it built the whole of it. #}
{% macro node_that_went_on(relation) -%}
    {%- set found = [] -%}
    {%- if goes_on_in_tests() -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.name == relation.identifier
            and node.config.materialized == 'incremental' -%}
            {%- do found.append(node) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(found | first) -}}
{%- endmacro %}

{# Whether the build at hand goes on from the last one; a `dbt test` by hand looks at all rows. #}
{% macro goes_on_in_tests() -%}
    {{- return(execute and flags.WHICH == 'build' and not flags.FULL_REFRESH) -}}
{%- endmacro %}
