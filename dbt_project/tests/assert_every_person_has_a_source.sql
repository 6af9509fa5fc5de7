-- Nobody is made up and nobody is lost: persons and the rows that speak of them match.
with

persons as (
    select persons.person_token
    from {{ ref('person') }} as persons
    {% if goes_on_in_tests() -%}
        semi join {{ changed_keys('person_source') }} as changed
            on persons.person_token = changed.person_token
    {%- endif %}
),

sources as (
    select distinct known.person_token
    from {{ changed_part(ref('person_source'), ['person_token']) }} as known
)

select
    persons.person_token as known_token,
    sources.person_token as source_token
from persons
full outer join sources on persons.person_token = sources.person_token
where persons.person_token is null or sources.person_token is null
