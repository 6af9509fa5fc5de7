with

source as (
    select
        id_number,
        full_name,
        insurance_kind,
        employer_code,
        employer_name,
        enrolled_on,
        enrolment_status,
        last_paid_month,
        contribution_base,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('human_resources', 'social_insurance_enrolment') }}
),

latest as (
    {{ latest_version('source', keys=['id_number', 'insurance_kind'], delivery='increment') }}
),

final as (
    select
        id_number,
        full_name,
        insurance_kind,
        employer_code,
        employer_name,
        enrolled_on,
        enrolment_status,
        last_paid_month,
        contribution_base,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
