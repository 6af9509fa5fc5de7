{#
    The rows of `relation` (a CTE over a raw table) that are in force: one per key.

    keys           the contract's primary key; may be empty for a full dataset
    delivery       'increment': the newest row of each key, over all deliveries
                   'full': the rows of the newest business date alone, then the newest of each key
                   'change_log': as an increment, then without the keys whose newest row deletes
    change_column  of a change log: the column that says what happened
    delete_values  of a change log: its values that delete

    Newest: by business date, then by the number of the part (resident_20260305_2.csv), then by
    the order in which deliveries were taken up. A file that comes late never wins over a later
    date. The newest date of a full dataset is that of its newest loaded delivery, even one of no
    rows.

    Where one delivery holds a key twice, which is a fault (rule key_unique), its first row is in
    force and the copies after it are the department's to remove. In a change log it is none: the
    last line is in force.

    The dataset is that of the model, stg_<department>__<dataset> (in a unit test, of the model
    that it tests).

    Only keys that occur more than once are ranked: most occur once, and sorting a whole register
    takes as long as all the rest of staging.

    A full dataset with a key is delivered again as a whole, most of its rows as they were. Each of
    its rows also says since when it stands as it is, in _since_delivery_id, _since_business_date and
    _since_line_number: the first of the dates, without a gap up to the newest, on which the key was
    delivered with the same values (since_it_stands.sql).

    A dataset with a key is built by the keys that changed (macros/incremental): those of the
    deliveries that came into force or went out of it since the last build. Where deliveries only
    came, their rows stand for election against the rows in force; the older ones have lost already.
    Otherwise the keys are looked up in all deliveries: a change log keeps no row of what it deleted,
    and of a full dataset whose deliveries are others every key may have changed.
#}
{% macro latest_version(relation, keys, delivery, change_column=none, delete_values=[]) -%}
    {%- set node = model.tested_node_unique_id or model.unique_id -%}
    {%- set dataset = node.split('.')[-1] | replace('stg_', '', 1) -%}
    {%- set against_rows_in_force = false -%}
    {%- set since = keys and delivery == 'full' -%}  {# whether rows say since when they stand #}
    {%- set elected_by = keys + ['_business_date'] if since else keys -%}
    {%- if keys -%}
        {%- do config(
            materialized='incremental', incremental_strategy='changed_rows', unique_key=keys
        ) -%}
        {%- if goes_on() -%}
            {%- set against_rows_in_force = note_changed_deliveries(dataset, keys, delivery) -%}
        {%- endif -%}
    {%- endif -%}
    with

    deliveries as (
        select
            delivery_id,
            business_date,
            part,
            sequence
        from {{ source('meta', 'delivery') }}
        where
            department || '__' || dataset = '{{ dataset }}'
            and status = 'loaded'
            and superseded_by is null
    ),

    in_force as (
        {%- if against_rows_in_force and not since %}
        {{ rows_in_force_and_new_rows(relation, dataset) }}
        {%- else %}
        select {{ relation }}.*
        from {{ relation }}
        {%- if goes_on() %}
        {{ having_keys(prefixed(relation, keys), 'changes.' ~ this.name ~ '__keys', keys) }}
        {%- endif %}
        {%- if since and against_rows_in_force %}
        where {{ relation }}._business_date >= {{ newest_date(dataset, 'meta.built_in_force') }}
        {%- elif delivery == 'full' and not since %}
        where
            {{ relation }}._business_date
            = (select max(newest.business_date) from deliveries as newest)
        {%- endif %}
        {%- endif %}
    )
    {%- if keys %},

    repeated as (
        select {{ elected_by | join(', ') }}
        from in_force
        group by {{ elected_by | join(', ') }}
        having count(*) > 1
    ),

    newest_of_each_key as (
        select *
        from in_force
        anti join repeated using ({{ elected_by | join(', ') }})
        union all
        select in_force.*
        from in_force
        semi join repeated using ({{ elected_by | join(', ') }})
        left join deliveries on deliveries.delivery_id = in_force._delivery_id
        qualify
            row_number() over (
                partition by {{ prefixed('in_force', elected_by) | join(', ') }}
                order by
                    in_force._business_date desc,
                    deliveries.part desc nulls last,
                    in_force._sequence desc,
                    in_force._line_number{{ ' desc' if delivery == 'change_log' }}
            ) = 1
    )
    {%- if since %},

    {{ since_it_stands('newest_of_each_key', keys, against_rows_in_force) }}
    {%- else %}

    select * from newest_of_each_key
    {%- endif %}
    {%- if delivery == 'change_log' %}
    where
        {{ change_column }} not in (
            {%- for value in delete_values %}'{{ value | replace("'", "''") }}'{{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- endif %}
    {%- else %}

    select * from in_force
    {%- endif %}
{%- endmacro %}
