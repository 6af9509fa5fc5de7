with

residents as (
    select * from {{ ref('stg_public_security__resident') }}
),

permits as (
    select * from {{ ref('stg_public_security__residence_permit') }}
),

insurances as (
    select * from {{ ref('stg_human_resources__social_insurance_enrolment') }}
),

real_estates as (
    select * from {{ ref('stg_natural_resources__real_estate') }}
),

enterprises as (
    select * from {{ ref('stg_market_regulation__enterprise') }}
),

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

appearances as (
    select
        id_number,
        'public_security' as department,
        'resident' as dataset,
        'resident' as person_role,
        '9' as source_rank,
        full_name,
        birth_date,
        {{ as_text("null") }} as phone,
        registration_status = '正常' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from residents
    union all
    select
        id_number,
        'public_security' as department,
        'residence_permit' as dataset,
        'permit_holder' as person_role,
        '8' as source_rank,
        full_name,
        cast(null as date) as birth_date,
        phone,
        valid_until >= {{ business_date() }} as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from permits
    union all
    select
        id_number,
        'human_resources' as department,
        'social_insurance_enrolment' as dataset,
        'insured' as person_role,
        '7' as source_rank,
        full_name,
        cast(null as date) as birth_date,
        {{ as_text("null") }} as phone,
        enrolment_status = '参保缴费' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from insurances
    union all
    select
        owner_id_number as id_number,
        'natural_resources' as department,
        'real_estate' as dataset,
        'owner' as person_role,
        '6' as source_rank,
        owner_name as full_name,
        cast(null as date) as birth_date,
        {{ as_text("null") }} as phone,
        right_status = '现势' and usage = '住宅' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from real_estates
    union all
    select
        legal_representative_id_number as id_number,
        'market_regulation' as department,
        'enterprise' as dataset,
        'legal_representative' as person_role,
        '5' as source_rank,
        legal_representative as full_name,
        cast(null as date) as birth_date,
        {{ as_text("null") }} as phone,
        enterprise_status = '在营' as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from enterprises
    union all
    select
        child_id_number as id_number,
        'education' as department,
        'enrolment_application' as dataset,
        'child' as person_role,
        '4' as source_rank,
        child_name as full_name,
        child_birth_date as birth_date,
        {{ as_text("null") }} as phone,
        true as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from applications
    union all
    select
        guardian_id_number as id_number,
        'education' as department,
        'enrolment_application' as dataset,
        'guardian' as person_role,
        '3' as source_rank,
        guardian_name as full_name,
        cast(null as date) as birth_date,
        guardian_phone as phone,
        true as is_current,
        _delivery_id,
        _business_date,
        _line_number
    from applications
),

final as (
    select
        id_number,
        department,
        dataset,
        person_role,
        full_name,
        birth_date,
        phone,
        is_current,
        source_rank || {{ row_order() }} as preference,
        _delivery_id,
        _business_date,
        _line_number
    from appearances
)

select * from final
