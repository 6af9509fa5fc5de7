"""The simulation's deliveries: what is planted must be there, or the evaluation proves nothing."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.home import sources_folder
from pipelines.sample_city.incidents import post, spoil
from pipelines.sample_city.incidents.calendar import SPRING_FESTIVAL, weight
from pipelines.sample_city.incidents.incident import KINDS, NEED_HISTORY, Incident
from pipelines.sample_city.incidents.schedule import blocked_nights, schedule
from pipelines.sample_city.world import Plan
from quality.catalogue import read_catalogue

FIRST = date(2026, 1, 5)


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_every_day_has_a_weight(day: date) -> None:
    """A day of weight 0 would send an empty file, which is an incident that nobody planted."""
    assert 0.1 <= weight(day) <= 3


def test_the_festival_is_quiet_and_the_week_before_it_busy() -> None:
    """The seasons would not be what the platform has to learn."""
    new_year = SPRING_FESTIVAL[2026]
    assert weight(new_year) == weight(new_year + timedelta(days=6)) < 0.2
    assert weight(date(2026, 2, 11)) > weight(date(2026, 1, 14))
    assert weight(date(2026, 3, 31)) > 1.5 * weight(date(2026, 3, 24))
    assert weight(date(2026, 3, 21)) < 0.5 * weight(date(2026, 3, 20))
    assert weight(date(2026, 2, 28)) > 1, "a make-up Saturday at the end of a month"


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_the_schedule_plants_every_kind_and_one_thing_at_a_time(seed: int) -> None:
    """A kind that never happens has no recall; two at once have no single right name."""
    plan = Plan(3_000, seed, FIRST, 90)
    incidents = schedule(plan)
    counts = Counter(incident.kind for incident in incidents)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 3
    for one in incidents:
        for other in incidents:
            if one.number < other.number and one.name == other.name:
                assert _ends(one) < other.first or _ends(other) < one.first
    quiet = FIRST + timedelta(days=30)
    assert all(i.first > quiet for i in incidents if i.kind in NEED_HISTORY)
    last = plan.business_date(plan.nights)
    assert all(i.corrected is None or i.corrected <= last for i in incidents)


def _ends(incident: Incident) -> date:
    return incident.corrected or incident.first + timedelta(days=incident.nights)


def test_one_seed_gives_one_schedule() -> None:
    """A figure in the docs could not be measured again."""
    plan = Plan(3_000, 5, FIRST, 90)
    assert schedule(plan) == schedule(plan)
    assert schedule(plan) != schedule(Plan(3_000, 6, FIRST, 90))


def _incident(number: int, name: str, kind: str, column: str = "", nights: int = 1) -> Incident:
    department, dataset = name.split("/")
    first = FIRST + timedelta(days=2)
    corrected = first + timedelta(days=nights + 1)
    return Incident(
        number, department, dataset, kind, column, first, nights, corrected, "", (kind,)
    )


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, post.Truth]:
    incidents = [
        _incident(1, "taxation/tax_payment", "missing_column", "tax_due"),
        _incident(2, "natural_resources/real_estate", "shifted_columns", "owner_name"),
        _incident(3, "human_resources/social_insurance_enrolment", "wrong_encoding"),
        _incident(4, "power_supply/electricity_usage", "unit_change", "usage_kwh"),
        _incident(5, "approval_service/electronic_certificate", "cut_file"),
        _incident(6, "public_security/resident", "stale_file"),
        _incident(7, "market_regulation/enterprise", "late_delivery"),
        _incident(8, "water_supply/water_reading", "duplicated_load"),
    ]
    folder = tmp_path_factory.mktemp("post")
    plan = Plan(1_000, 3, FIRST, 6)
    return folder, post.build(folder, read_catalogue(sources_folder()), plan, incidents)


def _file(folder: Path, name: str, night: int, day: int) -> Path:
    department, dataset = name.split("/")
    sent, of = (FIRST + timedelta(days=number - 1) for number in (night, day))
    return folder / sent.isoformat() / department / f"{dataset}_{of:%Y%m%d}.csv"


def _lines(path: Path) -> list[str]:
    return path.read_bytes().decode("gb18030" if _is_gb(path) else "utf-8").splitlines()


def _values(path: Path) -> list[str]:
    """The first row, whatever delimits it: no value of these columns holds a delimiter."""
    return re.split(r"[,|\t]", _lines(path)[1])


def _is_gb(path: Path) -> bool:
    gb = ("social_insurance", "enterprise", "electricity", "resident_")
    return path.name.startswith(gb)


def test_files_are_spoilt_as_their_kind_says(posted: tuple[Path, post.Truth]) -> None:
    """An incident that leaves the file as it was would be counted as missed."""
    folder, _ = posted
    missing = _file(folder, "taxation/tax_payment", 3, 3)
    assert "应纳税额" not in _lines(missing)[0]
    assert "应纳税额" in _lines(_file(folder, "taxation/tax_payment", 5, 3))[0]
    shifted = _file(folder, "natural_resources/real_estate", 3, 3)
    right = _file(folder, "natural_resources/real_estate", 5, 3)
    assert _lines(shifted)[0] == _lines(right)[0]
    assert _values(shifted)[3] == _values(right)[2]
    garbled = _lines(_file(folder, "human_resources/social_insurance_enrolment", 3, 3))
    assert (
        garbled[0] == _lines(_file(folder, "human_resources/social_insurance_enrolment", 5, 3))[0]
    )
    assert not any("养老保险" in line for line in garbled[1:])
    cut = _file(folder, "approval_service/electronic_certificate", 3, 3)
    whole = _file(folder, "approval_service/electronic_certificate", 5, 3)
    assert cut.stat().st_size < 0.6 * whole.stat().st_size
    stale = _file(folder, "public_security/resident", 3, 3)
    assert stale.read_bytes() == _file(folder, "public_security/resident", 2, 2).read_bytes()
    doubled = _lines(_file(folder, "water_supply/water_reading", 3, 3))
    once = _lines(_file(folder, "water_supply/water_reading", 5, 3))
    assert sorted(doubled[1:]) == sorted(2 * once[1:])
    assert not _file(folder, "market_regulation/enterprise", 3, 3).exists()
    assert _file(folder, "market_regulation/enterprise", 5, 3).exists()


def test_nothing_happens_to_rows_in_the_nights_of_an_incident(
    posted: tuple[Path, post.Truth],
) -> None:
    """A row fault that begins below a broken file has no night on which its order must open."""
    _, truth = posted
    blocked = blocked_nights(truth.incidents, Plan(1_000, 3, FIRST, 6))
    assert truth.row_faults
    for fault in truth.row_faults:
        nights = blocked.get(f"{fault.department}/{fault.dataset}", set())
        for day in (fault.first, fault.corrected):
            assert day is None or (day - FIRST).days + 1 not in nights


def test_a_correction_within_a_drift_leaves_the_other_values_as_they_were() -> None:
    """A malformed month would be corrected by a row of another use, which no rule can match."""
    contract = read_catalogue(sources_folder()).by_name["power_supply/electricity_usage"]
    drift = _incident(1, contract.name, "drift", "usage_kwh", nights=20)
    header = contract.column("usage_kwh").header
    rows = [("100", 1, 2), ("100", 2, 3), ("100", 3, 5), ("O", 4, 5), ("100", 5, 23)]
    said = "(values " + ", ".join(f"('{use}', {n}, 0, {told})" for use, n, told in rows) + ")"
    base = f'select * from {said} as t("{header}", _id, _copy, _told)'
    grown = duckdb.sql(f'select "{header}" from ({spoil.query(base, contract, drift, 3)})')
    assert grown.fetchall() == [("100",), ("106.00",), ("119.10",), ("O",), ("100",)]
