"""A process of its own that opens workbooks: `python -m pipelines.ingest.workbook_worker`.

Belongs here: calamine, and cells as text. Does not belong here: anything that knows a contract;
this module imports nothing of ours but the limits and `workbook_parts`.

Workbooks are the one format that a library holds in memory as a whole. A damaged or malicious
one (two cells in opposite corners, a billion repeated rows) would take the whole night with it;
here it takes this process, whose memory is bounded.

On each line of the standard input comes a request, `{"path": …}` or, of that workbook,
`{"sheet": …}`.
The answer is one line of JSON, `{"sheets": [[name, visible], …]}`, `{"error": …}`, or
`{"rows": …, "columns": …, "merges": […]}`; the last is followed by an Arrow stream of the cells
as text, from row 0 and column 0 on.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import python_calamine as calamine

from pipelines.ingest import limits
from pipelines.ingest.workbook_parts import Errors, look_at

BATCH_ROWS, BATCH_CELLS = 65_536, 1 << 20
"""What is sent at once: enough for the door's steps to pay, under 100 MB as Python's strings."""


def cell_text(cell: object) -> str:
    """A cell as the text that a person sees: whole floats without `.0`, days without a time."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return _moment_text(cell)
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        hours, seconds = divmod(round(cell.total_seconds()), 3600)
        return f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
    return str(cell)


def _moment_text(moment: datetime) -> str:
    """To the second, which is all that a sheet's number of days holds for certain."""
    near = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    return near.strftime("%Y-%m-%d" if near.time() == time() else "%Y-%m-%d %H:%M:%S")


def _column(cells: tuple[object, ...]) -> pa.Array:
    kinds = set(map(type, cells))
    return pa.array(cells if kinds == {str} else [cell_text(cell) for cell in cells], pa.string())


def _rows(sheet: calamine.CalamineSheet, left: int) -> Iterator[list[object]]:
    pad: list[object] = [""] * left
    for row in sheet.iter_rows():
        yield [*pad, *row] if left else list(row)


def _with_errors(rows: Iterator[list[object]], errors: Errors) -> Iterator[list[object]]:
    """The rows, with what the cells in error show."""
    for number, row in enumerate(rows):
        for column, text in errors.get(number, {}).items():
            if column < len(row) and row[column] == "":
                row[column] = text
        yield row


def answer_sheet(book: calamine.CalamineWorkbook, path: str, name: str, out: BinaryIO) -> None:
    """Write the line of JSON and the Arrow stream of one sheet.

    Args:
        book: opened from `path`.
        path: the workbook.
        name: of the sheet.
        out: where the answer goes.

    Raises:
        calamine.CalamineError: there is no such sheet, or it cannot be read.
    """
    look = look_at(path, name)
    texts = _all_texts(path, name) if look.may_be_texts else None
    if texts is not None:
        _send(out, texts.num_rows, texts.num_columns, [], _slices(texts))
        return
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None or sheet.end is None:
        _line(out, {"rows": 0, "columns": 0, "merges": []})
        return
    height, width = sheet.end[0] + 1, sheet.end[1] + 1
    merges = [[*start, *end] for start, end in sheet.merged_cell_ranges or []]
    rows = _with_errors(_rows(sheet, sheet.start[1]), look.errors)
    _send(out, height, width, merges, _batches(rows, width))


def _all_texts(path: str, name: str) -> pa.RecordBatch | None:
    """A sheet that begins in the corner, if each of its cells is a text or blank.

    fastexcel is calamine too. It goes through a sheet once, where python-calamine looks for merged
    cells first, and makes no Python objects; but of a number or a date it makes another text than
    `cell_text`.
    """
    import fastexcel  # of large workbooks alone

    try:
        sheet = fastexcel.read_excel(path).load_sheet(
            name, header_row=None, skip_rows=0, schema_sample_rows=None, dtype_coercion="strict"
        )
        cells = sheet.to_arrow()
    except (fastexcel.FastExcelError, ValueError):
        return None  # cells of several types, or what calamine will say
    is_text = all(pa.types.is_string(kind) or pa.types.is_null(kind) for kind in cells.schema.types)
    return cells if is_text and cells.num_rows else None


def _slices(cells: pa.RecordBatch) -> Iterator[list[pa.Array]]:
    for start in range(0, cells.num_rows, size := _batch_rows(cells.num_columns)):
        part = cells.slice(start, size)
        yield [pc.fill_null(column.cast(pa.string()), "") for column in part.columns]


def _batches(rows: Iterator[list[object]], width: int) -> Iterator[list[pa.Array]]:
    while batch := list(islice(rows, _batch_rows(width))):
        yield [_column(cells) for cells in zip(*batch, strict=True)]


def _batch_rows(width: int) -> int:
    return max(1, min(BATCH_ROWS, BATCH_CELLS // width))


def _send(
    out: BinaryIO, height: int, width: int, merges: list[Any], batches: Iterator[list[pa.Array]]
) -> None:
    if height * width > limits.WORKBOOK_CELLS:
        _line(out, {"error": "too_large", "cells": height * width})
        return
    _line(out, {"rows": height, "columns": width, "merges": merges})
    schema = pa.schema([(str(place), pa.string()) for place in range(width)])
    with pa.ipc.new_stream(out, schema) as stream:
        for columns in batches:
            stream.write_batch(pa.record_batch(columns, schema=schema))


def _line(out: BinaryIO, answer: dict[str, object]) -> None:
    out.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def _open(path: str) -> calamine.CalamineWorkbook:
    try:
        return calamine.CalamineWorkbook.from_path(path)
    except calamine.PasswordError:
        raise
    except calamine.CalamineError:
        # The ending of the name misleads: what the file is, its content says.
        with open(path, "rb") as file:  # noqa: PTH123
            return calamine.CalamineWorkbook.from_filelike(file)


def _sheets(book: calamine.CalamineWorkbook) -> list[list[object]]:
    return [
        [sheet.name, sheet.visible == calamine.SheetVisibleEnum.Visible]
        for sheet in book.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows: the limit of cells alone
        return
    resource.setrlimit(resource.RLIMIT_AS, (limits.WORKBOOK_MEMORY, limits.WORKBOOK_MEMORY))


def main() -> None:
    """Answer requests until the standard input ends."""
    _limit_memory()
    gc.disable()  # cells make no cycles, and looking for some takes a third of the time
    out = sys.stdout.buffer
    book: calamine.CalamineWorkbook | None = None
    path = ""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            if "path" in request:
                book = None  # the one before, whose memory is needed
                path = request["path"]
                book = _open(path)
                _line(out, {"sheets": _sheets(book)})
            elif book is not None:
                answer_sheet(book, path, request["sheet"], out)
        except calamine.PasswordError:
            _line(out, {"error": "encrypted"})
        except (calamine.CalamineError, OSError, ValueError, OverflowError):
            _line(out, {"error": "unreadable"})
        out.flush()


if __name__ == "__main__":
    main()
