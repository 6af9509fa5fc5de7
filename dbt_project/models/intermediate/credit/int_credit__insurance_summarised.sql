{% call incremental_by(['unified_code']) %}
    select employer_code as unified_code
    from {{ changed_rows('stg_human_resources__social_insurance_enrolment') }}
{% endcall %}

with

insurances as (
    {{ only_changed(ref('stg_human_resources__social_insurance_enrolment'), 'employer_code') }}
),

employees as (  -- insured in several kinds; a person counts once in each state
    select
        employer_code,
        id_number,
        bool_or(enrolment_status = '参保缴费') as is_paying,
        bool_or(enrolment_status = '暂停缴费') as is_suspended
    from insurances
    where employer_code is not null
    group by
        employer_code,
        id_number
),

final as (
    select
        employer_code as unified_code,
        count(id_number) filter (where is_paying) as insured_employees_paying,
        count(id_number) filter (where is_suspended) as insured_employees_suspended
    from employees
    group by employer_code
)

select * from final
