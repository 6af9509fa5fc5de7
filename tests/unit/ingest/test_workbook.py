"""Workbooks: merged cells, formulas, sheets, and those made to do harm."""

from __future__ import annotations

import os
import signal
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from pipelines.ingest import limits, parse, workbook, workbook_parts
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import LINE
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from pipelines.ingest.workbook_worker import BATCH_ROWS
from tests.unit.ingest import corpus


def read(path: Path, layout: Layout | None = None, findings: Findings | None = None) -> Any:
    frames = list(parse.read(path, layout or Layout(), findings or Findings()))
    return pl.concat(frames)


def refusal(path: Path, layout: Layout | None = None) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        read(path, layout)
    return refused.value


def test_merged_cells_are_filled_in_the_header_and_down_a_column(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 4, "临沂市人口统计表")
        sheet.merge_range(1, 0, 2, 0, "县区")
        sheet.merge_range(1, 1, 2, 1, "街道")
        sheet.merge_range(1, 2, 1, 3, "人口")
        sheet.merge_range(1, 4, 2, 4, "备注")
        sheet.write_row(2, 2, ["男", "女"])
        sheet.merge_range(3, 0, 5, 0, "兰山区")
        for row, name in enumerate(["金雀山街道", "银雀山街道", "柳青街道"], 3):
            sheet.write_row(row, 1, [name, row, row + 1])
        sheet.write_row(6, 0, ["罗庄区", "罗庄街道"])
        sheet.merge_range(6, 2, 6, 3, "待核")
    findings = Findings()
    frame = read(path, findings=findings)
    assert frame.columns[:5] == ["县区", "街道", "人口_男", "人口_女", "备注"]
    assert frame["县区"].to_list() == ["兰山区"] * 3 + ["罗庄区"]
    assert frame["人口_男"].to_list() == ["3", "4", "5", "待核"]
    assert frame["人口_女"].to_list() == ["4", "5", "6", ""]
    assert frame[LINE].to_list() == [4, 5, 6, 7]
    assert (findings.filled_cells, findings.header_rows, findings.title_rows) == (2, 2, 1)


def test_a_merged_cell_is_filled_across_chunks(tmp_path: Path) -> None:
    path, rows = tmp_path / "x.xlsx", BATCH_ROWS + 1_000
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["县区", "编号"])
        for row in range(1, rows + 1):
            sheet.write_number(row, 1, row)
        sheet.merge_range(1, 0, rows, 0, "兰山区")
    frame = read(path)
    assert frame.height == rows
    assert (frame["县区"] == "兰山区").all()


def test_a_formula_gives_what_it_showed_and_a_text_like_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["甲", "乙"])
        sheet.write_formula(1, 0, "=1+1", None, 2)
        sheet.write_string(1, 1, "=cmd|'/c calc'!A0")
        sheet.write_datetime(2, 0, datetime(2026, 3, 5, 8, 30, 59, 999_700),
                             book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}))  # fmt: skip
        sheet.write_string(2, 1, "-1+1")
    frame = read(path)
    assert frame.select("甲", "乙").rows() == [
        ("2", "=cmd|'/c calc'!A0"),
        ("2026-03-05 08:31:00", "-1+1"),
    ]


def test_a_table_that_does_not_begin_in_the_corner_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for row, values in enumerate([["甲", "乙"], ["一", "二"], ["三", "四"]], 4):
            sheet.write_row(row, 2, values)
    frame = read(path)
    assert frame.select("甲", "乙", LINE).rows() == [("一", "二", 6), ("三", "四", 7)]


