with

applications as (
    select * from {{ ref('stg_education__enrolment_application') }}
),

tax_payments as (
    select * from {{ ref('stg_taxation__tax_payment') }}
),

reasons as (
    select * from {{ ref('enrolment_reason') }}
),

found as (
    select
        applications.application_number,
        count(tax_payments.voucher_number) as voucher_count,
        count(*) filter (where tax_payments.tax_paid > 0) as paid_count
    from applications
    left join tax_payments
        on
            applications.claimed_licence_code = tax_payments.unified_code
            and applications.applied_on >= tax_payments.paid_on
            and applications.applied_on - interval '12' month <= tax_payments.paid_on
    where applications.claims_tax_payment = '是'
    group by applications.application_number
),

judged as (
    select
        application_number,
        case
            when voucher_count = 0 then 'tax_not_found'
            when paid_count = 0 then 'tax_nothing_paid'
            else 'tax_paid'
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
        'taxation' as evidence_department,
        'tax_payment' as evidence_dataset
    from judged
    inner join reasons on judged.reason_code = reasons.reason_code
)

select * from final
