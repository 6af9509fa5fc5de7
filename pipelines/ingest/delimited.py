"""Text with a delimiter → a table: dialect by evidence, then block by block.

Belongs here: records, quotes and line numbers of CSV and its kin. Does not belong here: bytes
and encodings (`decode`), which row is the header (`header`).

A block is read as a whole by Arrow; where one of its records needs a careful look (ragged, odd
quotes), by Python's csv module. Both give the same records and the same lines: LF, CRLF and CR
each end a line, wherever they stand.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from pipelines.ingest import decode, header, limits, sniff, stray_quotes
from pipelines.ingest.container import Member, read_up_to
from pipelines.ingest.frames import (
    CHUNK_ROWS,
    Header,
    Table,
    column_names,
    record_frame,
    with_door_columns,
)
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from pipelines.ingest.stray_quotes import StrayQuotes

_LINE_END = r"\r\n?|\n"
_END_MARK = "\x1f\x1f"
_USUAL = ",\t|;^~\x01\x1f\x1e\x1d"
_SELDOM = "#$@!&*+=§¦，、"
_SAMPLE_RECORDS = 200
_EVIDENT = 3
"""Records that must agree before something follows from them."""
_NULL = re.compile(rb"(^|[\r\n,\t|;^~\x01])\\N(?=[\r\n,\t|;^~\x01]|$)", re.MULTILINE)

_STRAY = re.compile(r'\\"(?!["\r\n]|\Z)')
"""A quote behind a backslash that would end a value in the middle of it."""

csv.field_size_limit(1 << 28)  # more than any block: a long field is never an error of its own


@dataclass(frozen=True)
class Dialect:
    """How fields are told apart."""

    delimiter: str
    escaped: bool = False
    """Whether a backslash takes the meaning from a quote or delimiter behind it."""
    certainty: str = "sure"

    def reader(self, text: str) -> Iterator[list[str]]:
        """Python's reader; it has `line_num`."""
        return csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self.delimiter,
            escapechar="\\" if self.escaped else None,
        )


def table(member: Member, head: bytes, encoding: sniff.Encoding, layout: Layout) -> Table:
    """The table of a delimited text.

    Args:
        member: where it lies.
        head: its first bytes.
        encoding: as found.
        layout: what is known.

    Raises:
        RefusedError: no content, too many columns, or (while the frames are read) a quote that
            is never closed.
    """
    codec = sniff.python_codec(encoding.name)
    text = _whole_lines(decode.text(head[encoding.mark :], codec), len(head))
    if not text.strip("\ufeff \t\r\n\0"):
        raise RefusedError("empty_file", "文件没有内容，请重新导出后报送。")
    dialect = find_dialect(text, layout)
    records, ends = _records(text, dialect, header.HEAD_ROWS)
    found = _with_trailing_blanks(header.find_header(records, layout), records)
    if not found.names:
        raise RefusedError("empty_file", "文件没有内容，请重新导出后报送。")
    skipped = ends[found.first + found.rows - 1] if found.rows else 0
    line = (ends[found.first - 1] if found.first else 0) + 1
    quoted = '"' in text
    names = column_names(found.names)

    def frames() -> Iterator[pl.DataFrame]:
        with member.open() as stream:
            read_up_to(stream, encoding.mark)
            yield from _frames(stream, codec, dialect, names, skipped)

    certainty = {"encoding": encoding.certainty, "header": found.certainty}
    certainty["delimiter"] = dialect.certainty
    facts: dict[str, object] = {
        "encoding": encoding.name,
        "delimiter": dialect.delimiter,
        "quote": ("escaped" if dialect.escaped else "doubled") if quoted else None,
    }
    return Table(found, line if found.rows else None, frames, facts=facts, certainty=certainty)


def _with_trailing_blanks(found: Header, records: list[list[str]]) -> Header:
    """With unnamed columns, where all records end with more delimiters than the header has."""
    data = [record for record in records[found.first + found.rows :] if any(record)]
    width = min(map(len, data), default=0)
    known = len(found.names)
    if width <= known or len(data) < _EVIDENT or any(any(record[known:]) for record in data):
        return found
    return replace(found, names=(*found.names, *[""] * (width - known)))


