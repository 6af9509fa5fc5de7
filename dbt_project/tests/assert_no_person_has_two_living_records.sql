-- One number, one living person, however the number is written (x or X). That no two share a token
-- is the key test of the model. A build that went on can break it by its new rows alone.
select
    min(person_token) as person_token,
    count(*) as record_count
from {{ ref('person') }}
where
    not is_deceased
    {%- if goes_on_in_tests() %}
    and upper(trim(id_number)) in (
        select upper(trim(new_rows.id_number))
        from {{ rows_of_changed_keys(ref('person')) }} as new_rows
    )
    {%- endif %}
group by upper(trim(id_number))
having count(*) > 1
