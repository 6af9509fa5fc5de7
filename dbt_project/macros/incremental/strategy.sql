{# What DuckDB does for the pattern of changed_keys.sql. #}

{% macro note_changed_keys(changed) -%}
    {%- call statement('note_changed_keys', auto_begin=false) -%}
        create or replace table changes.{{ this.name }}__keys as
        select distinct * from ({{ changed }}) as changed
    {%- endcall -%}
{%- endmacro %}

{# The rows of the changed keys as they were, for the model and for the strategy changed_rows: one
   look at the key of every row. The transaction that it opens is the model's own; until it ends no
   checkpoint moves a row, and `row_number` says where each lies. #}
{% macro keep_rows_before(keys) -%}
    {%- call statement('keep_rows_before') -%}
        create or replace temp table rows_before as
        select
            row_of.rowid as row_number,
            row_of.*
        from {{ this }} as row_of
        where {{ lies_where(this, keys, 'changes.' ~ this.name ~ '__keys', keys) }}
    {%- endcall -%}
{%- endmacro %}

{# The rows of a table that have one of the keys. In two steps: the columns of the keys alone say where
   these rows lie, and DuckDB then reads the other columns of no other row. Materialized, or it would
   take the steps for one join, and put what the model asks of the rows before it. #}
{% macro rows_of_keys(table, columns, key_table, keys) -%}
    with found as materialized (
        select row_of.*
        from {{ table }} as row_of
        where {{ lies_where(table, columns, key_table, keys) }}
    )

    select * from found
{%- endmacro %}

{% macro lies_where(table, columns, key_table, keys) -%}
    row_of.rowid in (
        select row_of.rowid
        from {{ table }} as row_of
        {{ having_keys(prefixed('row_of', columns), key_table, keys) }}
    )
{%- endmacro %}

{% macro having_keys(columns, key_table, keys) -%}
    semi join {{ key_table }} as keys_of
    on {% for column in columns -%}
        {{ column }} is not distinct from keys_of.{{ keys[loop.index0] }}
        {{- ' and ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# dbt asks for this macro by the name of the strategy: changed_keys.

   The rows of the keys that were looked at make room for those computed anew, whether they differ
   or not: what looks at keys has compared before, in staging. They are left in changes.<model>__new
   for models of the same keys, publishing and tests, which would else look for them among all
   rows. #}
{% macro get_incremental_changed_keys_sql(arg_dict) -%}
    {%- set target, new = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set names = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set changes = 'changes.' ~ target.name -%}

    create or replace table {{ changes }} as
    select * from {{ changes }}__keys;

    delete from {{ target }} as row_of
    using {{ changes }} as changed
    where {{ same_values('row_of', 'changed', arg_dict['unique_key']) }};

    insert into {{ target }} ({{ names }})
    select {{ names }}
    from {{ new }};

    {{ table_for_a_night(changes ~ '__new', arg_dict['dest_columns']) }};

    insert into {{ changes }}__new
    select {{ names }}
    from {{ new }}
{%- endmacro %}

{# A table of many rows that the next night replaces: to compress it costs more than to read it. #}
{% macro table_for_a_night(name, columns, with_copies=false) -%}
    create or replace table {{ name }} (
        {%- for column in columns %}
        {{ column.quoted }} {{ column.data_type }} using compression uncompressed
        {{- ',' if with_copies or not loop.last }}
        {%- endfor %}
        {%- if with_copies %}
        _copies integer
        {%- endif %}
    )
{%- endmacro %}

{# The strategy of staging, changed_rows: rows that are delivered again as they were stay, and what
   differed is told as it was and as it is, because others hang on columns besides the key; `_copies`
   is negative of a row that is no more. The rows that took their place are left for tests
   (changes.<model>__new), which would else look for them among all rows.

   A full dataset is delivered again every time: that a row came with another delivery and line is no
   difference while it stands as it was (since_it_stands.sql), but the row says so. #}
{% macro get_incremental_changed_rows_sql(arg_dict) -%}
    {%- set target, new = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set keys, columns = arg_dict['unique_key'], arg_dict['dest_columns'] -%}
    {%- set names = columns | map(attribute='quoted') | join(', ') -%}
    {%- set changes = 'changes.' ~ target.name -%}
    {%- set same_key = same_values('row_of', 'changed', keys) -%}
    {%- set all_names = columns | map(attribute='name') | list -%}
    {%- set since = since_columns()[0] in all_names -%}
    {%- if since -%}
        {%- set columns = columns | rejectattr('name', 'in', delivered_columns()) | list -%}
    {%- endif -%}
    {%- set compared = columns | map(attribute='quoted') | join(', ') -%}

    {{ table_for_a_night(changes, columns, with_copies=true) }};

    insert into {{ changes }}
    -- two `except` would hash each row four times
    with before_and_after as {{ 'not materialized' if since }} (
        select
            {{ compared }},
            -1 as _copies
        from rows_before
        union all
        select
            {% for column in columns -%}
                cast({{ column.quoted }} as {{ column.data_type }}) as {{ column.quoted }},
            {% endfor %}
            1 as _copies
        from {{ new }}
    )
    {%- if since %},

    differing as (  -- most rows stand as they were: their hashes say so sooner than their values
        select hash({{ compared }}) as row_hash
        from before_and_after
        group by row_hash
        having sum(_copies) <> 0
    )
    {%- endif %}

    select
        {{ compared }},
        sum(_copies) as _copies
    from before_and_after
    {%- if since %}
    where hash({{ compared }}) in (select differing.row_hash from differing)
    {%- endif %}
    group by {{ compared }}
    having sum(_copies) <> 0;

    delete from {{ target }}
    where rowid in (
        select row_of.row_number
        from rows_before as row_of
        semi join {{ changes }} as changed on {{ same_key }}
    );
    {%- if since %}

    update {{ target }} as stands set
        {%- for column in delivered_columns() %}
        {{ column }} = delivered.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            row_of.row_number,
            {{ prefixed('newest', delivered_columns()) | join(', ') }}
        from rows_before as row_of
        inner join {{ new }} as newest on {{ same_values('row_of', 'newest', keys) }}
    ) as delivered
    where stands.rowid = delivered.row_number;
    {%- endif %}

    insert into {{ target }} ({{ names }})
    select {{ names }}
    from {{ new }} as row_of
    semi join {{ changes }} as changed on {{ same_key }};

    create or replace table {{ changes }}__new as
    select {{ keys | join(', ') }}
    from {{ new }} as row_of
    semi join {{ changes }} as changed on {{ same_key }};

    drop table rows_before
{%- endmacro %}
