{# What sorts the rows of one dataset by age: business date, delivery, line. Text takes many times
   as long to compare, so deliveries are numbered, and a number of 17 digits sorts the rows. It
   holds within a night alone: never store it. #}

{# The loaded deliveries, numbered: delivery_id, delivery_order (a CTE's query). #}
{% macro numbered_deliveries() -%}
    select
        delivery_id,
        business_date,
        row_number() over (order by business_date, delivery_id) as delivery_order
    from {{ source('meta', 'delivery') }}
    where status = 'loaded'
{%- endmacro %}

{# The number, from the delivery's and the line's. #}
{% macro row_order(delivery_order='delivery_order', line_number='_line_number') -%}
    {{ delivery_order }} * {{ lines_of_a_delivery() }} + {{ line_number }}
{%- endmacro %}

{# More than any delivery has. #}
{% macro lines_of_a_delivery() -%}
    10000000000
{%- endmacro %}

{# More than any number of `row_order`: what the rank of a source weighs before the age of a row. #}
{% macro rank_weight() -%}
    100000000000000000
{%- endmacro %}
