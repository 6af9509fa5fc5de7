{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_rows('stg_power_supply__electricity_usage') }}
    union
    select unified_code  -- a new month moves both years
    from {{ ref('stg_power_supply__electricity_usage') }}
    where
        date_trunc('month', {{ built_date() }}) <> date_trunc('month', {{ business_date() }})
{% endcall %}

with

electricity_usages as (
    {{ only_changed(ref('stg_power_supply__electricity_usage'), 'unified_code') }}
),

night as (
    select business_date from {{ source('meta', 'night') }}
),

dated as (
    select
        electricity_usages.unified_code,
        electricity_usages.usage_month,
        electricity_usages.usage_kwh,
        electricity_usages.amount_due,
        electricity_usages.amount_paid,
        electricity_usages.payment_status = '欠费' as is_in_arrears,
        cast(electricity_usages.usage_month || '-01' as date) as month_start,
        date_trunc('month', night.business_date) as current_month
    from electricity_usages
    cross join night
),

windowed as (
    select
        unified_code,
        usage_month,
        usage_kwh,
        amount_due,
        amount_paid,
        is_in_arrears,
        month_start >= current_month - interval '12' month as is_recent
    from dated
    where
        month_start < current_month
        and month_start >= current_month - interval '24' month
),

months as (  -- by month first: to count distinct months takes three times as long
    select
        unified_code,
        usage_month,
        is_recent,
        bool_or(is_in_arrears) as is_in_arrears,
        sum(usage_kwh) as usage_kwh,
        sum(amount_due) as amount_due,
        sum(amount_due - amount_paid) filter (where is_in_arrears) as arrears
    from windowed
    group by
        unified_code,
        usage_month,
        is_recent
),

final as (
    select
        unified_code,
        sum(usage_kwh) filter (where is_recent) as electricity_kwh_12_months,
        sum(usage_kwh) filter (where not is_recent) as electricity_kwh_12_months_before,
        count(*) filter (where is_recent) as electricity_months_12_months,
        count(*) filter (where is_recent and is_in_arrears)
            as electricity_arrears_months_12_months,
        sum(arrears) filter (where is_recent) as electricity_arrears_12_months_cny,
        sum(amount_due) filter (where is_recent) as electricity_due_12_months_cny
    from months
    group by unified_code
)

select * from final
