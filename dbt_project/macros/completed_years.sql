{# Whole years from one date to another, as people count an age; null where either is missing. #}
{% macro completed_years(from_date, to_date) -%}
    (
        extract(year from {{ to_date }}) - extract(year from {{ from_date }})
        - case
            when
                extract(month from {{ to_date }}) * 100 + extract(day from {{ to_date }})
                < extract(month from {{ from_date }}) * 100 + extract(day from {{ from_date }})
                then 1
            else 0
        end
    )
{%- endmacro %}
