-- Entities and the source rows that know them match, both ways.
with

sources as (
    select distinct unified_code from {{ ref('legal_entity_source') }}
)

select
    entities.unified_code as entity_code,
    sources.unified_code as source_code
from {{ ref('legal_entity') }} as entities
full outer join sources on entities.unified_code = sources.unified_code
where entities.unified_code is null or sources.unified_code is null
