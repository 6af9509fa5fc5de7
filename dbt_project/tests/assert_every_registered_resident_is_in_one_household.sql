-- The members of all households are the registered residents, each once and in one age group.
with

households as (
    select
        coalesce(sum(member_count), 0) as member_count,
        coalesce(sum(minor_count + adult_under_60_count + aged_60_and_over_count), 0)
            as grouped_count
    from {{ ref('household') }}
),

residents as (
    select count(*) as resident_count
    from {{ ref('stg_public_security__resident') }}
    where registration_status = '正常'
)

select
    households.member_count,
    households.grouped_count,
    residents.resident_count
from households
cross join residents
where
    households.member_count <> residents.resident_count
    or households.grouped_count <> residents.resident_count
