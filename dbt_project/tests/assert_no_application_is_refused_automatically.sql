-- A machine may waive documents; it may never refuse a family, nor waive what it could not verify.
select
    application_number,
    outcome
from {{ ref('enrolment_application') }}
where
    outcome is null
    or outcome not in ('documents_waived', 'manual_review')
    or (outcome = 'documents_waived' and (claim_count = 0 or verified_count < claim_count))
