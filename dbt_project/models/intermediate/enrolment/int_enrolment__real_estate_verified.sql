with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

real_estates as (
    select * from {{ ref('stg_natural_resources__real_estate') }}
),

reasons as (
    select * from {{ ref('enrolment_reason') }}
),

found as (
    select
        applications.application_number,
        count(real_estates.unit_number) as owner_count,
        count(*) filter (where real_estates.owner_id_number = applications.guardian_id_number)
            as own_count,
        count(*) filter (
            where real_estates.owner_id_number = applications.guardian_id_number
            and real_estates.right_status = '现势'
        ) as own_current_count,
        count(*) filter (
            where real_estates.owner_id_number = applications.guardian_id_number
            and real_estates.right_status = '现势'
            and real_estates.usage = '住宅'
        ) as own_home_count
    from applications
    left join real_estates on applications.claimed_unit_number = real_estates.unit_number
    where applications.claimed_unit_number is not null
    group by applications.application_number
),

judged as (
    select
        application_number,
        case
            when owner_count = 0 then 'real_estate_not_found'
            when own_count = 0 then 'real_estate_owned_by_others'
            when own_current_count = 0 then 'real_estate_not_current'
            when own_home_count = 0 then 'real_estate_not_a_home'
            else 'real_estate_owned'
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
        'natural_resources' as evidence_department,
        'real_estate' as evidence_dataset
    from judged
    inner join reasons on judged.reason_code = reasons.reason_code
)

select * from final
