{# What DuckDB does for the pattern of changed_keys.sql. #}

{% macro note_changed_keys(changed) -%}
    {%- call statement('note_changed_keys', auto_begin=false) -%}
        create or replace table changes.{{ this.name }}__keys as
        select distinct * from ({{ changed }}) as changed
    {%- endcall -%}
{%- endmacro %}

{# dbt asks for this macro by the name of the strategy: changed_keys. #}
{% macro get_incremental_changed_keys_sql(arg_dict) -%}
    {%- set target, new = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set keys, columns = arg_dict['unique_key'], arg_dict['dest_columns'] -%}
    {%- set names = columns | map(attribute='quoted') | join(', ') -%}
    {%- set changes = 'changes.' ~ target.name -%}
    {%- set same_key -%}
        {%- for key in keys -%}
            row_of.{{ key }} is not distinct from changed.{{ key }}{{ ' and ' if not loop.last }}
        {%- endfor -%}
    {%- endset -%}

    create or replace table {{ changes }} as
    with before_and_after as (  -- once through the rows: two `except` would hash each four times
        select
            {{ names }},
            -1 as _copies
        from {{ target }}
        where rowid in (  -- reads the key of every row, and the rest of the rows that are met
            select row_of.rowid
            from {{ target }} as row_of
            semi join {{ changes }}__keys as changed on {{ same_key }}
        )
        union all
        select
            {% for column in columns -%}
                cast({{ column.quoted }} as {{ column.data_type }}) as {{ column.quoted }},
            {% endfor %}
            1 as _copies
        from {{ new }}
    )

    select {{ names }}
    from before_and_after
    group by {{ names }}
    having sum(_copies) <> 0;

    delete from {{ target }} as row_of
    using (select distinct {{ keys | join(', ') }} from {{ changes }}) as changed
    where {{ same_key }};

    insert into {{ target }} ({{ names }})
    select {{ names }}
    from {{ new }} as row_of
    semi join {{ changes }} as changed on {{ same_key }}
{%- endmacro %}
