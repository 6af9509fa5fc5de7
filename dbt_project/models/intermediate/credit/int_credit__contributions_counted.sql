{% set payments = 'stg_human_resources__social_insurance_payment' %}
{% call incremental_by(['unified_code', 'payment_month']) %}
    select
        employer_code as unified_code,
        payment_month
    from {{ changed_rows(payments) }}
    union
    select
        employer_code,
        payment_month
    from {{ rows_of_moved_months(payments, 'payment_month') }} as moved
{% endcall %}

with

payments as (
    {{ came_and_went(payments, ['employer_code', 'payment_month']) }}
),

recent as (
    select
        employer_code as unified_code,
        payment_month,
        payment_kind,
        _copies
    from payments
    where payment_month in ({{ months_that_count(payments, 'payment_month') }})
),

counted as (
    select
        unified_code,
        payment_month,
        sum(_copies) as employees,
        coalesce(sum(_copies) filter (where payment_kind = '补缴'), 0) as employees_paid_late
    from recent
    group by unified_code, payment_month
    {{ and_counted_before(
        ['unified_code', 'payment_month', 'employees', 'employees_paid_late']
    ) }}
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

select * from final
