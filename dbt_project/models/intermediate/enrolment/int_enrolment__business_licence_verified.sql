{% call incremental_by(['application_number']) %}
    select application_number from {{ changed_rows('stg_education__enrolment_application') }}
    union
    select applications.application_number  -- of whose evidence rows came or went
    from {{ ref('stg_education__enrolment_application') }} as applications
    semi join {{ changed_rows('stg_market_regulation__enterprise') }} as evidence
        on applications.claimed_licence_code = evidence.unified_code
{% endcall %}

with

applications as (
    {{ only_changed(ref('stg_education__enrolment_application'), 'application_number') }}
),

enterprises as (
    {{ only_referred_to(
        ref('stg_market_regulation__enterprise'),
        'unified_code',
        'applications',
        'claimed_licence_code'
    ) }}
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
