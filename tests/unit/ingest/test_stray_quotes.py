"""Two quotes that nobody meant: the rows between them must not pass for one value."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest import decode, parse
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import LINE, ROW
from pipelines.ingest.layout import Layout
from pipelines.ingest.stray_quotes import StrayQuotes
from quality.pandera_schemas import RAGGED

HEADER = ["编号", "名称", "地址", "金额"]


def read(folder: Path, lines: list[str], end: str = "\n") -> pl.DataFrame:
    path = folder / "x.csv"
    path.write_text(end.join([*lines, ""]), encoding="utf-8", newline="")
    return pl.concat(parse.read(path, Layout(), Findings()))


def table(rows: int, width: int = 4) -> list[str]:
    body = [f"{row},名{row},沂河路{row}号,{row}.5" for row in range(1, rows + 1)]
    return [",".join(HEADER[:width]), *(",".join(line.split(",")[:width]) for line in body)]


def quoted(lines: list[str], first: int, last: int, place: int, closing: str) -> list[str]:
    """A quote that opens a value of one line, and one that ends or opens a value of another."""
    spoiled = list(lines)
    values = spoiled[first].split(",")
    values[place] = f'"{values[place]}'
    spoiled[first] = ",".join(values)
    values = spoiled[last].split(",")
    values[place] = f'"{values[place]}' if closing == "opens" else f'{values[place]}"'
    spoiled[last] = ",".join(values)
    return spoiled


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("closing", ["opens", "ends"])
@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize("place", [1, -1])
def test_each_line_between_two_stray_quotes_is_quarantined_by_itself(
    tmp_path: Path, width: int, closing: str, end: str, place: int
) -> None:
    lines = quoted(table(60, width), 10, 14, place, closing)
    frame = read(tmp_path, lines, end)
    assert frame.height == 60
    assert frame[LINE].to_list() == list(range(2, 62))
    odd = frame.filter(RAGGED)
    assert odd[LINE].to_list() == [11, 12, 13, 14, 15]
    assert [",".join(json.loads(row)) for row in odd[ROW]] == lines[10:15]
    assert frame.filter(~pl.col(RAGGED)).height == 55


def test_rows_that_run_together_across_blocks_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "BLOCK_BYTES", 512)
    frame = read(tmp_path, quoted(table(200), 20, 120, 1, "opens"))
    assert frame.height == 200
    assert frame.filter(RAGGED)[LINE].to_list() == list(range(21, 122))


def test_other_ragged_rows_and_other_quotes_stay_what_they_are(tmp_path: Path) -> None:
    lines = quoted(table(40), 10, 12, 2, "opens")
    lines[20] = "20,名20"
    lines[30] = '30,"名\n30","沂河路,3号",30.5'
    frame = read(tmp_path, lines)
    assert frame.filter(RAGGED)[LINE].to_list() == [11, 12, 13, 21]
    assert frame.filter(pl.col("编号") == "30").row(0)[:3] == ("30", "名\n30", "沂河路,3号")


@pytest.mark.parametrize(
    "value",
    ["第一行\n第二行", "甲,乙\n丙", "地址：\n沂河路1号,北楼", "\n\n", 'a "b"\nc'],
)
def test_a_value_that_holds_line_breaks_stays_one(tmp_path: Path, value: str) -> None:
    escaped = value.replace('"', '""')
    for width in (2, 3, 4):
        lines = table(60, width)
        lines[5] = ",".join([f'"{escaped}"', *lines[5].split(",")[1:]])
        frame = read(tmp_path, lines)
        assert frame.height == 60
        assert frame["编号"][4] == value
        assert not frame[RAGGED].any()


def test_with_few_rows_around_two_columns_are_no_evidence(tmp_path: Path) -> None:
    """A remark of two lines may have one comma in each; better read as its writer meant it."""
    frame = read(tmp_path, ["编号,备注", '1,"一\n2,三"', "4,五"])
    assert frame["备注"].to_list() == ["一\n2,三", "五"]


@given(
    st.lists(
        st.lists(st.text(st.sampled_from("沂1\n,\" "), max_size=6), min_size=5, max_size=5),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_a_well_written_record_is_taken_apart_only_where_each_line_is_a_row(
    records: list[list[str]],
) -> None:
    for record in records:
        text = ",".join('"' + value.replace('"', '""') + '"' for value in record)
        lines = text.split("\n")
        rows = StrayQuotes(lines, ",", 5).rows(0, len(lines))
        is_shaped = len(lines) > 1 and all(line.count(",") == 4 for line in lines)
        assert (rows is not None) == is_shaped
