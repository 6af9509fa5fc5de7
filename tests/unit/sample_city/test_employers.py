"""Who is insured with which enterprise, on every night of a long run."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.sample_city import world
from pipelines.sample_city.world import Plan

NIGHTS = 120


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    """A city of 120 nights as tables: `hr` and `enterprises`, one row a version."""
    plan = Plan(residents=6000, seed=5, first_date=date(2026, 1, 5), nights=NIGHTS)
    connection = world.open_workshop(tmp_path_factory.mktemp("workshop"))
    for _ in world.make(plan, connection):
        pass
    for name, register in (
        ("hr", "human_resources__social_insurance_enrolment"),
        ("enterprises", "market_regulation__enterprise"),
    ):
        connection.execute(
            f"create table {name} as {world.render(plan, f'registers/{register}.sql')}"
        )
    yield connection
    connection.close()


def test_nobody_is_insured_with_an_enterprise_that_is_no_longer_there(connection):
    """Prevents: a rule that can be strict on no city, because ours disagrees with itself."""
    gone, lost = connection.execute("""
        with nights as (select unnest(range(1, nights() + 1)) as night),
        insured as (
          select * from nights, hr where hr._night <= night
          qualify row_number() over (partition by night, hr._id order by hr._night desc) = 1),
        standing as (
          select * from nights, enterprises where enterprises._night <= night
          qualify row_number() over (
            partition by night, enterprises._id order by enterprises._night desc) = 1)
        select count(*) filter (where insured.enrolment_status = '参保缴费'),
          count(distinct insured._id)
        from insured inner join standing
          on standing.night = insured.night and standing.unified_code = insured.employer_code
        where standing.enterprise_status <> '在营'
    """).fetchone()
    assert gone == 0
    assert lost > 3  # those who left stay with their former employer, as ended


def test_staff_of_a_cancelled_enterprise_leave_or_find_another(connection):
    """Prevents: whole staffs that vanish, or that all stay insured without an employer."""
    moved, left, all_lasting = connection.execute("""
        with changed as (
          select hr.*, insurance.first_code, insurance.next_code
          from hr inner join (
            select person_id * 2 as _id, employer_code as first_code, next_code
            from insurance where leaves_on > 1
          ) as insurance using (_id)
          where hr._night > 1)
        select count(*) filter (where employer_code <> first_code),
          count(*) filter (where employer_code = first_code and enrolment_status = '终止参保'),
          bool_and(employer_code = first_code or employer_code in (
            select unified_code from enterprises group by all
            having bool_and(enterprise_status = '在营')))
        from changed
    """).fetchone()
    assert moved > 5
    assert left > 5
    assert all_lasting
