{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_keys('int_legal_entity__golden_entity_chosen') }}
{% endcall %}

with

golden as (
    select * from {{ new_rows(ref('int_legal_entity__golden_entity_chosen')) }}
),

enterprises as (
    {{ only_changed(ref('stg_market_regulation__enterprise'), 'unified_code') }}
),

register_extracts as (
    {{ only_changed(ref('stg_market_regulation__enterprise_register_extract'), 'unified_code') }}
),

persons as (
    {{ only_referred_to(
        ref('int_population__golden_person_chosen'),
        'id_number',
        'enterprises',
        'legal_representative_id_number'
    ) }}
),

conflicts as (
    select * from {{ ref('int_legal_entity__conflicts_found') }}
),

conflict_counts as (
    select
        unified_code,
        count(*) as conflict_count
    from conflicts
    group by unified_code
),

final as (
    select
        golden.unified_code,
        golden.enterprise_name,
        coalesce(enterprises.enterprise_kind, register_extracts.enterprise_kind)
            as enterprise_kind,
        enterprises.enterprise_status,
        coalesce(enterprises.established_on, register_extracts.registered_on) as established_on,
        enterprises.cancelled_on,
        enterprises.industry_code,
        enterprises.division_code,
        coalesce(enterprises.registered_address, register_extracts.registered_address)
            as registered_address,
        cast(
            case
                when enterprises.unified_code is not null then enterprises.registered_capital
                when register_extracts.registered_capital_currency = 'CNY'
                    then register_extracts.registered_capital
            end as decimal(18, 4)
        ) as registered_capital_10k_cny,
        persons.person_token as legal_representative_token,
        golden.name_department,
        golden.name_dataset,
        golden.is_registered,
        coalesce(enterprises.enterprise_status = '在营', false) as is_operating,
        golden.is_taxpayer,
        golden.is_electricity_customer,
        golden.is_employer,
        golden.has_credit_record,
        golden.is_in_register_extract,
        golden.source_count,
        coalesce(conflict_counts.conflict_count, 0) as conflict_count,
        golden.newest_business_date
    from golden
    left join enterprises on golden.unified_code = enterprises.unified_code
    left join register_extracts on golden.unified_code = register_extracts.unified_code
    left join persons on enterprises.legal_representative_id_number = persons.id_number
    left join conflict_counts on golden.unified_code = conflict_counts.unified_code
)

select * from final
