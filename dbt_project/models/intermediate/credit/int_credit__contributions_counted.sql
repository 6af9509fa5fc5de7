{% set all_months = months_have_moved() %}
{% call incremental_by(['unified_code', 'payment_month']) %}
    select
        employer_code as unified_code,
        payment_month
    from {{ changed_rows('stg_human_resources__social_insurance_payment') }}
    {{ and_of_moved_months(
        ref('stg_human_resources__social_insurance_payment'), 'employer_code', 'payment_month'
    ) }}
{% endcall %}

with

{% if all_months -%}
    payments as (
    {{ only_changed(
        ref('stg_human_resources__social_insurance_payment'), ['employer_code', 'payment_month']
    ) }}
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
{%- else -%}
    payments as (  -- within a month, what was counted and the rows that came and went say it all
        select
            employer_code as unified_code,
            payment_month,
            payment_kind,
            _copies as copies
        from {{ changed_rows('stg_human_resources__social_insurance_payment') }}
    ),

    counted_before as (
        {{ only_changed(this, ['unified_code', 'payment_month']) }}
    ),

    counted as (
        select
            unified_code,
            payment_month,
            employees,
            employees_paid_late
        from counted_before
        union all
        select
            unified_code,
            payment_month,
            copies as employees,
            if(payment_kind = '补缴', copies, 0) as employees_paid_late
        from payments
        where payment_month in ({{ months_of_last_year('payment_month', 'payments') }})
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
