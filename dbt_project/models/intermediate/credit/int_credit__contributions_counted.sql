{% set all_months = months_have_moved() %}
{% call incremental_by(['unified_code', 'payment_month']) %}
    select
        employer_code as unified_code,
        payment_month
    from {{ changed_rows('stg_human_resources__social_insurance_payment') }}
    {% if all_months -%}
    union
    select
        payments.employer_code,
        payments.payment_month
    from {{ ref('stg_human_resources__social_insurance_payment') }} as payments
    where payments.payment_month in ({{ months_that_moved('payment_month', ref('stg_human_resources__social_insurance_payment')) }})
    {%- endif %}
{% endcall %}

with

{% if all_months -%}
payments as (
    select
        payments.employer_code as unified_code,
        payments.payment_month,
        payments.payment_kind
    from {{ ref('stg_human_resources__social_insurance_payment') }} as payments
    {{ only_changed(ref('stg_human_resources__social_insurance_payment'), ['payments.employer_code', 'payments.payment_month']) }}
),

recent as (
    select *
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
{%- else -%}
payments as (  -- within a month, what was counted and the rows that came and went say it all
    select
        employer_code as unified_code,
        payment_month,
        payment_kind,
        _copies as copies
    from {{ changed_rows('stg_human_resources__social_insurance_payment') }}
),

recent as (
    select *
    from payments
    where payment_month in ({{ months_of_last_year('payment_month', 'payments') }})
),

counted as (
    select
        counted.unified_code,
        counted.payment_month,
        counted.employees,
        counted.employees_paid_late
    from {{ this }} as counted
    {{ only_changed(this, ['counted.unified_code', 'counted.payment_month']) }}
    union all
    select
        unified_code,
        payment_month,
        copies as employees,
        if(payment_kind = '补缴', copies, 0) as employees_paid_late
    from recent
),

final as (
    select
        unified_code,
        payment_month,
        cast(sum(employees) as bigint) as employees,
        cast(sum(employees_paid_late) as bigint) as employees_paid_late
    from counted
    group by unified_code, payment_month
    having sum(employees) > 0
)
{%- endif %}

select * from final
