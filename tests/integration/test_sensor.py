"""The sensor: a settled late file starts one run, and only that does."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from pipelines.home import Home
from pipelines.jobs import NIGHTLY
from pipelines.publish import FILE
from pipelines.sensors import SETTLED_SECONDS, last_night, late_file_sensor, late_files, run_key
from quality.catalogue import BrokenContract, Catalogue
from tests.conftest import Land, MakeContract

NIGHT = date(2026, 6, 30)
SETTLED = 1_000_000.0


@pytest.fixture(scope="module")
def catalogue(make_contract: MakeContract) -> Catalogue:
    broken = BrokenContract("water", "pump", Path("pump.odcs.yaml"), ())
    return Catalogue((make_contract([{"name": "k"}]),), (broken,))


@pytest.fixture
def published(home: Home) -> Home:
    folder = home.published / "20260630-0123456789ab"
    folder.mkdir()
    (folder / FILE).write_bytes(b"")
    (home.published / "current").symlink_to(folder.name)
    return home


def put(home: Home, land: Land, name: str, at: float = SETTLED - 1) -> Path:
    path = land(home, "water", name, "k\na\n")
    os.utime(path, (at, at))
    return path


def late(home: Home, catalogue: Catalogue) -> list[str]:
    return [arrival.path.name for arrival in late_files(home, catalogue, NIGHT, SETTLED)]


@pytest.mark.parametrize("name", ["meter_20260630.csv", "meter_20260101.csv", "meter.csv"])
def test_a_settled_file_of_a_night_that_has_run_is_late(
    home: Home, catalogue: Catalogue, land: Land, name: str
) -> None:
    put(home, land, name)
    assert late(home, catalogue) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "meter_20260701.csv",
        "pump_20260630.csv",
        "unknown_20260630.csv",
        "meter_20260630.csv.part",
        ".meter_20260630.csv",
    ],
)
def test_a_future_unknown_broken_or_unfinished_file_is_not(
    home: Home, catalogue: Catalogue, land: Land, name: str
) -> None:
    """A file that no night can take up would start a run every minute."""
    put(home, land, name)
    assert late(home, catalogue) == []


def test_a_file_that_still_changes_is_left_to_settle(
    home: Home, catalogue: Catalogue, land: Land
) -> None:
    put(home, land, "meter_20260630.csv", SETTLED + 1)
    assert late(home, catalogue) == []


def test_the_same_files_give_one_key_and_any_change_another(
    home: Home, catalogue: Catalogue, land: Land
) -> None:
    path = put(home, land, "meter_20260630.csv")

    def key() -> str:
        return run_key(NIGHT, late_files(home, catalogue, NIGHT, SETTLED))

    first = key()
    assert key() == first
    assert first.startswith("2026-06-30-")
    put(home, land, "meter_20260630_2.csv")
    second = key()
    path.write_text("k\nb\nc\n")
    os.utime(path, (SETTLED - 1, SETTLED - 1))
    third = key()
    os.utime(path, (SETTLED - 2, SETTLED - 2))
    assert len({first, second, third, key()}) == 4


def test_the_last_night_is_that_of_the_published_version(home: Home, published: Home) -> None:
    assert last_night(published) == NIGHT


def evaluate(home: Home, catalogue: Catalogue) -> dg.RunRequest | dg.SkipReason:
    sensor = late_file_sensor(home, catalogue)
    with dg.build_sensor_context() as context:
        return sensor(context)


def test_the_sensor_waits_for_the_first_night(home: Home, catalogue: Catalogue, land: Land) -> None:
    put(home, land, "meter_20260630.csv")
    answer = evaluate(home, catalogue)
    assert isinstance(answer, dg.SkipReason)
    assert "no night has been published yet" in (answer.skip_message or "")


def test_the_sensor_asks_for_the_last_night_once_per_arrival(
    published: Home, catalogue: Catalogue, land: Land
) -> None:
    now = time.time()
    put(published, land, "meter_20260630.csv", now)
    assert isinstance(evaluate(published, catalogue), dg.SkipReason)
    put(published, land, "meter_20260630.csv", now - SETTLED_SECONDS - 5)
    answers = [evaluate(published, catalogue) for _ in range(2)]
    assert all(isinstance(answer, dg.RunRequest) for answer in answers)
    first, second = (answer for answer in answers if isinstance(answer, dg.RunRequest))
    assert (first.run_key, first.partition_key) == (second.run_key, "2026-06-30")
    assert late_file_sensor(published, catalogue).job_name == NIGHTLY
