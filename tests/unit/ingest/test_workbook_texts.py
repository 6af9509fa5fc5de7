"""Large sheets of texts are read another way than others: nobody may see a difference."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import fastexcel
import polars as pl
import pyarrow as pa
import pytest
import python_calamine as calamine
import xlsxwriter

from pipelines.ingest import workbook_parts, workbook_worker
from pipelines.ingest.workbook_parts import look_at

SHEET = "数据"
ROWS = 400
COLUMNS = ["编号", "姓名", "备注", "空列"]
TEXTS = [(f"{n:06}", "甲" * (n % 3), [" 前后 ", "第一行\n第二行", "1.0", "=1+1"][n % 4], "")
         for n in range(ROWS)]  # fmt: skip

Fill = Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None]


@pytest.fixture(autouse=True)
def _every_sheet_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "_LARGE", 1)


def texts(path: Path, more: Fill | None = None, corner: int = 0) -> Path:
    """A sheet of texts and, after them, what `more` writes."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet(SHEET)
        for row, values in enumerate([COLUMNS, *TEXTS]):
            for column, value in enumerate(values):
                if value:
                    sheet.write_string(row, column + corner, value)
        if more is not None:
            more(book, sheet)
    return path


def answer(path: Path) -> tuple[dict[str, object], list[tuple[str, ...]]]:
    """What the process answers of the sheet: its first line, and the cells."""
    book, out = calamine.CalamineWorkbook.from_path(str(path)), io.BytesIO()
    workbook_worker.answer_sheet(book, str(path), SHEET, out)
    out.seek(0)
    line = json.loads(out.readline())
    with pa.ipc.open_stream(out) as stream:
        frame = pl.from_arrow(stream.read_all())
    assert isinstance(frame, pl.DataFrame)
    return line, frame.rows()


def by_the_other_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    with monkeypatch.context() as patch:
        patch.setattr(workbook_worker, "_all_texts", lambda *_: None)
        return answer(path)


def test_texts_alone_come_from_fastexcel_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = texts(tmp_path / "x.xlsx")
    assert look_at(str(path), SHEET).may_be_texts
    opened: list[str] = []
    read = fastexcel.read_excel

    def noted(source: str) -> fastexcel.ExcelReader:
        opened.append(source)
        return read(source)

    monkeypatch.setattr(fastexcel, "read_excel", noted)
    line, rows = answer(path)
    assert opened == [str(path)]
    assert line == {"rows": ROWS + 1, "columns": len(COLUMNS), "merges": []}
    assert rows == [tuple(COLUMNS), *TEXTS]
    assert (line, rows) == by_the_other_way(path, monkeypatch)


def test_blank_rows_and_columns_keep_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def more(_: object, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_string(ROWS + 10, 6, "末")

    path = texts(tmp_path / "x.xlsx", more)
    assert look_at(str(path), SHEET).may_be_texts
    line, rows = answer(path)
    assert (line["rows"], line["columns"]) == (ROWS + 11, 7)
    assert rows[ROWS + 5] == ("",) * 7
    assert rows[-1] == (*("",) * 6, "末")
    assert (line, rows) == by_the_other_way(path, monkeypatch)


def _number(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
    sheet.write_number(ROWS + 1, 1, 3.0)


def _truth(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
    sheet.write_boolean(ROWS + 1, 3, True)


def _day(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
    form = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_datetime(ROWS + 1, 5, date(2026, 6, 30), form)


@pytest.mark.parametrize(
    ("more", "shown"), [(_number, "3"), (_truth, "TRUE"), (_day, "2026-06-30")]
)
def test_one_other_value_far_down_reads_as_in_any_sheet(
    more: Fill, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_parts, "_BLOCK", 4096)
    path = texts(tmp_path / "x.xlsx", more)
    assert look_at(str(path), SHEET).may_be_texts, "the other value is to lie in a later block"
    line, rows = answer(path)
    assert shown in rows[-1]
    assert (line, rows) == by_the_other_way(path, monkeypatch)


def _error(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
    sheet.write_formula(ROWS + 1, 1, "=1/0", None, "#DIV/0!")


def _merge(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
    sheet.merge_range(ROWS + 1, 0, ROWS + 2, 1, "合计")


@pytest.mark.parametrize(("more", "last"), [(_error, "#DIV/0!"), (_merge, "")])
def test_errors_and_merged_cells_are_no_texts_alone(
    more: Fill, last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_parts, "_BLOCK", 4096)
    path = texts(tmp_path / "x.xlsx", more)
    assert not look_at(str(path), SHEET).may_be_texts
    line, rows = answer(path)
    assert rows[-1][1] == last
    assert bool(line["merges"]) == (more is _merge)


def test_a_table_that_does_not_begin_in_column_a_is_no_texts_alone(tmp_path: Path) -> None:
    path = texts(tmp_path / "x.xlsx", corner=2)
    assert not look_at(str(path), SHEET).may_be_texts
    assert answer(path)[1][0] == ("", "", *COLUMNS)


def test_a_small_sheet_is_read_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "_LARGE", 8)
    assert not look_at(str(texts(tmp_path / "x.xlsx")), SHEET).may_be_texts
