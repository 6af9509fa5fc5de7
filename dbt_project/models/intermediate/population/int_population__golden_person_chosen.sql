{% call incremental_by(['id_number']) %}
    select
        id_number,
        sm3_token(id_number) as person_token  -- the key of the marts
    from (
        select id_number from {{ changed_rows('stg_public_security__resident') }}
        union
        select id_number from {{ changed_rows('stg_public_security__residence_permit') }}
        union
        select id_number from {{ changed_rows('stg_human_resources__social_insurance_enrolment') }}
        union
        select owner_id_number from {{ changed_rows('stg_natural_resources__real_estate') }}
        union
        select legal_representative_id_number
        from {{ changed_rows('stg_market_regulation__enterprise') }}
        union
        select child_id_number from {{ changed_rows('stg_education__enrolment_application') }}
        union
        select guardian_id_number from {{ changed_rows('stg_education__enrolment_application') }}
        union
        select id_number from ({{ permits_that_ran_out() }}) as permits
    ) as changed_persons
{% endcall %}
{% call keep_new_rows(ref('int_population__appearances_collected')) %}
    {{ person_appearances() }}
{% endcall %}

with

appearances as (
    select * from {{ new_rows(ref('int_population__appearances_collected')) }}
),

chosen as (
    select
        id_number,
        max_by(full_name, preference) as full_name,
        max(preference) as name_preference,
        max_by(birth_date, preference) filter (where birth_date is not null)
            as registered_birth_date,
        max(preference) filter (where birth_date is not null) as birth_date_preference,
        max_by(phone, preference) filter (where phone is not null) as phone,
        bool_or(dataset = 'resident' and is_current) as is_resident,
        bool_or(dataset = 'residence_permit' and is_current) as has_residence_permit,
        bool_or(dataset = 'social_insurance_enrolment' and is_current) as is_insured,
        bool_or(dataset = 'real_estate' and is_current) as owns_home,
        bool_or(dataset = 'enterprise' and is_current) as is_legal_representative,
        bool_or(dataset = 'resident') as is_in_register,
        bool_or(dataset = 'residence_permit') as is_in_permits,
        bool_or(dataset = 'social_insurance_enrolment') as is_in_insurance,
        bool_or(dataset = 'real_estate') as is_in_real_estate,
        bool_or(dataset = 'enterprise') as is_in_enterprises,
        bool_or(dataset = 'enrolment_application') as is_in_applications,
        max(_business_date) as newest_business_date
    from appearances
    where id_number is not null
    group by id_number
),

final as (
    select
        chosen.id_number,
        {% if goes_on() -%} keys_of.person_token
        {%- else -%} sm3_token(chosen.id_number) {%- endif %} as person_token,
        chosen.full_name,
        {{ source_of_preference('chosen.name_preference', 'department') }} as name_department,
        {{ source_of_preference('chosen.name_preference', 'dataset') }} as name_dataset,
        coalesce(
            chosen.registered_birth_date,
            try_cast(
                substr(chosen.id_number, 7, 4) || '-' || substr(chosen.id_number, 11, 2)
                || '-' || substr(chosen.id_number, 13, 2) as date
            )
        ) as birth_date,
        {{ source_of_preference('chosen.birth_date_preference', 'department') }}
            as birth_date_department,
        {{ source_of_preference('chosen.birth_date_preference', 'dataset') }} as birth_date_dataset,
        case
            when substr(chosen.id_number, 17, 1) in ('1', '3', '5', '7', '9') then '男' else '女'
        end as sex_code,
        chosen.phone,
        chosen.is_resident,
        chosen.has_residence_permit,
        chosen.is_insured,
        chosen.owns_home,
        chosen.is_legal_representative,
        cast(chosen.is_in_register as bigint)
        + cast(chosen.is_in_permits as bigint)
        + cast(chosen.is_in_insurance as bigint)
        + cast(chosen.is_in_real_estate as bigint)
        + cast(chosen.is_in_enterprises as bigint)
        + cast(chosen.is_in_applications as bigint) as source_count,
        chosen.newest_business_date
    from chosen
    {% if goes_on() -%}  {# a token takes longer than all the rest #}
        inner join {{ changed_keys(this.name) }} as keys_of on chosen.id_number = keys_of.id_number
    {%- endif %}
)

select * from final
