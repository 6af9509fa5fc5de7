"""Rows put into a finished workbook: the file is the one that is written cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from quality.feedback.layout import Cell, Layout
from quality.feedback.many_rows import ManyRows

WIDTHS = (20, 8, 10, 30)
TITLES = ("工单号", "行号", "级别", "问题")
TEXTS = ["", "问题", "工单号", " 前后 ", "<r>&\"'</r>", "=1+1", "第一行\n第二行", "\x01", "长" * 90]
ROWS = st.lists(
    st.tuples(
        st.builds(Cell, st.sampled_from(TEXTS), st.just("mono")),
        st.builds(Cell, st.integers(0, 40_000_000), st.just("line")),
        st.builds(Cell, st.sampled_from(TEXTS[:3]), st.sampled_from(["error", "warning"])),
        st.builds(Cell, st.sampled_from(TEXTS), st.just("text")),
    ),
    max_size=40,
)


def begin(book: Workbook) -> tuple[Layout, Worksheet]:
    """Two sheets with texts of their own, the second with a header."""
    book.set_properties({"created": datetime(2026, 6, 30)})
    layout = Layout(book)
    other = layout.sheet("总览", WIDTHS, "页脚")
    layout.row(other, 0, [Cell("问题", "strong"), Cell("别的")])
    sheet = layout.sheet("缺陷明细", WIDTHS, "页脚")
    layout.header(sheet, 0, TITLES)
    return layout, sheet


def cell_by_cell(path: Path, rows: Sequence[Sequence[Cell]]) -> bytes:
    with Workbook(str(path), {"strings_to_formulas": False}) as book:
        layout, sheet = begin(book)
        for row, cells in enumerate(rows, start=1):
            layout.row(sheet, row, cells)
        layout.table_view(sheet, 0, len(rows), len(TITLES))
    return path.read_bytes()


def put_in(path: Path, rows: Sequence[Sequence[Cell]]) -> bytes:
    with Workbook(str(path), {"strings_to_formulas": False}) as book:
        layout, sheet = begin(book)
        many = ManyRows(layout, sheet, 1, rows)
        layout.table_view(sheet, 0, len(rows), len(TITLES))
    many.put_into(path)
    return path.read_bytes()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS)
def test_the_file_is_that_which_is_written_cell_by_cell(
    tmp_path: Path, rows: list[tuple[Cell, ...]]
) -> None:
    """Else another xlsxwriter, which makes rows in another way, would spoil what goes home."""
    assert put_in(tmp_path / "put.xlsx", rows) == cell_by_cell(tmp_path / "cells.xlsx", rows)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 3000])
def test_rows_that_say_the_same_are_all_there(tmp_path: Path, count: int) -> None:
    """Texts, styles and heights that are given to xlsxwriter once must stand in every row."""
    rows = [
        (Cell("A-1", "mono"), Cell(number, "line"), Cell("错误", "error"), Cell("长" * 90))
        for number in range(count)
    ]
    assert put_in(tmp_path / "put.xlsx", rows) == cell_by_cell(tmp_path / "cells.xlsx", rows)
    sheet = load_workbook(tmp_path / "put.xlsx")["缺陷明细"]
    found = [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=2)]
    assert found == [tuple(cell.value for cell in cells) for cells in rows]
