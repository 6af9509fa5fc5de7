with

source as (
    select
        record_number,
        unified_code,
        enterprise_name,
        record_kind,
        severity_grade,
        decided_on,
        published_until,
        deciding_body,
        reason,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('development_reform', 'credit_record') }}
),

latest as (
    {{ latest_version('source', keys=['record_number'], delivery='full') }}
),

final as (
    select
        record_number,
        unified_code,
        enterprise_name,
        record_kind,
        severity_grade,
        decided_on,
        published_until,
        deciding_body,
        reason,
        _delivery_id,
        _business_date,
        _line_number,
        _flags,
        _since_delivery_id,
        _since_business_date,
        _since_line_number
    from latest
)

select * from final
