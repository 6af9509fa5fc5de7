with

source as (
    select
        certificate_identifier,
        certificate_kind,
        certificate_number,
        holder_kind,
        holder_code,
        holder_name,
        issuing_body,
        issued_on,
        valid_until,
        certificate_status,
        _delivery_id,
        _business_date,
        _sequence,
        _line_number,
        _flags
    from {{ source('approval_service', 'electronic_certificate') }}
),

latest as (
    {{ latest_version('source', keys=['certificate_identifier'], delivery='increment') }}
),

final as (
    select
        certificate_identifier,
        certificate_kind,
        certificate_number,
        holder_kind,
        holder_code,
        holder_name,
        issuing_body,
        issued_on,
        valid_until,
        certificate_status,
        _delivery_id,
        _business_date,
        _line_number,
        _flags
    from latest
)

select * from final
