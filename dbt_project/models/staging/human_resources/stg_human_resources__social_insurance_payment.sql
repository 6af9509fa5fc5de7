with

source as (
    select
        id_number,
        payment_month,
        employer_code,
        contribution_base,
        employer_amount,
        personal_amount,
        payment_kind,
        paid_on,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('human_resources', 'social_insurance_payment') }}
),

latest as (
    {{ latest_version('source', keys=['id_number', 'payment_month'], delivery='increment') }}
),

final as (
    select
        id_number,
        payment_month,
        employer_code,
        contribution_base,
        employer_amount,
        personal_amount,
        payment_kind,
        paid_on,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
