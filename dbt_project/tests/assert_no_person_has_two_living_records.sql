-- One number, one living person, however the number is written (x or X). That no two share a token
-- is the key test of the model. A build that went on can break it by its new rows alone.
with

persons as (
    select
        persons.person_token,
        upper(trim(persons.id_number)) as id_number
    from {{ ref('person') }} as persons
    where not persons.is_deceased
),

looked_at as (
    select persons.*
    from persons
    {% if goes_on_in_tests() -%}
        semi join {{ rows_of_changed_keys(ref('person'), ['id_number']) }} as new_rows
            on persons.id_number = upper(trim(new_rows.id_number))
    {%- endif %}
)

select
    min(person_token) as person_token,
    count(*) as record_count
from looked_at
group by id_number
having count(*) > 1
