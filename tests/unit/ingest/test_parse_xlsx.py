"""XLSX: cells as a person sees them, sheets, and workbooks that are none."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from pipelines.ingest import parse
from pipelines.ingest.parse import LINE, Findings
from pipelines.ingest.refusal import RefusedError
from quality.contract import Contract
from tests.conftest import MakeContract

COLUMNS = [{"name": "a", "physicalName": "甲"}, {"name": "b", "physicalName": "乙"}]


@pytest.fixture(scope="module")
def contract(make_contract: MakeContract) -> Contract:
    server = {"format": "xlsx", "path": "landing/water/meter_*.xlsx", "encoding": None}
    return make_contract(COLUMNS, server=server)


@pytest.fixture(scope="module")
def sheeted(make_contract: MakeContract) -> Contract:
    server = {
        "format": "xlsx",
        "path": "landing/water/meter_*.xlsx",
        "customProperties": [{"property": "sheet", "value": "数据"}],
    }
    return make_contract(COLUMNS, server=server)


def workbook(path: Path, rows: list[list[Any]], sheets: tuple[str, ...] = ("Sheet1",)) -> Path:
    """A workbook whose last sheet holds the rows; dates get a date format."""
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for sheet in [book.add_worksheet(name) for name in sheets][-1:]:
            for number, row in enumerate(rows):
                for position, value in enumerate(row):
                    if isinstance(value, datetime):
                        sheet.write_datetime(number, position, value, moment)
                    elif isinstance(value, date):
                        sheet.write_datetime(number, position, value, day)
                    elif value is not None:
                        sheet.write(number, position, value)
    return path


def read(path: Path, contract: Contract, findings: Findings | None = None) -> list[Any]:
    frames = list(parse.chunks(path, contract, findings or Findings()))
    return pl.concat(frames).select("甲", "乙", LINE).rows() if frames else []


def refusal(path: Path, contract: Contract) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        list(parse.chunks(path, contract, Findings()))
    return refused.value


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("文", "文"),
        (" 文 ", " 文 "),
        (5, "5"),
        (5.0, "5"),
        (5.25, "5.25"),
        (-0.1, "-0.1"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2026, 6, 30), "2026-06-30"),
        (datetime(2026, 6, 30, 8, 5, 0), "2026-06-30 08:05:00"),
        (371302199001, "371302199001"),
    ],
)
def test_a_cell_reads_as_a_person_sees_it(
    tmp_path: Path, contract: Contract, cell: Any, text: str
) -> None:
    path = workbook(tmp_path / "x.xlsx", [["甲", "乙"], [cell, "x"]])
    assert read(path, contract) == [(text, "x", 2)]


def test_a_number_that_excel_has_rounded_is_not_dressed_up_as_whole(
    tmp_path: Path, contract: Contract
) -> None:
    """18 digits do not fit into a cell; the rounded number must not pass for a real one."""
    path = workbook(tmp_path / "x.xlsx", [["甲", "乙"], [371302199001011234, "x"]])
    ((text, _, _),) = read(path, contract)
    assert not text.isdigit()


def test_blank_rows_keep_the_row_numbers_of_the_others(tmp_path: Path, contract: Contract) -> None:
    findings = Findings()
    rows = [["甲", "乙"], ["一", "二"], [], [None, " "], ["三", None]]
    path = workbook(tmp_path / "x.xlsx", rows)
    assert read(path, contract, findings) == [("一", "二", 2), ("三", "", 5)]
    assert findings.blank_records == 2


def test_the_header_is_the_first_row_even_when_data_lies_to_the_right(
    tmp_path: Path, contract: Contract
) -> None:
    rows = [[None, "乙", "甲"], [None, "二", "一", "旁注"]]
    assert read(workbook(tmp_path / "x.xlsx", rows), contract) == [("一", "二", 2)]


def test_an_empty_first_row_is_no_header_and_no_row(tmp_path: Path, contract: Contract) -> None:
    path = workbook(tmp_path / "x.xlsx", [[], ["甲", "乙"], ["一", "二"]])
    assert read(path, contract) == [("一", "二", 3)]


def test_long_sheets_keep_their_row_numbers_across_chunks(
    tmp_path: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse, "CHUNK_ROWS", 7)
    path = workbook(tmp_path / "x.xlsx", [["甲", "乙"], *([i, "x"] for i in range(20))])
    assert read(path, contract) == [(str(i), "x", i + 2) for i in range(20)]


def test_the_named_sheet_is_read_wherever_it_stands(tmp_path: Path, sheeted: Contract) -> None:
    path = workbook(tmp_path / "x.xlsx", [["甲", "乙"], ["一", "二"]], ("说明", "数据"))
    findings = Findings()
    assert read(path, sheeted, findings) == [("一", "二", 2)]
    assert findings.sheet == "数据"


def test_a_missing_sheet_is_named_with_those_that_are_there(
    tmp_path: Path, sheeted: Contract
) -> None:
    path = workbook(tmp_path / "x.xlsx", [["甲", "乙"]], ("说明", "表二"))
    found = refusal(path, sheeted)
    assert found.rule == "missing_sheet"
    assert "数据" in found.message
    assert "说明、表二" in found.message


@pytest.mark.parametrize("spoil", [
    lambda _: b"not a workbook at all",
    lambda content: content[: len(content) // 2],
    lambda content: content[:600] + bytes(len(content) - 1200) + content[-600:],
    lambda _: b"PK\x03\x04",
], ids=["another file", "cut off", "overwritten", "a beginning alone"])  # fmt: skip
def test_a_corrupted_workbook_is_refused_and_not_a_crash(
    tmp_path: Path, contract: Contract, spoil: Any
) -> None:
    path = workbook(tmp_path / "x.xlsx", [["甲", "乙"], ["一", "二"]])
    path.write_bytes(spoil(path.read_bytes()))
    assert refusal(path, contract).rule == "unreadable_file"


def test_a_sheet_without_content_is_refused(tmp_path: Path, contract: Contract) -> None:
    assert refusal(workbook(tmp_path / "x.xlsx", []), contract).rule == "empty_file"


def test_a_header_alone_is_a_delivery_of_no_rows(tmp_path: Path, contract: Contract) -> None:
    assert read(workbook(tmp_path / "x.xlsx", [["甲", "乙"]]), contract) == []
