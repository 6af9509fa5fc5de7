"""File names: which delivery of which dataset a file in landing is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.ingest.arrive import arrivals

KNOWN = frozenset(
    {
        "market_regulation/enterprise",
        "market_regulation/enterprise_register_extract",
        "public_security/resident",
        "public_security/residence_permit",
    }
)
DAY = date(2026, 6, 30)


def arrive(landing: Path, *names: str) -> list[tuple[str, date | None]]:
    """(department/dataset, business date) of files that lie in landing, in their order."""
    for name in names:
        (landing / name).parent.mkdir(parents=True, exist_ok=True)
        (landing / name).write_text("x")
    return [(a.name, a.business_date) for a in arrivals(landing, KNOWN)]


@pytest.mark.parametrize(
    ("name", "dataset", "day"),
    [
        ("resident_20260630.csv", "resident", DAY),
        ("resident_20260630_2.csv", "resident", DAY),
        ("resident_20260630.CSV", "resident", DAY),
        ("residence_permit_20260630.xlsx", "residence_permit", DAY),
        ("resident_20260631.csv", "resident", None),
        ("resident_20261301.csv", "resident", None),
        ("resident_2026-06-30.csv", "resident", None),
        ("resident_260630.csv", "resident", None),
        ("resident_20260630_final.csv", "resident", None),
        ("resident_20260630", "resident", None),
        ("resident_20260630.csv.gz", "resident", DAY),
        ("resident_20260630_2.csv.zip", "resident", DAY),
        ("resident_20260630_confirmed.csv", "resident", DAY),
        ("resident_20260630_2_confirmed.csv", "resident", DAY),
        ("resident.csv", "resident", None),
        ("residence_permit.csv", "residence_permit", None),
        ("unknown_20260630.csv", "unknown", DAY),
        ("notes.txt", "notes", None),
    ],
)
def test_a_name_gives_dataset_and_date_or_is_told_apart(
    tmp_path: Path, name: str, dataset: str, day: date | None
) -> None:
    assert arrive(tmp_path, f"public_security/{name}") == [(f"public_security/{dataset}", day)]


@pytest.mark.parametrize(
    ("name", "dataset", "day"),
    [
        ("enterprise_20260630.csv", "enterprise", DAY),
        ("enterprise_register_extract_20260630.csv", "enterprise_register_extract", DAY),
        ("enterprise_register_extract_20260630_3.csv", "enterprise_register_extract", DAY),
        ("enterprise_register_extract.csv", "enterprise_register_extract", None),
        ("enterprise_register_extract_20269999.csv", "enterprise_register_extract", None),
        ("enterprise.csv", "enterprise", None),
    ],
)
def test_a_dataset_whose_name_begins_another_gets_none_of_its_files(
    tmp_path: Path, name: str, dataset: str, day: date | None
) -> None:
    assert arrive(tmp_path, f"market_regulation/{name}") == [(f"market_regulation/{dataset}", day)]


def test_the_same_file_name_in_another_departments_folder_is_not_the_dataset(
    tmp_path: Path,
) -> None:
    assert arrive(tmp_path, "taxation/resident_20260630.csv") == [("taxation/resident", DAY)]


@pytest.mark.parametrize(
    "name",
    [
        "resident_20260630.csv.part",
        "resident_20260630.csv.tmp",
        "resident_20260630.csv.filepart",
        "resident_20260630.csv.crdownload",
        "resident_20260630.csv.PART",
        ".resident_20260630.csv",
        "~$resident_20260630.xlsx",
    ],
)
def test_a_file_that_is_still_being_written_is_left_alone(tmp_path: Path, name: str) -> None:
    """Taken half-way it would be archived and refused as cut off."""
    assert arrive(tmp_path, f"public_security/{name}") == []


def test_a_folder_is_no_file_and_no_landing_no_crash(tmp_path: Path) -> None:
    (tmp_path / "public_security" / "resident_20260630.csv").mkdir(parents=True)
    assert arrivals(tmp_path, KNOWN) == []
    assert arrivals(tmp_path / "nowhere", KNOWN) == []


def test_files_come_in_the_order_of_date_and_name_whatever_wrote_them_first(
    tmp_path: Path,
) -> None:
    found = arrive(
        tmp_path,
        "public_security/resident_20260701.csv",
        "public_security/resident_20260630_2.csv",
        "public_security/resident_20260630_1.csv",
        "market_regulation/enterprise_20260630.csv",
    )
    assert found == [
        ("market_regulation/enterprise", DAY),
        ("public_security/resident", DAY),
        ("public_security/resident", DAY),
        ("public_security/resident", date(2026, 7, 1)),
    ]
    names = [arrival.path.name for arrival in arrivals(tmp_path, KNOWN)]
    assert names[1:3] == ["resident_20260630_1.csv", "resident_20260630_2.csv"]


def test_the_tenth_part_of_a_day_comes_after_the_second(tmp_path: Path) -> None:
    """Later deliveries win: by name as text, part 10 would lose against part 2."""
    arrive(tmp_path, *(f"public_security/resident_20260630_{part}.csv" for part in (10, 2, 1)))
    names = [arrival.path.name for arrival in arrivals(tmp_path, KNOWN)]
    assert names == [f"resident_20260630_{part}.csv" for part in (1, 2, 10)]
