with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

verifications as (
    select * from {{ ref('enrolment_verification') }}
),

persons as (
    select * from {{ ref('int_population__golden_person_chosen') }}
),

counted as (
    select
        application_number,
        any_value(child_token) as child_token,
        count(*) as claim_count,
        count(*) filter (where verdict = 'verified') as verified_count,
        count(*) filter (where verdict = 'contradicted') as contradicted_count,
        count(*) filter (where verdict = 'no_record') as no_record_count
    from verifications
    group by application_number
),

without_claims as (
    select
        applications.application_number,
        persons.person_token as child_token
    from applications
    anti join counted on applications.application_number = counted.application_number
    inner join persons on applications.child_id_number = persons.id_number
),

final as (
    select
        applications.application_number,
        coalesce(counted.child_token, without_claims.child_token) as child_token,
        applications.school_division_code,
        applications.applied_on,
        coalesce(counted.claim_count, 0) as claim_count,
        coalesce(counted.verified_count, 0) as verified_count,
        coalesce(counted.contradicted_count, 0) as contradicted_count,
        coalesce(counted.no_record_count, 0) as no_record_count,
        case
            when counted.claim_count = counted.verified_count then 'documents_waived'
            else 'manual_review'
        end as outcome,
        coalesce(counted.verified_count, 0) as documents_waived_count
    from applications
    left join counted on applications.application_number = counted.application_number
    left join without_claims
        on applications.application_number = without_claims.application_number
)

select * from final
