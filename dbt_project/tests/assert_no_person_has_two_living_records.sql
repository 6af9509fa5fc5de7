-- One number, one living person, however the number is written (x or X). That no two share a token
-- is the key test of the model.
select
    min(person_token) as person_token,
    count(*) as record_count
from {{ ref('person') }}
where not is_deceased
group by upper(trim(id_number))
having count(*) > 1
