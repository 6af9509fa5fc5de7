-- As many verdicts as claims made, for each application: none lost in a join, none twice.
with

applications as (
    select
        application_number,
        case when claimed_household_division is not null then 1 else 0 end
        + case when claimed_unit_number is not null then 1 else 0 end
        + case when claimed_permit_number is not null then 1 else 0 end
        + case when claims_social_insurance = '是' then 1 else 0 end
        + case when claimed_licence_code is not null then 1 else 0 end
        + case when claims_tax_payment = '是' then 1 else 0 end as claim_count
    from {{ ref('stg_education__enrolment_application') }}
),

verdicts as (
    select
        application_number,
        count(*) as verdict_count
    from {{ ref('enrolment_verification') }}
    group by application_number
)

select
    applications.application_number,
    applications.claim_count,
    verdicts.verdict_count
from applications
full outer join verdicts on applications.application_number = verdicts.application_number
where coalesce(applications.claim_count, 0) <> coalesce(verdicts.verdict_count, 0)
