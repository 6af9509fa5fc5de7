{#
    The rows of `relation` (a CTE over a raw table) that are in force: one per key.

    keys      the contract's primary key; may be empty for a full dataset
    delivery  'increment': the newest row of each key, over all deliveries
              'full': the rows of the newest business date alone, then the newest of each key

    Where one delivery holds a key twice, which is a fault (rule key_unique), its first row is in
    force and the copies after it are the department's to remove.

    Only keys that occur more than once are ranked: most occur once, and sorting a whole register
    takes as long as all the rest of staging.
#}
{% macro latest_version(relation, keys, delivery) -%}
    with

    in_force as (
        select *
        from {{ relation }}
        {%- if delivery == 'full' %}
        where _business_date = (select max(newest._business_date) from {{ relation }} as newest)
        {%- endif %}
    )
    {%- if keys %},

    repeated as (
        select {{ keys | join(', ') }}
        from in_force
        group by {{ keys | join(', ') }}
        having count(*) > 1
    )

    select *
    from in_force
    anti join repeated using ({{ keys | join(', ') }})
    union all
    select *
    from in_force
    semi join repeated using ({{ keys | join(', ') }})
    qualify
        row_number() over (
            partition by {{ keys | join(', ') }}
            order by _business_date desc, _sequence desc, _line_number
        ) = 1
    {%- else %}

    select * from in_force
    {%- endif %}
{%- endmacro %}
