-- One number, one living person: however the number is written (x or X), and no two share a token.
with

living as (
    select
        person_token,
        upper(trim(id_number)) as number_as_meant
    from {{ ref('person') }}
    where not is_deceased
)

select
    min(person_token) as person_token,
    count(*) as record_count
from living
group by number_as_meant
having count(*) > 1
union all
select
    person_token,
    count(*) as record_count
from living
group by person_token
having count(*) > 1
