"""Records → frames of text columns; what every reader hands on.

Belongs here: the columns of a chunk, ragged records, blank records, rows of sums. Does not
belong here: any one format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipelines.ingest import limits
from pipelines.ingest.findings import Findings
from pipelines.ingest.refusal import RefusedError
from quality.pandera_schemas import RAGGED
from quality.text_bytes import text_bytes

LINE = "_line_number"
ROW = "_row"
DOOR_COLUMNS = (LINE, RAGGED, ROW)
CHUNK_ROWS = 131_072
_SUM_BEGINS = "计".encode()[0]
_NO_PATTERN = "\x1f"

_GAP = r"[\s\u3000]*"
_TOTAL = f"^{_GAP}(?:合{_GAP}计|总{_GAP}计(?:{_GAP}数)?|小{_GAP}计)[:：]?{_GAP}$"
_EMPTY_OR_NUMBER = (
    r"^[\s\u3000\u00a0]*([-+]?[¥￥]?[0-9][0-9,，]*(\.[0-9]+)?%?|[-—/]+)?[\s\u3000\u00a0]*$"
)


@dataclass(frozen=True)
class Header:
    """Where the header of a table is, and the names it gives.

    `first` is its row, counted from 0, among the rows looked at; with `rows` 0 it is the first
    row of data.
    """

    names: tuple[str, ...]
    first: int = 0
    rows: int = 1
    titles: int = 0
    certainty: str = "sure"


@dataclass
class Table:
    """One table, found but not yet read.

    `frames()` gives its chunks, once: a String column per name of `columns`, and the door's
    columns; `line` is the line or row of the header. `facts` are fields of `Findings`.
    """

    header: Header
    line: int | None
    frames: Callable[[], Iterator[pl.DataFrame]]
    member: str | None = None
    sheet: str | None = None
    position: int = 0
    """Of the sheet in its workbook."""
    facts: dict[str, object] = field(default_factory=dict)
    certainty: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The names of the columns, made unique."""
        return column_names(self.header.names)


def column_name(header: str) -> str:
    """The column of a frame that holds what stands below a header: the header itself.

    Polars takes `*` and what begins with `^` and ends in `$` for patterns, even as the name of
    the one series it works on. With a control character behind it, which no header has
    (`header.clean`), it is none.
    """
    is_pattern = header == "*" or (header.startswith("^") and header.endswith("$"))
    return header + _NO_PATTERN if is_pattern else header


def header_of(column: str) -> str:
    """The header that `column_name` was given."""
    return column.removesuffix(_NO_PATTERN)


def column_names(headers: Sequence[str]) -> list[str]:
    """The columns of headers, kept unique: unnamed and repeated ones get their position."""
    names: dict[str, None] = {}
    reserved = {*headers, *DOOR_COLUMNS}
    for position, header in enumerate(headers):
        name = column_name(header)
        if name in names or not name or name in DOOR_COLUMNS:
            name = column_name(f"{header}#{position}")
            while name in names or name in reserved:
                name += "#"
        names[name] = None
    return list(names)


def check_width(width: int) -> None:
    """Refuse a table of more columns than the door takes."""
    if width > limits.COLUMNS:
        message = f"表有 {width} 列，超过上限 {limits.COLUMNS} 列，请检查分隔符或拆分后报送。"
        raise RefusedError("too_many_columns", message)


def record_frame(
    records: Sequence[Sequence[str]],
    lines: Sequence[int],
    names: Sequence[str],
    odd: Container[int] = (),
) -> pl.DataFrame:
    """Records of any width as a frame: short ones are filled up, long ones cut, both marked.

    `odd` are the places of records that are marked whatever their width.
    """
    width = len(names)
    ragged = [
        bool(record) and (len(record) != width or place in odd)
        for place, record in enumerate(records)
    ]
    rows = [
        json.dumps(list(record), ensure_ascii=False) if is_odd else None
        for record, is_odd in zip(records, ragged, strict=True)
    ]
    even = [
        record if len(record) == width else ([*record, *[""] * width])[:width] for record in records
    ]
    columns = zip(*even, strict=True) if even else ([] for _ in names)
    data = {
        name: pl.Series(name, values, dtype=pl.String)
        for name, values in zip(names, columns, strict=True)
    }
    return with_door_columns(pl.DataFrame(data), lines, ragged, rows)


def with_door_columns(
    frame: pl.DataFrame,
    lines: Sequence[int] | pl.Series,
    ragged: Sequence[bool] | None = None,
    rows: Sequence[str | None] | None = None,
) -> pl.DataFrame:
    """Adds line numbers, and the marks of ragged records where there are some."""
    return frame.with_columns(
        pl.Series(LINE, lines, dtype=pl.Int64),
        pl.lit(False).alias(RAGGED) if ragged is None else pl.Series(RAGGED, ragged),
        pl.lit(None, dtype=pl.String).alias(ROW)
        if rows is None
        else pl.Series(ROW, rows, dtype=pl.String),
    )


def without_blanks_and_totals(frame: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """The rows that are rows.

    A record without any value is counted as blank. A row of sums (its first value says 合计,
    总计, 小计 or 总计数, and the others are numbers or nothing) is noted and left out. Only the
    rows whose first column is blank or says so need a look at the others.
    """
    values = [name for name in frame.columns if name not in DOOR_COLUMNS]
    first = frame[values[0]]
    if _is_filled(first):
        return frame
    suspects = first.str.strip_chars().eq("") | _may_be_total(first)
    if not suspects.any():
        return frame
    odd = frame.filter(suspects)
    texts = odd.select(pl.col(values).str.strip_chars())
    is_empty = texts.select(
        pl.all_horizontal(pl.all() == "").alias("blank"),
        pl.coalesce(pl.when(pl.col(n) != "").then(pl.col(n)) for n in values).alias("first"),
        pl.sum_horizontal(~pl.col(n).str.contains(_EMPTY_OR_NUMBER) for n in values).alias("texts"),
    )
    blank = is_empty["blank"] & ~odd[RAGGED]
    long = odd[ROW].is_not_null() & _is_longer(odd[ROW], len(values))
    total = (
        is_empty["first"].str.contains(_TOTAL).fill_null(False) & (is_empty["texts"] == 1) & ~long
    )
    if not (blank | total).any():
        return frame
    findings.blank_records += int(blank.sum())
    findings.leave_out_totals(odd.filter(total)[LINE].to_list())
    gone = suspects.arg_true().filter(blank | total)
    keep = pl.Series([True]).new_from_index(0, frame.height).scatter(gone, False)
    return frame.filter(keep)


def _is_filled(first: pl.Series) -> bool:
    """Whether no value of a column is blank and none says of sums, seen by its bytes alone."""
    if first.null_count():
        return False
    found = text_bytes(first)
    return bool(found.lengths.all()) and not found.may_hold_space and found.greatest < _SUM_BEGINS


def _may_be_total(first: pl.Series) -> pl.Series:
    short = first.str.len_bytes() <= 40
    if not short.any():
        return short
    return short & first.str.contains("计", literal=True)


def _is_longer(rows: pl.Series, width: int) -> pl.Series:
    """Whether a ragged record has more values than the table has columns."""
    lengths = [len(json.loads(row)) if row else 0 for row in rows]
    return pl.Series([length > width for length in lengths], dtype=pl.Boolean)
