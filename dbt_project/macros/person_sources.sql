{# The datasets that speak of persons, the best first: a name or a date of birth is taken from the
   first that knows it. An application names two persons; the child's own comes first. #}
{% macro person_sources() -%}
    {{- return({
        9: ('public_security', 'resident'),
        8: ('public_security', 'residence_permit'),
        7: ('human_resources', 'social_insurance_enrolment'),
        6: ('natural_resources', 'real_estate'),
        5: ('market_regulation', 'enterprise'),
        4: ('education', 'enrolment_application'),
        3: ('education', 'enrolment_application'),
    }) -}}
{%- endmacro %}

{# The columns that say which source a row is of. #}
{% macro person_source_columns(rank) -%}
    {%- set department, dataset = person_sources()[rank] -%}
    {{ rank }} as source_rank,
        '{{ department }}' as department,
        '{{ dataset }}' as dataset
{%- endmacro %}

{# Of a preference (int_population__appearances_collected): the department or the dataset. #}
{% macro source_of_preference(preference, what) -%}
    case
        {%- for rank, source in person_sources().items() %}
        when {{ preference }} >= {{ rank }} * {{ rank_weight() }}
            then '{{ source[0] if what == "department" else source[1] }}'
        {%- endfor %}
    end
{%- endmacro %}
