{# One scan for what not_null and unique would ask in one scan per column: every key column is
   filled (but those in `nullable`, where a missing value is a value), and no key occurs twice. #}
{% test unique_key(model, columns, nullable=[]) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ changed_part(model, columns) }} as tested
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns if column not in nullable %}
        or {{ column }} is null
        {%- endfor %}
{% endtest %}
