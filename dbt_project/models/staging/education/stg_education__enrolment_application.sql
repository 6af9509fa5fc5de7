with

source as (
    select
        application_number,
        child_id_number,
        child_name,
        child_birth_date,
        guardian_id_number,
        guardian_name,
        guardian_relation,
        guardian_phone,
        school_division_code,
        claimed_household_division,
        claimed_unit_number,
        claimed_permit_number,
        claims_social_insurance,
        claimed_licence_code,
        claims_tax_payment,
        applied_on,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('education', 'enrolment_application') }}
),

latest as (
    {{ latest_version('source', keys=['application_number'], delivery='full') }}
),

final as (
    select
        application_number,
        child_id_number,
        child_name,
        child_birth_date,
        guardian_id_number,
        guardian_name,
        guardian_relation,
        guardian_phone,
        school_division_code,
        claimed_household_division,
        claimed_unit_number,
        claimed_permit_number,
        claims_social_insurance,
        claimed_licence_code,
        claims_tax_payment,
        applied_on,
        _delivery_id,
        _business_date,
        _line_number,
        _flags,
        _since_delivery_id,
        _since_business_date,
        _since_line_number
    from latest
)

select * from final
