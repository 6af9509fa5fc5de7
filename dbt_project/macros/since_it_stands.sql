{#
    Since when each row of a full dataset stands as it is: the last CTEs and the query of
    latest_version.

    elected       a CTE: one row per key and date
    keys          the contract's primary key
    goes_on       whether but one newer date came since the last build, whose rows know since when
                  they stand; else all dates are looked at

    Two rows of a key are the same where all columns of the contract and the warnings (_flags) are; their
    64-bit hashes say so, because comparing the values of whole registers took twice as long. A date on
    which the key was not delivered, or otherwise, ends the time for which it stood.
#}
{% macro since_it_stands(elected, keys, goes_on) -%}
    dates as (  -- those of no rows count: nothing stands over a delivery that emptied all
        select
            business_date,
            row_number() over (order by business_date desc) - 1 as age
        from (select distinct business_date from deliveries) as dates
    ),

    aged as (
        select
            elected.*,
            dates.age,
            hash(*columns(
                elected.* exclude (_delivery_id, _business_date, _line_number, _sequence)
            )) as values_hash
        from {{ elected }} as elected
        inner join dates on elected._business_date = dates.business_date
    ),

    newest as (
        select * from aged where age = 0
    ),

    same as (
        select aged.*
        from aged
        semi join newest on
            {{ same_values('aged', 'newest', keys) }}
            and aged.values_hash = newest.values_hash
        where aged.age > 0
    ),

    {% if goes_on -%}
    stood as (
        select
            {{ (prefixed('rows_before', keys) + prefixed('rows_before', since_columns())) | join(', ') }}
        from rows_before
        semi join same on {{ same_values('rows_before', 'same', keys) }}
    )
    {%- else -%}
    without_gap as (
        select *
        from same
        qualify age = row_number() over (partition by {{ keys | join(', ') }} order by age)
    ),

    stood as (
        select
            {{ keys | join(', ') }},
            {%- for column in delivered_columns() %}
            max_by({{ column }}, age) as {{ since_columns()[loop.index0] }}{{ ',' if not loop.last }}
            {%- endfor %}
        from without_gap
        group by {{ keys | join(', ') }}
    )
    {%- endif %}

    select
        newest.*,
        {%- for column in delivered_columns() %}
        {%- set since = since_columns()[loop.index0] %}
        coalesce(stood.{{ since }}, newest.{{ column }}) as {{ since }}{{ ',' if not loop.last }}
        {%- endfor %}
    from newest
    left join stood on {{ same_values('newest', 'stood', keys) }}
{%- endmacro %}
