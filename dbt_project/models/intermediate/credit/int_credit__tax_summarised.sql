{% set in_window = "paid_on <= {0} and paid_on > {0} - interval '12' month" %}
{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_rows('stg_taxation__tax_payment') }}
    union
    select unified_code  -- of what came into the window or left it with the date
    from {{ ref('stg_taxation__tax_payment') }}
    where
        ({{ in_window.format(built_date()) }}) <> ({{ in_window.format(business_date()) }})
{% endcall %}

with

tax_payments as (
    {{ only_changed(ref('stg_taxation__tax_payment'), 'unified_code') }}
),

recent as (
    select
        unified_code,
        tax_period,
        tax_due,
        tax_paid,
        paid_on,
        tax_paid >= tax_due
        and paid_on < cast(tax_period || '-01' as date)
        + interval '1' month
        + interval '{{ var("tax_due_day") }}' day as is_on_time
    from tax_payments
    where {{ in_window.format(business_date()) }}
),

final as (
    select
        unified_code,
        sum(tax_due) as tax_due_12_months_cny,
        sum(tax_paid) as tax_paid_12_months_cny,
        count(*) as tax_vouchers_12_months,
        count(*) filter (where is_on_time) as tax_vouchers_on_time_12_months,
        count(distinct tax_period) filter (where tax_paid > 0) as tax_months_paid_12_months,
        max(paid_on) filter (where tax_paid > 0) as tax_last_paid_on
    from recent
    group by unified_code
)

select * from final
