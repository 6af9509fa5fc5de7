with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

residents as (
    select * from {{ ref('stg_public_security__resident') }}
),

reasons as (
    select * from {{ ref('enrolment_reason') }}
),

judged as (
    select
        applications.application_number,
        case
            when residents.id_number is null then 'household_not_found'
            when residents.registration_status <> '正常' then 'household_not_in_force'
            when residents.division_code <> applications.claimed_household_division
                then 'household_elsewhere'
            else 'household_registered'
        end as reason_code
    from applications
    left join residents on applications.child_id_number = residents.id_number
    where applications.claimed_household_division is not null
),

final as (
    select
        judged.application_number,
        reasons.claim,
        reasons.verdict,
        reasons.reason_code,
        reasons.reason,
        'public_security' as evidence_department,
        'resident' as evidence_dataset
    from judged
    inner join reasons on judged.reason_code = reasons.reason_code
)

select * from final
