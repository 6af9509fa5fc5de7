{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_keys('int_credit__contributions_counted') }}
{% endcall %}

with

months as (
    {{ only_changed(ref('int_credit__contributions_counted'), 'unified_code') }}
),

final as (
    select
        unified_code,
        cast(count(*) as integer) as months_with_employees,
        cast(sum(employees) as bigint) as employee_months,
        cast(max(employees) as bigint) as employees_in_largest_month,
        max_by(employees, payment_month) as employees_in_newest_month,
        max(payment_month) as newest_month,
        cast(sum(employees_paid_late) as bigint) as employee_months_paid_late
    from months
    group by unified_code
)

select * from final
