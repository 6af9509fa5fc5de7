{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_keys('int_legal_entity__appearances_collected') }}
{% endcall %}

with

appearances as (
    select * from {{ new_rows(ref('int_legal_entity__appearances_collected')) }}
),

deliveries as (
    {{ numbered_deliveries() }}
),

preferred as (
    select
        appearances.*,
        appearances.source_rank * {{ rank_weight() }}
        + {{ row_order('deliveries.delivery_order', 'appearances.line_number') }} as preference
    from appearances
    left join deliveries on appearances.delivery_id = deliveries.delivery_id
),

chosen as (
    select
        unified_code,
        max_by(enterprise_name, preference) filter (where enterprise_name is not null)
            as enterprise_name,
        max_by(department, preference) filter (where enterprise_name is not null)
            as name_department,
        max_by(dataset, preference) filter (where enterprise_name is not null) as name_dataset,
        bool_or(dataset = 'enterprise') as is_registered,
        bool_or(dataset = 'tax_payment') as is_taxpayer,
        bool_or(dataset = 'electricity_usage') as is_electricity_customer,
        bool_or(dataset = 'social_insurance_enrolment') as is_employer,
        bool_or(dataset = 'credit_record') as has_credit_record,
        bool_or(dataset = 'enterprise_register_extract') as is_in_register_extract,
        max(business_date) as newest_business_date
    from preferred
    group by unified_code
),

final as (
    select
        unified_code,
        enterprise_name,
        name_department,
        name_dataset,
        is_registered,
        is_taxpayer,
        is_electricity_customer,
        is_employer,
        has_credit_record,
        is_in_register_extract,
        cast(is_registered as bigint)
        + cast(is_taxpayer as bigint)
        + cast(is_electricity_customer as bigint)
        + cast(is_employer as bigint)
        + cast(has_credit_record as bigint)
        + cast(is_in_register_extract as bigint) as source_count,
        newest_business_date
    from chosen
)

select * from final
