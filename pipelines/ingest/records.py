"""Records of named values (JSON, XML) → a table.

Belongs here: which columns there are, and records that do not fit them. Does not belong here:
getting at the records (`json_records`, `xml_records`).

`_line_number` of such a record is its number, 1 for the first: the lines of a JSON or XML file
say nothing, and a whole file may be one line. A name that a record has not is an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.ingest import header
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import (
    CHUNK_ROWS,
    ROW,
    Header,
    Table,
    check_width,
    column_names,
    with_door_columns,
)
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from quality.pandera_schemas import RAGGED

_HALVES = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Record:
    """One record: names and values as text; `odd` is a JSON list of what does not fit that."""

    values: dict[str, str]
    number: int
    odd: str | None = None


def table(read: Callable[[], Iterator[Record]], layout: Layout, findings: Findings) -> Table:
    """The table of a file of records.

    Its columns are all names that occur. Where headers are expected, they must occur in the
    first chunk, and a name that comes up later is noted as unexpected, as it would be if it came
    earlier. Otherwise the file is read twice.

    Args:
        read: gives the records from the first one on, each time anew.
        layout: what is known.
        findings: gets the names that come up later.

    Raises:
        RefusedError: without any record.
    """
    names: dict[str, None] = {}
    for count, record in enumerate(read()):
        names.update(dict.fromkeys(record.values))
        check_width(len(names))
        if layout.headers and count >= CHUNK_ROWS:
            break
    if not names:
        raise RefusedError("empty_file", "文件中没有记录，请重新导出后报送。")
    found = Header(tuple(header.clean(_sound(name)) for name in names), 0, 0, 0, "sure")
    columns = column_names(found.names)

    def frames() -> Iterator[pl.DataFrame]:
        part: list[Record] = []
        known = frozenset(names)
        later: dict[str, None] = {}
        for record in read():
            later.update(dict.fromkeys(record.values.keys() - known))
            part.append(record)
            if len(part) == CHUNK_ROWS:
                yield _frame(part, tuple(names), columns)
                part = []
        findings.unexpected_headers += sorted(later)
        if part:
            yield _frame(part, tuple(names), columns)

    return Table(found, None, frames, certainty={"header": "sure"})


def _frame(part: list[Record], names: tuple[str, ...], columns: list[str]) -> pl.DataFrame:
    frame = pl.DataFrame(
        [
            _series([record.values.get(name, "") for record in part]).alias(column)
            for name, column in zip(names, columns, strict=True)
        ]
    )
    marked = with_door_columns(frame, [record.number for record in part])
    whole = [record.odd for record in part]
    if not any(whole):
        return marked
    rows = _series(whole)
    return marked.with_columns(rows.is_not_null().alias(RAGGED), rows.alias(ROW))


def _series(values: Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(values, dtype=pl.String)
    except UnicodeEncodeError:
        return pl.Series([value and _sound(value) for value in values], dtype=pl.String)


def _sound(text: str) -> str:
    """Without halves of characters, which JSON can write and no text can hold."""
    return _HALVES.sub("\ufffd", text)
