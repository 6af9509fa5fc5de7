with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

permits as (
    select * from {{ ref('stg_public_security__residence_permit') }}
),

reasons as (
    select * from {{ ref('enrolment_reason') }}
),

judged as (
    select
        applications.application_number,
        case
            when permits.permit_number is null then 'permit_not_found'
            when permits.id_number <> applications.guardian_id_number then 'permit_of_others'
            when permits.valid_until < applications.applied_on then 'permit_expired'
            else 'permit_valid'
        end as reason_code
    from applications
    left join permits on applications.claimed_permit_number = permits.permit_number
    where applications.claimed_permit_number is not null
),

final as (
    select
        judged.application_number,
        reasons.claim,
        reasons.verdict,
        reasons.reason_code,
        reasons.reason,
        'public_security' as evidence_department,
        'residence_permit' as evidence_dataset
    from judged
    inner join reasons on judged.reason_code = reasons.reason_code
)

select * from final
