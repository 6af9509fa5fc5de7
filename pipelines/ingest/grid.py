"""Rows of cells (a sheet, an HTML table) → a table: header, merged cells, rows.

Belongs here: what sheets and HTML tables have in common. Does not belong here: getting at the
cells (`workbook`, `html`).

Merged cells: in the header all cells of the range have its text. Among the data a range of one
column and several rows gives each row the value, as people write a value once for many rows; of
any other range only the first cell has it, as the file says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.ingest import header
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import Table, column_names, with_door_columns
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError


@dataclass(frozen=True)
class Merge:
    """A range of merged cells; rows and columns count from 0, the last ones belong to it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Grid:
    """Cells as text: frames of String columns by position, row by row from row 0."""

    frames: Iterator[pl.DataFrame]
    merges: Sequence[Merge] = ()


def table(grid: Grid, layout: Layout, findings: Findings, where: str) -> Table:
    """The table in a grid.

    Args:
        grid: read once, from its beginning.
        layout: what is known.
        findings: gets the number of cells filled.
        where: the sheet or table, for people.

    Raises:
        RefusedError: without any cell.
    """
    first = next((frame for frame in grid.frames if frame.height), None)
    if first is None or not first.width:
        raise RefusedError("empty_file", f"{where}没有内容，请重新导出后报送。")
    head = [list(row) for row in first.head(header.HEAD_ROWS).iter_rows()]
    merged = _fill_header(head, grid.merges)
    found = header.find_header(head, layout, merged=merged)
    start = found.first + found.rows
    columns = column_names(found.names)

    def frames() -> Iterator[pl.DataFrame]:
        fill = _Fill([merge for merge in grid.merges if _is_vertical(merge, start)], findings)
        row = 0
        for frame in _chain(first, grid.frames):
            filled = fill(frame, row)
            skipped = min(max(start - row, 0), frame.height)
            yield _named(filled.slice(skipped), columns, row + skipped + 1)
            row += frame.height

    return Table(
        found,
        found.first + 1 if found.rows else None,
        frames,
        certainty={"header": found.certainty},
    )


def _chain(first: pl.DataFrame, others: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from others


def _fill_header(head: list[list[str]], merges: Sequence[Merge]) -> bool:
    """Give every cell of a range among the first rows its text; whether there is any range."""
    found = False
    for merge in merges:
        if merge.top >= len(head) or merge.left >= len(head[0]):
            continue
        found = True
        text = head[merge.top][merge.left]
        for row in head[merge.top : merge.bottom + 1]:
            right = min(merge.right + 1, len(row))
            row[merge.left : right] = [text] * (right - merge.left)
    return found


def _is_vertical(merge: Merge, start: int) -> bool:
    return merge.left == merge.right and merge.bottom > merge.top >= start


def _named(frame: pl.DataFrame, columns: list[str], line: int) -> pl.DataFrame:
    """The frame's columns by their names; cells beyond the last named column are blank."""
    given = frame.columns[: len(columns)]
    missing = [pl.lit("").alias(name) for name in columns[len(given) :]]
    named = frame.select(
        *(pl.col(old).alias(new) for old, new in zip(given, columns, strict=False)), *missing
    )
    lines = pl.int_range(line, line + frame.height, eager=True)
    return with_door_columns(named, lines)


class _Fill:
    """Gives the cells of vertically merged ranges their value, across frames."""

    def __init__(self, merges: list[Merge], findings: Findings) -> None:
        self._merges = sorted(merges, key=lambda merge: merge.top)
        self._findings = findings
        self._open: list[tuple[Merge, str]] = []

    def __call__(self, frame: pl.DataFrame, row: int) -> pl.DataFrame:
        end = row + frame.height
        while self._merges and self._merges[0].top < end:
            merge = self._merges.pop(0)
            if merge.left < frame.width:
                value = frame[merge.top - row, merge.left]
                self._open.append((merge, value))
        by_column: dict[int, list[tuple[int, int, str]]] = {}
        for merge, value in self._open:
            span = (max(merge.top + 1, row) - row, min(merge.bottom + 1, end) - row, value)
            if span[1] > span[0]:
                by_column.setdefault(merge.left, []).append(span)
        for column, spans in by_column.items():
            values = frame.to_series(column)
            for start, stop, value in spans:
                values = values.scatter(range(start, stop), value)
                self._findings.filled_cells += stop - start
            frame = frame.with_columns(values)
        self._open = [(merge, value) for merge, value in self._open if merge.bottom >= end]
        return frame
