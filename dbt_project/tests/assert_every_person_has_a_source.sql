-- Nobody is made up and nobody is lost: persons and the rows that speak of them match. A build that
-- went on looks at the persons that it looked at; whoever has a new row has a source.
with

persons as (
    select person_token from {{ changed_part(ref('person'), ['person_token']) }}
),

{% if goes_on_in_tests() -%}
new_sources as (
    select distinct person_token from {{ changed_part(ref('person_source'), ['dataset', 'delivery_id', 'line_number']) }}
),

without_new_source as (
    select changed.person_token
    from {{ changed_keys('person') }} as changed
    anti join new_sources on changed.person_token = new_sources.person_token
),

sources as (
    select person_token from new_sources
    union all
    select distinct known.person_token
    from {{ ref('person_source') }} as known
    semi join without_new_source on known.person_token = without_new_source.person_token
)
{%- else -%}
sources as (
    select distinct person_token from {{ ref('person_source') }}
)
{%- endif %}

select
    persons.person_token as known_token,
    sources.person_token as source_token
from persons
full outer join sources on persons.person_token = sources.person_token
where persons.person_token is null or sources.person_token is null
