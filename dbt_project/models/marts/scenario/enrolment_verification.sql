with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

persons as (
    select * from {{ ref('int_population__golden_person_chosen') }}
),

deliveries as (
    select * from {{ source('meta', 'delivery') }}
),

verified_claims as (
    select * from {{ ref('int_enrolment__household_verified') }}
    union all
    select * from {{ ref('int_enrolment__real_estate_verified') }}
    union all
    select * from {{ ref('int_enrolment__residence_permit_verified') }}
    union all
    select * from {{ ref('int_enrolment__social_insurance_verified') }}
    union all
    select * from {{ ref('int_enrolment__business_licence_verified') }}
    union all
    select * from {{ ref('int_enrolment__tax_payment_verified') }}
),

evidence_dates as (
    select
        department,
        dataset,
        max(business_date) as evidence_as_of
    from deliveries
    where status = 'loaded'
    group by department, dataset
),

final as (
    select
        verified_claims.application_number,
        persons.person_token as child_token,
        verified_claims.claim,
        verified_claims.verdict,
        verified_claims.reason_code,
        verified_claims.reason,
        verified_claims.evidence_department,
        verified_claims.evidence_dataset,
        evidence_dates.evidence_as_of
    from verified_claims
    inner join applications
        on verified_claims.application_number = applications.application_number
    left join persons on applications.child_id_number = persons.id_number
    left join evidence_dates
        on
            verified_claims.evidence_department = evidence_dates.department
            and verified_claims.evidence_dataset = evidence_dates.dataset
)

select * from final
