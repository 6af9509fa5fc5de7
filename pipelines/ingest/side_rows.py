"""Rows that stand in a table and are none of its records: signatures, notes, the header again.

Belongs here: telling them by evidence, whatever the format, and noting where they stood.
Does not belong here: blank rows and rows of sums (`frames`), titles above the header (`header`).

A register printed in pages repeats its header; a form ends in 填表人：… 审核人：… or in 注：….
Neither is a record, and none of them is lost: their lines are in the findings, their text in the
archived original. What is not clearly one of them stays a row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import DOOR_COLUMNS, LINE, ROW, header_of
from quality.pandera_schemas import RAGGED

_LABEL = (
    r"^(?:(?:填表|制表|填报|报送|经办|审核|复核|审批|统计|单位|部门|分管|主管|主要)*"
    r"(?:人|员|人员|负责人|领导|单位|部门|机关|日期|时间|签字|签章|盖章)|"
    r"联系人|联系电话|电话|制表|填表|审核|复核|备注|附注|注|说明|填表说明|数据来源|资料来源)"
    r"(?:[(（](?:签字|签章|盖章|公章)[)）])?[:：]"
)
"""What begins a signature or a note, without the space between its characters."""
_ONLY_LABEL = f"{_LABEL}$"
_SPACE = r"[\s\u3000\u00a0]+"
_FEWEST_COLUMNS = 3


def without_side_rows(frame: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """The rows of a chunk that are records; the lines of the others are noted.

    The header again: every value stands under itself. A note: in a table of three columns or more,
    at most half of which say something, the first value begins as 填表人：, 注： and the like do,
    and so does each further one, unless it stands behind a label that has nothing of its own.
    """
    values = [name for name in frame.columns if name not in DOOR_COLUMNS]
    headers = [header_of(name) for name in values]
    first = frame[values[0]]
    suspects = (first == headers[0]) | (first == "")
    if first.str.len_bytes().sum() != first.str.len_chars().sum():  # else all of it is ASCII
        suspects |= _squeezed(first).str.contains(_LABEL)
    if not suspects.any():
        return frame
    odd = frame.filter(suspects)
    again = _is_header_again(odd, values, headers)
    notes = _are_notes(odd, values)
    if not (again | notes).any():
        return frame
    findings.leave_out_headers(odd.filter(again)[LINE].to_list())
    findings.leave_out_notes(odd.filter(notes)[LINE].to_list())
    gone = suspects.arg_true().filter(again | notes)
    keep = pl.Series([True]).new_from_index(0, frame.height).scatter(gone, False)
    return frame.filter(keep)


def _is_header_again(odd: pl.DataFrame, values: list[str], headers: list[str]) -> pl.Series:
    if len(values) < 2:
        return pl.repeat(False, odd.height, dtype=pl.Boolean, eager=True)
    same = [
        pl.col(value).str.strip_chars() == header
        for value, header in zip(values, headers, strict=True)
    ]
    return odd.select(pl.all_horizontal(same) & ~pl.col(RAGGED)).to_series()


def _are_notes(odd: pl.DataFrame, values: list[str]) -> pl.Series:
    nothing = pl.repeat(False, odd.height, dtype=pl.Boolean, eager=True)
    if len(values) < _FEWEST_COLUMNS:
        return nothing
    texts = odd.select(pl.col(values).str.strip_chars())
    leading = texts.select(
        pl.coalesce(pl.when(pl.col(name) != "").then(pl.col(name)) for name in values)
    ).to_series()
    may_be = _squeezed(leading).str.contains(_LABEL).fill_null(value=False).arg_true()
    if not may_be.len():
        return nothing
    found = [
        _is_note(row, record, len(values))
        for row, record in zip(
            texts[may_be].iter_rows(), odd[ROW].gather(may_be).to_list(), strict=True
        )
    ]
    return nothing.scatter(may_be.filter(pl.Series(found)), True)


def _is_note(row: Sequence[str], record: str | None, width: int) -> bool:
    """Whether a row whose first value begins like a note's is one as a whole."""
    said = pl.Series(json.loads(record) if record else list(row), dtype=pl.String)
    said = _squeezed(said).replace("", None).drop_nulls()
    if said.is_empty() or len(said) * 2 > width:
        return False
    labelled = said.str.contains(_LABEL)
    behind_a_label = said.str.contains(_ONLY_LABEL).shift(1, fill_value=False)
    return bool((labelled | behind_a_label).all())


def _squeezed(texts: pl.Series) -> pl.Series:
    """Without any space, for clerks spread short words: 填 表 人."""
    return texts.str.replace_all(_SPACE, "")
