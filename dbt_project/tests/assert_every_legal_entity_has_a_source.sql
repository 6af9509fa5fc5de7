-- Entities and the source rows that know them match, both ways.
with

entities as (
    select known.unified_code
    from {{ changed_part(ref('legal_entity'), ['unified_code']) }} as known
),

sources as (
    select distinct known.unified_code
    from {{ changed_part(ref('legal_entity_source'), ['unified_code']) }} as known
)

select
    entities.unified_code as entity_code,
    sources.unified_code as source_code
from entities
full outer join sources on entities.unified_code = sources.unified_code
where entities.unified_code is null or sources.unified_code is null
