{# What not_null and unique would ask in one scan per column: every key column is filled (but those
   in `nullable`, where a missing value is a value), and no key occurs twice. Numbers are grouped in
   half the time that the keys' texts take, so only keys whose hash occurs twice are looked at. #}
{% test unique_key(model, columns, nullable=[]) %}
    {%- set tested = changed_part(model, columns) -%}
    {%- set required = columns | reject('in', nullable) | list %}
    with

    repeated as (
        select {{ hash_of(columns) }} as key_hash
        from {{ tested }} as tested
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
    from {{ tested }} as tested
    where {{ required | join(' is null or ') }} is null
    {%- endif %}
{% endtest %}
