-- Nobody is made up and nobody is lost: persons and the rows that speak of them match. A build that
-- went on asks of the persons whose rows came or went; whoever has a new row has a source.
with

{% if goes_on_in_tests() -%}
    looked_at as (
        select person_token from {{ changed_keys('int_population__golden_person_chosen') }}
    ),

    persons as (
        select person.person_token
        from {{ rows_of_changed_keys(ref('person'), ['person_token']) }} as person
        semi join looked_at on person.person_token = looked_at.person_token
    ),

    new_sources as (
        select distinct person_token
        from {{ rows_of_changed_keys(ref('person_source'), ['person_token']) }}
    ),

    without_new_source as (
        select looked_at.person_token
        from looked_at
        anti join new_sources on looked_at.person_token = new_sources.person_token
    ),

    sources as (
        select person_token from new_sources
        union all
        select distinct known.person_token
        from {{ ref('person_source') }} as known
        semi join without_new_source on known.person_token = without_new_source.person_token
    )
{%- else -%}
    persons as (
        select person_token from {{ ref('person') }}
    ),

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