def test_two_cells_in_opposite_corners_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Held in memory as a rectangle they would be half a terabyte, and the end of the night."""
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["甲", "乙"])
        sheet.write(1_048_575, 16_383, "x")
    assert refusal(path).rule in ("too_large", "unreadable_file")
    good = corpus.xlsx(tmp_path / "y.xlsx", {"数据": [("甲", "乙"), ("一", "二")]})
    assert read(good).height == 1


def test_more_cells_than_the_limit_are_refused_with_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["甲", "乙"])
        sheet.write(0, 99, "x")
        sheet.write(limits.WORKBOOK_CELLS // 100, 0, "x")
    found = refusal(path)
    assert found.rule == "too_large"
    assert f"{limits.WORKBOOK_CELLS:,}" in found.message


def test_parts_that_unpack_to_more_than_the_limit_are_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = corpus.xlsx(tmp_path / "x.xlsx", {"数据": [("甲", "乙"), ("一", "二")]})
    monkeypatch.setattr(limits, "WORKBOOK_EXPANDED_BYTES", 100)
    assert refusal(path).rule == "too_large"


def test_entities_in_a_workbook_expand_to_nothing(tmp_path: Path) -> None:
    path = corpus.xlsx(tmp_path / "x.xlsx", {"数据": [("甲", "乙"), ("一", "二")]})
    bomb = tmp_path / "bomb.xlsx"
    entities = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(10))
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == "xl/sharedStrings.xml":
                head, rest = text.split("?>", 1)
                text = f'{head}?><!DOCTYPE sst [<!ENTITY e0 "ha">{entities}]>' + rest.replace(
                    "一", "&e10;"
                )
            new.writestr(name, text)
    try:
        longest = read(bomb)["甲"].str.len_chars().max()
    except RefusedError:
        longest = 0
    assert longest < 1000


def test_a_process_that_hangs_is_a_refusal_and_the_next_file_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = corpus.xlsx(tmp_path / "x.xlsx", {"数据": [("甲", "乙"), ("一", "二")]})
    worker = workbook._Worker.take()
    os.kill(worker._process.pid, signal.SIGSTOP)  # as a damaged file would keep it busy
    worker.leave(keep=True)
    monkeypatch.setattr(limits, "WORKBOOK_SECONDS", 0.2)
    assert refusal(path).rule == "unreadable_file"
    monkeypatch.undo()
    assert read(path).height == 1


def test_the_same_path_with_another_content_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    for text in ("一", "二"):
        corpus.xlsx(path, {"数据": [("甲", "乙"), (text, "x")]})
        assert read(path)["甲"].to_list() == [text]


def test_a_hidden_sheet_is_read_only_when_it_is_named(tmp_path: Path) -> None:
    rows = [("甲", "乙"), ("一", "二")]
    path = corpus.xlsx(tmp_path / "x.xlsx", {"看": rows, "藏": rows}, hidden=["藏"])
    findings = Findings()
    assert read(path, findings=findings).height == 1
    assert "「藏」" in findings.skipped[0]
    assert read(path, Layout(sheet="藏")).height == 1


def test_an_old_workbook_of_several_sheets(tmp_path: Path) -> None:
    rows = [("甲", "乙"), ("一", "二")]
    path = corpus.xls(tmp_path / "x.xls", {"1月": rows, "2月": rows, "空": [("",)]})
    findings = Findings()
    assert read(path, findings=findings).height == 2
    assert [part.sheet for part in findings.parts] == ["1月", "2月"]


def test_an_error_is_shown_and_no_blank(tmp_path: Path) -> None:
    """Read as blank, a broken formula would pass for a value that nobody had."""
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("别的").write_row(0, 0, ["甲", "乙", "丙"])
        sheet = book.add_worksheet("数据 & 公式")
        sheet.write_row(2, 1, ["甲", "乙", "丙"])
        sheet.write_formula(3, 1, "=NA()", None, "#N/A")
        sheet.write_row(3, 2, ["", 't="e" r="Z9"\''])
        sheet.write_row(4, 1, ["#N/A", "x"])
        sheet.write_formula(4, 3, "=1/0", None, "#DIV/0!")
        sheet.write_formula(5, 2, '=IF(1<2,"<c r=&",)', None, "#VALUE!")
    assert read(path, Layout(sheet="数据 & 公式")).select("甲", "乙", "丙").rows() == [
        ("#N/A", "", 't="e" r="Z9"\''),
        ("#N/A", "x", "#DIV/0!"),
        ("", "#VALUE!", ""),
    ]


def test_errors_are_found_however_the_sheet_is_cut_and_written() -> None:
    """The markup comes in blocks cut anywhere; .NET writers put a prefix before every name."""
    cells = [(row, column) for row in range(40) for column in range(30)]
    for prefix in ("", "x:"):
        body = "".join(
            f'<{prefix}c r="{"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[column % 26]}{row + 1}" s="1" t="e">'
            f"<{prefix}f>NA()</{prefix}f><{prefix}v>#N/A</{prefix}v></{prefix}c>"
            if (row + column) % 3 == 0
            else f'<{prefix}c r="B1" t="s"><{prefix}v>3</{prefix}v></{prefix}c>'
            for row, column in cells
        )
        data = f"<{prefix}sheetData>{body}</{prefix}sheetData>".encode()
        expected = [(column % 26, row, "#N/A") for row, column in cells if (row + column) % 3 == 0]
        for size in (1, 7, 64, 1_000, len(data)):
            # The prefix shows in the first block, which is never so small.
            blocks = [data[:64], *(data[at : at + size] for at in range(64, len(data), size))]
            assert list(workbook_parts.cells_in(iter(blocks))) == expected


def test_a_share_is_its_value(tmp_path: Path) -> None:
    """The library gives values without their formats; a contract must not count on the sign."""
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["甲", "乙"])
        sheet.write_number(1, 0, 0.55, book.add_format({"num_format": "0.0%"}))
        sheet.write_string(1, 1, "55.0%")
    assert read(path).select("甲", "乙").rows() == [("0.55", "55.0%")]


def test_an_encrypted_workbook_is_named_as_such(tmp_path: Path) -> None:
    """Excel keeps an encrypted workbook in a compound file, whose stream is called so."""
    path = tmp_path / "x.xlsx"
    path.write_bytes(corpus.compound_file("EncryptedPackage", bytes(8192)))
    assert refusal(path).rule == "encrypted"
