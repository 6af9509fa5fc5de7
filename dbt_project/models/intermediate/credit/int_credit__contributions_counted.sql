{% call incremental_by(['unified_code', 'payment_month']) %}
    select
        employer_code as unified_code,
        payment_month
    from {{ changed_rows('stg_human_resources__social_insurance_payment') }}
    union
    select
        payments.employer_code,
        payments.payment_month
    from {{ ref('stg_human_resources__social_insurance_payment') }} as payments
    where payments.payment_month in ({{ months_that_moved('payment_month', ref('stg_human_resources__social_insurance_payment')) }})
{% endcall %}

with

payments as (
    select payments.*
    from {{ ref('stg_human_resources__social_insurance_payment') }} as payments
    {{ only_changed(['payments.employer_code', 'payments.payment_month']) }}
),

recent as (
    select
        employer_code as unified_code,
        payment_month,
        payment_kind
    from payments
    where
        payment_month in (
            {{ months_of_last_year(
                'payment_month', ref('stg_human_resources__social_insurance_payment')
            ) }}
        )
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
