{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_rows('stg_market_regulation__enterprise') }}
    union
    select unified_code from {{ changed_keys('int_credit__tax_summarised') }}
    union
    select unified_code from {{ changed_keys('int_credit__electricity_summarised') }}
    union
    select unified_code from {{ changed_keys('int_credit__insurance_summarised') }}
    union
    select unified_code from {{ changed_keys('int_credit__records_summarised') }}
    union
    select unified_code  -- of whom a year was completed
    from {{ ref('stg_market_regulation__enterprise') }}
    where
        {{ completed_years('established_on', built_date()) }}
        <> {{ completed_years('established_on', business_date()) }}
{% endcall %}

with

enterprises as (
    {{ only_changed(ref('stg_market_regulation__enterprise'), 'unified_code') }}
),

persons as (
    {{ only_referred_to(
        ref('int_population__golden_person_chosen'),
        'id_number',
        'enterprises',
        'legal_representative_id_number'
    ) }}
),

taxes as (
    {{ only_changed(ref('int_credit__tax_summarised'), 'unified_code') }}
),

electricity as (
    {{ only_changed(ref('int_credit__electricity_summarised'), 'unified_code') }}
),

insurances as (
    {{ only_changed(ref('int_credit__insurance_summarised'), 'unified_code') }}
),

records as (
    {{ only_changed(ref('int_credit__records_summarised'), 'unified_code') }}
),

night as (
    select business_date from {{ source('meta', 'night') }}
),

final as (
    select
        enterprises.unified_code,
        enterprises.enterprise_name,
        enterprises.enterprise_kind,
        enterprises.enterprise_status,
        enterprises.industry_code,
        enterprises.division_code,
        enterprises.established_on,
        enterprises.cancelled_on,
        cast(
            {{ completed_years('enterprises.established_on', 'night.business_date') }} as integer
        ) as age_years,
        enterprises.registered_capital as registered_capital_10k_cny,
        persons.person_token as legal_representative_token,
        coalesce(taxes.tax_due_12_months_cny, 0) as tax_due_12_months_cny,
        coalesce(taxes.tax_paid_12_months_cny, 0) as tax_paid_12_months_cny,
        coalesce(taxes.tax_vouchers_12_months, 0) as tax_vouchers_12_months,
        coalesce(taxes.tax_months_paid_12_months, 0) as tax_months_paid_12_months,
        cast(taxes.tax_vouchers_on_time_12_months as double) / taxes.tax_vouchers_12_months
            as tax_on_time_share,
        taxes.tax_last_paid_on,
        coalesce(electricity.electricity_kwh_12_months, 0) as electricity_kwh_12_months,
        electricity.electricity_kwh_12_months_before,
        cast(
            electricity.electricity_kwh_12_months
            / nullif(electricity.electricity_kwh_12_months_before, 0) - 1 as double
        ) as electricity_kwh_change_share,
        coalesce(electricity.electricity_months_12_months, 0) as electricity_months_12_months,
        coalesce(electricity.electricity_due_12_months_cny, 0) as electricity_due_12_months_cny,
        coalesce(electricity.electricity_arrears_months_12_months, 0)
            as electricity_arrears_months_12_months,
        coalesce(electricity.electricity_arrears_12_months_cny, 0)
            as electricity_arrears_12_months_cny,
        coalesce(insurances.insured_employees_paying, 0) as insured_employees_paying,
        coalesce(insurances.insured_employees_suspended, 0) as insured_employees_suspended,
        coalesce(records.active_penalties, 0) as active_penalties,
        coalesce(records.active_severe_penalties, 0) as active_severe_penalties,
        coalesce(records.active_serious_dishonesty_records, 0)
            as active_serious_dishonesty_records,
        coalesce(records.active_tax_arrears_notices, 0) as active_tax_arrears_notices,
        coalesce(records.active_trustworthy_records, 0) as active_trustworthy_records,
        records.last_adverse_record_on
    from enterprises
    cross join night
    left join persons on enterprises.legal_representative_id_number = persons.id_number
    left join taxes on enterprises.unified_code = taxes.unified_code
    left join electricity on enterprises.unified_code = electricity.unified_code
    left join insurances on enterprises.unified_code = insurances.unified_code
    left join records on enterprises.unified_code = records.unified_code
)

select * from final
