with

payments as (
    select * from {{ ref('stg_human_resources__social_insurance_payment') }}
),

recent as (
    select
        employer_code as unified_code,
        payment_month,
        payment_kind
    from payments
    where
        cast(payment_month || '-01' as date) <= {{ business_date() }}
        and cast(payment_month || '-01' as date) > {{ business_date() }} - interval '12' month
),

final as (
    select
        unified_code,
        payment_month,
        count(*) as employees,
        count(*) filter (where payment_kind = '补缴') as employees_paid_late
    from recent
    group by unified_code, payment_month
)

select * from final
