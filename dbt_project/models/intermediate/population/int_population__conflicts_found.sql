{% call incremental_by(['id_number']) %}
    select id_number from {{ changed_keys('int_population__golden_person_chosen') }}
{% endcall %}

with

appearances as (
    select * from {{ new_rows(ref('int_population__appearances_collected')) }}
),

golden as (
    select * from {{ new_rows(ref('int_population__golden_person_chosen')) }}
),

differing as (  -- one join for both attributes: few rows differ in any
    select
        golden.id_number,
        golden.person_token,
        golden.full_name,
        golden.name_department,
        golden.name_dataset,
        golden.birth_date,
        golden.birth_date_department,
        golden.birth_date_dataset,
        appearances.full_name as other_name,
        appearances.birth_date as other_birth_date,
        appearances.department as other_department,
        appearances.dataset as other_dataset,
        appearances._business_date
    from appearances
    inner join golden on appearances.id_number = golden.id_number
    where
        appearances.full_name <> golden.full_name
        or appearances.birth_date <> golden.birth_date
),

conflicts as (
    select
        id_number,
        person_token,
        'full_name' as attribute,
        full_name as golden_value,
        name_department as golden_department,
        name_dataset as golden_dataset,
        other_name as other_value,
        other_department,
        other_dataset,
        _business_date
    from differing
    where {{ comparable_name('other_name') }} <> {{ comparable_name('full_name') }}
    union all
    select
        id_number,
        person_token,
        'birth_date' as attribute,
        {{ as_text('birth_date') }} as golden_value,
        birth_date_department as golden_department,
        birth_date_dataset as golden_dataset,
        {{ as_text('other_birth_date') }} as other_value,
        other_department,
        other_dataset,
        _business_date
    from differing
    where other_birth_date <> birth_date
),

final as (
    select
        id_number,
        person_token,
        attribute,
        golden_value,
        golden_department,
        golden_dataset,
        other_value,
        other_department,
        other_dataset,
        count(*) as row_count,
        max(_business_date) as newest_business_date
    from conflicts
    group by
        id_number,
        person_token,
        attribute,
        golden_value,
        golden_department,
        golden_dataset,
        other_value,
        other_department,
        other_dataset
)

select * from final