# -- evidence ----------------------------------------------------------------------------


def _whole_lines(text: str, size: int) -> str:
    """Without the line that the end of the head has cut."""
    if size < limits.HEAD_BYTES:
        return text
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text


def find_dialect(text: str, layout: Layout) -> Dialect:
    """The delimiter, and whether a backslash escapes, that make most sense of a text."""
    delimiters = (
        [layout.delimiter]
        if layout.delimiter
        else [sign for sign in _USUAL + _SELDOM if sign in text]
    )
    escapes = (False, True) if "\\" in text else (False,)
    scored = [
        (_score(text, Dialect(sign, escaped), layout), -escaped, -place, sign)
        for place, sign in enumerate(delimiters)
        for escaped in escapes
    ]
    if not scored:
        return Dialect(",", certainty="guess" if len(layout.headers) != 1 else "sure")
    best, escaped, place, sign = max(scored)
    others = [score for score, _, rank, _ in scored if rank != place]
    if layout.delimiter:
        certainty = "declared"
    elif best - max(others, default=0.0) > 0.3:
        certainty = "sure"
    else:
        certainty = "likely" if best > 0.5 else "guess"
    return Dialect(sign, bool(escaped), certainty)


def _score(text: str, dialect: Dialect, layout: Layout) -> float:
    """How regular the records are under a dialect; more where the expected headers appear."""
    records, _ = _records(text, dialect, _SAMPLE_RECORDS)
    widths = Counter(len(record) for record in records if any(record))
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    wide = sum(number for size, number in widths.items() if size > 1)
    expected = set(layout.headers)
    names = [{header.clean(field) for field in record} for record in records[:40]]
    hits = max((len(expected & found) for found in names), default=0) / max(len(expected), 1)
    if width == 1 and not hits:
        return 0.1 * wide / sum(widths.values())
    doubt = 0.3 if dialect.delimiter in _SELDOM else 0.0
    if not dialect.escaped and _STRAY.search(text.replace(f'\\"{dialect.delimiter}', "")):
        doubt += 0.5
    return 10 * hits + count / sum(widths.values()) + min(width, 20) * 0.01 - doubt


def _records(text: str, dialect: Dialect, most: int) -> tuple[list[list[str]], list[int]]:
    """The first records, and the physical line on which each ends."""
    reader = dialect.reader(text)
    records: list[list[str]] = []
    ends: list[int] = []
    for record in itertools.islice(reader, most):
        records.append(record)
        ends.append(reader.line_num)  # type: ignore[attr-defined]
    return records, ends


# -- reading -----------------------------------------------------------------------------


def _frames(
    stream: BinaryIO, codec: str, dialect: Dialect, names: list[str], skipped: int
) -> Iterator[pl.DataFrame]:
    line = 1
    for block in decode.passing_blocks(stream, codec, escaped=dialect.escaped):
        body: bytes | memoryview = block.data
        if block.quotes % 2:
            _refuse_unclosed_quote(decode.valid(block.data), dialect, line)
        if line <= skipped:
            body = _after_lines(block.data, skipped - line + 1)
            line = min(skipped, line + _lines(block.data) - 1) + 1
        if dialect.escaped:
            body = _NULL.sub(rb"\1", bytes(body))
        quoted = dialect.escaped or block.quotes > 0
        for frame, lines in _block_frames(body, names, dialect, line, quoted):
            yield frame
            line += lines


def _lines(block: bytes | memoryview) -> int:
    """Physical lines of a block that ends where a line ends."""
    signs = np.frombuffer(block, dtype=np.uint8)
    feed, is_return = signs == ord("\n"), signs == ord("\r")
    ends = np.count_nonzero(feed) + np.count_nonzero(is_return)
    ends -= np.count_nonzero(is_return[:-1] & feed[1:])
    return int(ends) + (bytes(block[-1:]) not in (b"\r", b"\n"))


