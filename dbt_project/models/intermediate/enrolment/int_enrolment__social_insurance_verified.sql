with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

insurances as (
    select * from {{ ref('stg_human_resources__social_insurance_enrolment') }}
),

reasons as (
    select * from {{ ref('enrolment_reason') }}
),

found as (
    select
        applications.application_number,
        count(insurances.id_number) as enrolment_count,
        count(*) filter (where insurances.enrolment_status = '参保缴费') as paying_count
    from applications
    left join insurances on applications.guardian_id_number = insurances.id_number
    where applications.claims_social_insurance = '是'
    group by applications.application_number
),

judged as (
    select
        application_number,
        case
            when enrolment_count = 0 then 'insurance_not_found'
            when paying_count = 0 then 'insurance_not_paying'
            else 'insurance_paying'
        end as reason_code
    from found
),

final as (
    select
        judged.application_number,
        reasons.claim,
        reasons.verdict,
        reasons.reason_code,
        reasons.reason,
        'human_resources' as evidence_department,
        'social_insurance_enrolment' as evidence_dataset
    from judged
    inner join reasons on judged.reason_code = reasons.reason_code
)

select * from final
