with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

enterprises as (
    select * from {{ ref('stg_market_regulation__enterprise') }}
),

reasons as (
    select * from {{ ref('enrolment_reason') }}
),

judged as (
    select
        applications.application_number,
        case
            when enterprises.unified_code is null then 'licence_not_found'
            when enterprises.legal_representative_id_number <> applications.guardian_id_number
                then 'licence_of_others'
            when enterprises.enterprise_status <> '在营' then 'licence_not_operating'
            else 'licence_held'
        end as reason_code
    from applications
    left join enterprises on applications.claimed_licence_code = enterprises.unified_code
    where applications.claimed_licence_code is not null
),

final as (
    select
        judged.application_number,
        reasons.claim,
        reasons.verdict,
        reasons.reason_code,
        reasons.reason,
        'market_regulation' as evidence_department,
        'enterprise' as evidence_dataset
    from judged
    inner join reasons on judged.reason_code = reasons.reason_code
)

select * from final