def _refuse_unclosed_quote(block: bytes, dialect: Dialect, line: int) -> None:
    """A quote that is never closed makes all lines behind it one value; that is not guessed.

    A mark behind the block is a record of its own unless a quote is still open.
    """
    reader = dialect.reader(f"{block.decode()}\n{_END_MARK}")
    record: list[str] = []
    start = taken = 0
    for found in reader:
        record, start, taken = found, taken, reader.line_num  # type: ignore[attr-defined]
    if "".join(record) not in (_END_MARK, ""):
        message = f"第 {line + start} 行的引号没有闭合，其后各行无法分辨，请更正后重新报送。"
        raise RefusedError("unclosed_quote", message)


def _after_lines(block: memoryview, lines: int) -> memoryview:
    ends = re.finditer(_LINE_END.encode(), block)
    last = next(itertools.islice(ends, lines - 1, None), None)
    return block[last.end() if last else len(block) :]


def _block_frames(
    block: bytes | memoryview, names: list[str], dialect: Dialect, line: int, quoted: bool
) -> Iterator[tuple[pl.DataFrame, int]]:
    """The records of a block, in one frame or more, each with the physical lines it took.

    `quoted` says whether a value may hold a line end.
    """
    if not block:
        return
    frame = _fast_frame(block, names, dialect, quoted)
    if frame is None:
        readable = decode.valid(block)
        if readable != block:
            frame = _fast_frame(readable, names, dialect, quoted)
        if frame is None:
            yield from _careful_frames(readable, names, dialect, line)
            return
    if not quoted or _lines(block) == frame.height:
        yield (
            with_door_columns(frame, pl.int_range(line, line + frame.height, eager=True)),
            frame.height,
        )
        return
    inner = pl.sum_horizontal(pl.col(n).str.count_matches(_LINE_END) for n in frame.columns)
    extra = frame.select(inner.alias("extra")).to_series().cast(pl.Int64)
    if not dialect.escaped and stray_quotes.may_run_rows_together(frame, extra, dialect.delimiter):
        yield from _careful_frames(decode.valid(block), names, dialect, line)
        return
    starts = line + pl.int_range(frame.height, eager=True) + extra.cum_sum().shift(1, fill_value=0)
    yield with_door_columns(frame, starts), frame.height + int(extra.sum())


def _fast_frame(
    block: bytes | memoryview, names: list[str], dialect: Dialect, quoted: bool
) -> pl.DataFrame | None:
    """All records of a block at once; None where one of them needs a careful look.

    That is also where a byte is not UTF-8.
    """
    if len(dialect.delimiter.encode()) > 1 or not decode.is_valid(block):
        return None
    positions = [str(position) for position in range(len(names))]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(column_names=positions, block_size=max(len(block), 1)),
            parse_options=pa_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char='"' if quoted else False,
                double_quote=True,
                escape_char="\\" if dialect.escaped else False,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
            ),
            convert_options=pa_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(positions, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    frame = cast(pl.DataFrame, pl.from_arrow(table))
    frame.columns = names
    return frame


def _careful_frames(
    block: bytes, names: list[str], dialect: Dialect, line: int
) -> Iterator[tuple[pl.DataFrame, int]]:
    text = block.decode()
    reader = dialect.reader(text)
    quotes = '"' in text and not dialect.escaped
    found = (
        StrayQuotes(re.split(_LINE_END, text), dialect.delimiter, len(names)) if quotes else None
    )
    records: list[list[str]] = []
    starts: list[int] = []
    odd: set[int] = set()
    taken, begin = 0, 0
    for record in reader:
        end = reader.line_num  # type: ignore[attr-defined]
        rows = found.rows(begin, end) if found else None
        if rows:
            odd.update(range(len(records), len(records) + len(rows)))
        records += rows or [record]
        starts += range(line + begin, line + end) if rows else [line + begin]
        begin = end
        if len(records) >= CHUNK_ROWS:
            yield record_frame(records, starts, names, odd), begin - taken
            records, starts, odd, taken = [], [], set(), begin
    if records:
        yield record_frame(records, starts, names, odd), begin - taken
