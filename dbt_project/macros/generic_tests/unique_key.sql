{# What not_null and unique would ask in one scan per column: every key column is filled (but those
   in `nullable`, where a missing value is a value), and no key occurs twice. Numbers are grouped in
   half the time that the keys' texts take, so only keys whose hash occurs twice are looked at.

   Of a model that went on from the last build only its new rows can break the rule, and only they
   and the rows of their keys are looked at. #}
{% test unique_key(model, columns, nullable=[]) %}
    {%- set tested = changed_part(model, columns) -%}
    {%- set new_rows = rows_of_changed_keys(model, columns) -%}
    {%- set has_other_keys = keys_that_changed(model) | reject('in', columns) | list -%}
    {%- set required = columns | reject('in', nullable) | list %}
    with

    repeated as (
        select {{ hash_of(columns) }} as key_hash
        from {{ tested }} as tested
        {%- if has_other_keys %}
        where
            {{ hash_of(columns) }}
            in (select {{ hash_of(columns) }} from {{ new_rows }} as new_rows)
        {%- endif %}
        group by {{ hash_of(columns) }}
        having count(*) > 1
    )

    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ tested }} as tested
    where {{ hash_of(columns) }} in (select repeated.key_hash from repeated)
    group by {{ columns | join(', ') }}
    having count(*) > 1
    {%- if required %}
    union all
    select
        {{ columns | join(', ') }},
        1 as row_count
    from {{ new_rows }} as new_rows
    where {{ required | join(' is null or ') }} is null
    {%- endif %}
{% endtest %}
