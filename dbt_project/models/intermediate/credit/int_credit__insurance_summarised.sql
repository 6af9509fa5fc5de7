with

insurances as (
    select * from {{ ref('stg_human_resources__social_insurance_enrolment') }}
),

final as (
    select
        employer_code as unified_code,
        count(distinct id_number) filter (where enrolment_status = '参保缴费')
            as insured_employees_paying,
        count(distinct id_number) filter (where enrolment_status = '暂停缴费')
            as insured_employees_suspended
    from insurances
    where employer_code is not null
    group by employer_code
)

select * from final
