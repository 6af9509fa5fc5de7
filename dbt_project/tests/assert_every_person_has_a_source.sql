-- Nobody is made up and nobody is lost: persons and the rows that speak of them match.
with

sources as (
    select distinct person_token from {{ ref('person_source') }}
)

select
    persons.person_token as known_token,
    sources.person_token as source_token
from {{ ref('person') }} as persons
full outer join sources on persons.person_token = sources.person_token
where persons.person_token is null or sources.person_token is null
