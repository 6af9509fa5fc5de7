{% call incremental_by(['unified_code']) %}
    select unified_code from {{ changed_keys('int_legal_entity__golden_entity_chosen') }}
{% endcall %}

with

appearances as (
    select * from {{ new_rows(ref('int_legal_entity__appearances_collected')) }}
),

golden as (
    select * from {{ new_rows(ref('int_legal_entity__golden_entity_chosen')) }}
),

enterprises as (
    {{ only_changed(ref('stg_market_regulation__enterprise'), 'unified_code') }}
),

register_extracts as (
    {{ only_changed(ref('stg_market_regulation__enterprise_register_extract'), 'unified_code') }}
),

final as (
    select
        golden.unified_code,
        'enterprise_name' as attribute,
        golden.enterprise_name as golden_value,
        golden.name_department as golden_department,
        golden.name_dataset as golden_dataset,
        appearances.enterprise_name as other_value,
        appearances.department as other_department,
        appearances.dataset as other_dataset,
        appearances.row_count,
        appearances.business_date as newest_business_date
    from appearances
    inner join golden on appearances.unified_code = golden.unified_code
    where
        case  -- in this order: DuckDB else brings every name into the comparable form
            when appearances.enterprise_name = golden.enterprise_name then false
            else
                {{ comparable_name('appearances.enterprise_name') }}
                <> {{ comparable_name('golden.enterprise_name') }}
        end
    union all
    select
        enterprises.unified_code,
        'established_on' as attribute,
        {{ as_text('enterprises.established_on') }} as golden_value,
        'market_regulation' as golden_department,
        'enterprise' as golden_dataset,
        {{ as_text('register_extracts.registered_on') }} as other_value,
        'market_regulation' as other_department,
        'enterprise_register_extract' as other_dataset,
        1 as row_count,
        register_extracts._since_business_date as newest_business_date
    from enterprises
    inner join register_extracts on enterprises.unified_code = register_extracts.unified_code
    where enterprises.established_on <> register_extracts.registered_on
)

select * from final
