"""`yishu source read FILE`: what the door makes of a file, without contract and without loading.

Belongs here: reading one file and telling about it. Does not belong here: the reading itself
(`pipelines.ingest.parse`), or judging rows.

No value of a row is shown: the headers, the counts and the places are enough to see whether the
file reads right; `--to` writes the values where the user wants them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.ingest import limits, parse
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import DOOR_COLUMNS, LINE, header_of
from pipelines.ingest.layout import FORMATS, Layout
from pipelines.ingest.refusal import RefusedError
from quality.garbled_text import GARBLED_PATTERN
from quality.pandera_schemas import RAGGED
from quality.server_reader import ENCODINGS

ENDINGS = (".csv", ".parquet")
_SHOWN_LINES = 20


class ArgumentError(Exception):
    """An argument that cannot be; the message says what can."""


def layout(
    file_format: str | None,
    encoding: str | None,
    sheet: str | None,
    delimiter: str | None = None,
    widths: str | None = None,
) -> Layout:
    """The layout that the command line declares.

    Raises:
        ArgumentError: an unknown format or encoding.
    """
    if file_format is not None and file_format.lower() not in FORMATS:
        raise ArgumentError(f"--format must be one of {', '.join(FORMATS)}")
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise ArgumentError(f"--encoding must be one of {', '.join(ENCODINGS)}")
    if delimiter is not None and len(delimiter := delimiter.replace("\\t", "\t")) != 1:
        raise ArgumentError("--delimiter must be a single character (\\t for a tab)")
    parts = widths.split(",") if widths else []
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise ArgumentError("--widths must be whole numbers above 0: 6,18,10")
    return Layout(
        file_format=FORMATS[file_format.lower()] if file_format else None,
        encoding=encoding.lower() if encoding else None,
        sheet=sheet,
        delimiter=delimiter,
        widths=tuple(map(int, parts)),
    )


def run(
    file: Path, to: Path | None, declared: Layout, console: Console, *, as_json: bool = False
) -> int:
    """Read the file and tell; 0 well read, 1 refused.

    Raises:
        ArgumentError: no such file, or an ending that nothing is written to.
    """
    if not file.is_file():
        raise ArgumentError(f"no file {str(file)!r}")
    if to is not None and to.suffix.lower() not in ENDINGS:
        raise ArgumentError(f"--to must end in {' or '.join(ENDINGS)}")
    findings = Findings()
    odd = _OddRows()
    rows = 0
    try:
        with _written(to) as write:
            for frame in parse.read(file, declared, findings):
                rows += frame.height
                odd.add(frame)
                write(frame)
    except RefusedError as refusal:
        if as_json:
            _print_json(console, {"refused": refusal.rule, "message": refusal.message})
        else:
            console.print(f"refused: {escape(str(refusal))}", highlight=False, soft_wrap=True)
        return 1
    if as_json:
        _print_json(console, {"rows": rows, "refused_rows": odd.found, **asdict(findings)})
    else:
        _tell(console, file, findings, rows, odd)
        if to is not None:
            console.print(f"wrote {escape(str(to))}", soft_wrap=True)
    return 0


class _OddRows:
    """Rows that the door refuses whatever the contract: how many, and the first lines."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {
            "row_shape": {"rows": 0, "lines": []},
            "readable_text": {"rows": 0, "lines": []},
        }

    def add(self, frame: pl.DataFrame) -> None:
        """Look at one chunk."""
        texts = [name for name in frame.columns if name not in DOOR_COLUMNS]
        garbled = pl.any_horizontal(pl.col(n).str.contains(GARBLED_PATTERN) for n in texts)
        for name, test in (("row_shape", pl.col(RAGGED)), ("readable_text", garbled)):
            lines = frame.filter(test)[LINE]
            found = self.found[name]
            found["rows"] += len(lines)
            room = limits.NOTED_LINES - len(found["lines"])
            found["lines"] += lines.head(max(room, 0)).to_list()


Write = Callable[[pl.DataFrame], None]


@contextmanager
def _written(to: Path | None) -> Iterator[Write]:
    """A call that appends a chunk to the file; a file that is not finished is not left behind."""
    if to is None:
        yield lambda _: None
        return
    partial = to.with_name(f".{to.name}.part")
    writer: pq.ParquetWriter | pa_csv.CSVWriter | None = None

    def write(frame: pl.DataFrame) -> None:
        nonlocal writer
        table = frame.select(pl.exclude(DOOR_COLUMNS), LINE).to_arrow()
        fields = [pa.field(f.name, _plain(f.type)) for f in table.schema]
        table = table.cast(pa.schema(fields)).rename_columns([header_of(f.name) for f in fields])
        if writer is None:
            kind = pq.ParquetWriter if to.suffix.lower() == ".parquet" else pa_csv.CSVWriter
            writer = kind(partial, table.schema)
        writer.write_table(table)

    try:
        yield write
        if writer is not None:
            writer.close()
            partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_integer(kind) else pa.string()


def _print_json(console: Console, data: dict[str, Any]) -> None:
    text = json.dumps(data, ensure_ascii=False, indent=1)
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def _tell(console: Console, file: Path, findings: Findings, rows: int, odd: _OddRows) -> None:
    table = Table("what", "found", "how sure", box=SIMPLE_HEAD)
    sure = findings.certainty
    header = "none" if findings.header_line is None else f"line {findings.header_line}"
    if findings.header_rows == 2:
        header += ", two rows"
    if findings.title_rows:
        header += f", {findings.title_rows} title rows above"
    format_ = " in ".join(filter(None, (findings.file_format, findings.container)))
    for name, value, certainty in (
        ("format", format_, sure.get("file_format")),
        ("encoding", findings.encoding, sure.get("encoding")),
        ("delimiter", repr(findings.delimiter) if findings.delimiter else None,
         sure.get("delimiter")),
        ("quotes", findings.quote, None),
        ("record", findings.record, None),
        ("header", header, sure.get("header")),
        ("columns", str(len(findings.headers)), None),
        ("rows", f"{rows:,}", None),
        ("blank records", f"{findings.blank_records:,}", None),
        ("rows of sums, left out", _places(findings.total_rows, findings.total_row_lines), None),
        ("signatures and notes, left out",
         _places(findings.note_rows, findings.note_row_lines), None),
        ("the header again, left out",
         _places(findings.repeated_headers, findings.repeated_header_lines), None),
        ("cells filled from merged cells", f"{findings.filled_cells:,}", None),
        *((f"rows refused: {rule}", _places(found["rows"], found["lines"]), None)
          for rule, found in odd.found.items()),
    ):  # fmt: skip
        if value not in (None, "", "0"):
            table.add_row(name, escape(str(value)), certainty or "")
    console.print(f"[bold]{escape(str(file))}[/bold]", soft_wrap=True)
    console.print(table)
    console.print(escape("headers: " + " | ".join(findings.headers)), soft_wrap=True)
    for part in findings.parts if len(findings.parts) > 1 else []:
        where = " / ".join(filter(None, (part.member, part.sheet)))
        console.print(escape(f"part: {where}, lines from {part.first_line:,}"), soft_wrap=True)
    for note in findings.skipped:
        console.print(escape(note), soft_wrap=True)


def _places(count: int, lines: list[int]) -> str | None:
    if not count:
        return None
    shown = ", ".join(map(str, lines[:_SHOWN_LINES]))
    return f"{count:,}: lines {shown}{' …' if count > _SHOWN_LINES else ''}"
