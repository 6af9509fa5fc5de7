"""Deliveries that one file cannot hold, and files that do not depend on the machine."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from xlsxwriter.exceptions import FileCreateError

from pipelines.sample_city import defects, deliveries, truth, world
from tests.unit.sample_city.conftest import make_city
from tests.unit.sample_city.reading import read_lines
from tests.unit.sample_city.test_build import digests

DAY = date(2026, 11, 2)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("create macro night_date(night) as date '2026-11-01' + night::integer")
        truth.start(connection)
        yield connection


def test_a_long_delivery_comes_as_several_workbooks_and_the_truth_knows_them(
    tmp_path, monkeypatch, catalogue, connection
):
    """Prevents: a workbook with more lines than a sheet has, or truth that counts past its end."""
    monkeypatch.setattr(deliveries, "ROWS_A_SHEET", 20)
    contract = next(c for c in catalogue.contracts if c.name == "development_reform/credit_record")
    kinds = defects.read_kinds()[contract.name]
    truth.note_kinds(connection, contract, kinds)
    spoilt = {21: "missing_reason", 41: "garbled_text"}
    rows = (
        "select i as _id, 0 as _copy, null::bigint as _corrected_night, case i "
        + " ".join(f"when {i} then '{kind}'" for i, kind in spoilt.items())
        + " end as _kind from range(1, 50) as r(i) "
        "union all select 7, 1, null, 'repeated_row'"
    )
    columns = ", ".join(f"""_id || ', {c.name}' as "{c.header}" """ for c in contract.columns)
    with deliveries.Writer(tmp_path) as writer:
        files = writer.write(connection, f"select {columns} from ({rows})", contract, DAY)
    truth.note_delivery(connection, contract, rows, DAY, files)

    names = [f"credit_record_20261102_{part}.xlsx" for part in (1, 2, 3)]
    assert [(file.name, file.rows) for file in files] == list(zip(names, (20, 20, 10), strict=True))
    folder = tmp_path / contract.department
    lines = {name: read_lines(folder / name, contract) for name in names}
    assert sorted(path.name for path in folder.iterdir()) == names
    assert all(tuple(lines[name][0]) == contract.headers for name in names)
    numbers = [row[0].split(",")[0] for name in names for row in lines[name][1:]]
    assert numbers == [*(str(i) for i in range(1, 50)), "7"]
    planted = connection.execute(
        "select file_name, line_number, kind from defect_truth order by all"
    ).fetchall()
    assert planted == [
        (names[1], 2, "missing_reason"),
        (names[2], 2, "garbled_text"),
        (names[2], 11, "repeated_row"),
    ]
    for name, line, kind in planted[:2]:
        assert spoilt[int(lines[name][line - 1][0].split(",")[0])] == kind


def test_what_a_thread_could_not_write_is_not_passed_over(tmp_path, catalogue, connection):
    """Prevents: a city without a file, because the thread that wrote it failed silently."""
    contract = next(c for c in catalogue.contracts if c.name == "education/enrolment_application")
    columns = ", ".join(f"""'x' as "{column.header}" """ for column in contract.columns)
    folder = tmp_path / contract.department
    name = deliveries.file_name(contract, DAY)
    (folder / name).mkdir(parents=True)
    with pytest.raises(FileCreateError, match=name), deliveries.Writer(tmp_path) as writer:
        writer.write(connection, f"select {columns}", contract, DAY)


@pytest.mark.slow
def test_threads_and_memory_change_no_byte(tmp_path, monkeypatch, catalogue):
    """Prevents: another city on another machine. Large enough for several row groups of DuckDB."""
    first = make_city(tmp_path / "a", catalogue, residents=42_000, nights=1)
    opened = world.open_workshop

    def small_machine(folder):
        connection = opened(folder)
        connection.execute("set threads = 1; set memory_limit = '200MB'")
        return connection

    monkeypatch.setattr(world, "open_workshop", small_machine)
    second = make_city(tmp_path / "b", catalogue, residents=42_000, nights=1)
    assert digests(first.home.landing) == digests(second.home.landing)
    assert digests(first.home.sample_truth) == digests(second.home.sample_truth)
