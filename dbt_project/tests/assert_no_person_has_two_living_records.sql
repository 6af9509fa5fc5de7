-- One number, one living person, however the number is written (x or X); a number with blanks
-- around it could not be told. That no two share a token is the key test of the model. A build that
-- went on can break it by its new rows alone.
with

persons as (
    select
        persons.person_token,
        upper(persons.id_number) as id_number  -- to trim all of them takes ten times as long
    from {{ ref('person') }} as persons
    where not persons.is_deceased
),

new_rows as (
    select * from {{ rows_of_changed_keys(ref('person'), ['id_number']) }}
),

looked_at as (
    select persons.*
    from persons
    {% if goes_on_in_tests() -%}
        semi join new_rows on persons.id_number = upper(new_rows.id_number)
    {%- endif %}
)

select
    min(person_token) as person_token,
    count(*) as record_count
from looked_at
group by id_number
having count(*) > 1
union all
select
    person_token,
    1 as record_count
from new_rows
where id_number <> trim(id_number)
