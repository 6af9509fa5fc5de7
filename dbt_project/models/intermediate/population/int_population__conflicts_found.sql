{% call incremental_by(['id_number']) %}
    select id_number from {{ changed_keys('int_population__golden_person_chosen') }}
{% endcall %}

with

appearances as (
    select appearances.*
    from {{ ref('int_population__appearances_collected') }} as appearances
    {{ only_changed('appearances.id_number') }}
),

golden as (
    select golden.*
    from {{ ref('int_population__golden_person_chosen') }} as golden
    {{ only_changed('golden.id_number') }}
),

conflicts as (
    select
        golden.id_number,
        'full_name' as attribute,
        golden.full_name as golden_value,
        golden.name_department as golden_department,
        golden.name_dataset as golden_dataset,
        appearances.full_name as other_value,
        appearances.department as other_department,
        appearances.dataset as other_dataset,
        appearances._business_date
    from appearances
    inner join golden on appearances.id_number = golden.id_number
    where
        appearances.full_name <> golden.full_name
        and {{ comparable_name('appearances.full_name') }}
        <> {{ comparable_name('golden.full_name') }}
    union all
    select
        golden.id_number,
        'birth_date' as attribute,
        {{ as_text('golden.birth_date') }} as golden_value,
        golden.birth_date_department as golden_department,
        golden.birth_date_dataset as golden_dataset,
        {{ as_text('appearances.birth_date') }} as other_value,
        appearances.department as other_department,
        appearances.dataset as other_dataset,
        appearances._business_date
    from appearances
    inner join golden on appearances.id_number = golden.id_number
    where appearances.birth_date <> golden.birth_date
),

final as (
    select
        id_number,
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
        attribute,
        golden_value,
        golden_department,
        golden_dataset,
        other_value,
        other_department,
        other_dataset
)

select * from final
