"""Profiles: counted once per delivery, additive, and without a personal value."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from quality import nightly
from quality.delivery_counts import count_deliveries
from quality.profiles import read_profiles

ENTERPRISES = "market_regulation/enterprise"


@pytest.fixture
def profiled(city: Any) -> Any:
    """Counts what is not counted yet, and reads all profiles of the enterprises."""

    def read() -> Any:
        contract = city.catalogue.by_name[ENTERPRISES]
        with duckdb.connect(str(city.path)) as connection:
            count_deliveries(connection, contract)
            return read_profiles(connection, contract)

    return read


def test_refused_rows_are_counted_with_the_others(city, enterprise, profiled):
    """Of a file whose every row was refused it must still show what happened to it."""
    city.deliver(ENTERPRISES, 1, [
        enterprise(phone=None),
        enterprise(unified_code="91371302MA3C000002", registered_capital=5000, _rules="x"),
    ])  # fmt: skip
    (profile,) = profiled()
    assert (profile.rows, profile.missing["phone"]) == (2, 1)
    assert profile.values["registered_capital"] == {"p6": 1, "p14": 1}
    assert profile.values["enterprise_status"] == {"在营": 2}
    assert profile.values["established_on"] == {"201": 2}


def test_no_personal_value_is_kept(city, enterprise, profiled):
    city.deliver(ENTERPRISES, 1, [enterprise()])
    profiled()
    kept = {value for row in city.ask("select * from quality.profile") for value in row}
    row = enterprise()
    for name in ("legal_representative", "legal_representative_id_number", "phone"):
        assert row[name] not in kept


def test_a_delivery_is_counted_once_even_without_rows(city, enterprise, profiled):
    city.deliver(ENTERPRISES, 1, [enterprise()])
    city.deliver(ENTERPRISES, 2, [])
    first = profiled()
    before = city.ask("select count(*) from quality.profile")
    assert profiled() == first
    assert city.ask("select count(*) from quality.profile") == before
    assert [profile.rows for profile in first] == [1, 0]


def test_the_same_rows_in_another_order_have_the_same_content(city, enterprise, profiled):
    rows = [enterprise(), enterprise(unified_code="91371302MA3C000002")]
    city.deliver(ENTERPRISES, 1, rows)
    city.deliver(ENTERPRISES, 2, rows[::-1])
    city.deliver(ENTERPRISES, 3, [rows[0], enterprise(unified_code="91371302MA3C000003")])
    one, other, third = profiled()
    assert one.content == other.content != third.content


def test_profiles_that_are_lost_are_counted_again(city, enterprise, profiled):
    city.deliver(ENTERPRISES, 1, [enterprise()])
    first = profiled()
    city.ask("delete from quality.profile")
    assert profiled() == first


def test_a_crash_while_profiling_is_an_error_of_the_dataset_and_no_failure(city, enterprise):
    """A platform fault must not become a department's order."""
    city.deliver(ENTERPRISES, 1, [enterprise()])
    city.ask("create table quality.profile (delivery_id integer)")
    results = nightly.judge(city.path, city.catalogue, city.night(1))
    own = [r for r in results if (r.dataset, r.engine) == ("enterprise", "anomaly")]
    assert {result.status for result in own} == {"error"}
    assert not [c for c in city.ask("select cause from quality.cause") if "volume" in c[0]]
