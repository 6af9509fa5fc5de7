{% call incremental_by(['person_token']) %}
    select person_token
    from {{ changed_keys('int_population__golden_person_chosen') }}
    union
    select person_token  -- of whom it was the birthday
    from {{ ref('int_population__golden_person_chosen') }}
    where
        {{ completed_years('birth_date', built_date()) }}
        <> {{ completed_years('birth_date', business_date()) }}
{% endcall %}

with

golden as (
    {{ only_changed(ref('int_population__golden_person_chosen'), 'person_token') }}
),

residents as (
    {{ only_referred_to(ref('stg_public_security__resident'), 'id_number', 'golden', 'id_number') }}
),

households as (
    {{ only_referred_to(
        ref('int_population__households_counted'),
        'household_number',
        'residents',
        'household_number'
    ) }}
),

permits as (
    {{ only_referred_to(
        ref('stg_public_security__residence_permit'), 'id_number', 'golden', 'id_number'
    ) }}
),

conflicts as (
    select * from {{ ref('int_population__conflicts_found') }}
),

night as (
    select business_date from {{ source('meta', 'night') }}
),

deliveries as (
    {{ numbered_deliveries() }}
),

valid_permits as (
    select
        permits.id_number,
        max_by(permits.division_code, {{ row_order() }}) as division_code,
        max_by(permits.residence_address, {{ row_order() }}) as residence_address
    from permits
    inner join deliveries on permits._delivery_id = deliveries.delivery_id
    cross join night
    where permits.valid_until >= night.business_date
    group by permits.id_number
),

conflict_counts as (
    select
        id_number,
        count(*) as conflict_count
    from conflicts
    group by id_number
),

final as (
    select
        golden.person_token,
        golden.id_number,
        golden.full_name,
        coalesce(residents.sex_code, golden.sex_code) as sex_code,
        golden.birth_date,
        case
            when residents.registration_status = '死亡注销' then null
            else cast(
                {{ completed_years('golden.birth_date', 'night.business_date') }} as integer
            )
        end as age_years,
        residents.ethnicity,
        residents.registration_status,
        coalesce(residents.registration_status = '死亡注销', false) as is_deceased,
        residents.division_code as household_division_code,
        valid_permits.division_code as residence_division_code,
        residents.address as household_address,
        valid_permits.residence_address,
        golden.phone,
        households.household_token,
        residents.relation_to_head,
        golden.is_resident,
        golden.has_residence_permit,
        golden.is_insured,
        golden.owns_home,
        golden.is_legal_representative,
        golden.name_department,
        golden.name_dataset,
        golden.source_count,
        coalesce(conflict_counts.conflict_count, 0) as conflict_count,
        golden.newest_business_date
    from golden
    cross join night
    left join residents on golden.id_number = residents.id_number
    left join households
        on
            residents.household_number = households.household_number
            and residents.registration_status = '正常'
    left join valid_permits on golden.id_number = valid_permits.id_number
    left join conflict_counts on golden.id_number = conflict_counts.id_number
)

select * from final
