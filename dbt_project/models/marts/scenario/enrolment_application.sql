{% call incremental_by(['application_number']) %}
    select application_number from {{ changed_rows('stg_education__enrolment_application') }}
    union
    select application_number from {{ changed_keys('int_enrolment__household_verified') }}
    union
    select application_number from {{ changed_keys('int_enrolment__real_estate_verified') }}
    union
    select application_number from {{ changed_keys('int_enrolment__residence_permit_verified') }}
    union
    select application_number from {{ changed_keys('int_enrolment__social_insurance_verified') }}
    union
    select application_number from {{ changed_keys('int_enrolment__business_licence_verified') }}
    union
    select application_number from {{ changed_keys('int_enrolment__tax_payment_verified') }}
{% endcall %}

with

applications as (
    {{ only_changed(ref('stg_education__enrolment_application'), 'application_number') }}
),

verifications as (
    {{ only_changed(ref('enrolment_verification'), 'application_number') }}
),

persons as (
    {{ only_referred_to(
        ref('int_population__golden_person_chosen'),
        'id_number',
        'applications',
        'child_id_number'
    ) }}
),

counted as (
    select
        application_number,
        count(*) as claim_count,
        count(*) filter (where verdict = 'verified') as verified_count,
        count(*) filter (where verdict = 'contradicted') as contradicted_count,
        count(*) filter (where verdict = 'no_record') as no_record_count
    from verifications
    group by application_number
),

final as (
    select
        applications.application_number,
        persons.person_token as child_token,
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
    left join persons on applications.child_id_number = persons.id_number
)

select * from final
