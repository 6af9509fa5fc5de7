"""A delivered file → chunks of text columns with line numbers.

Belongs here: records and fields of CSV and XLSX. Does not belong here: types (`cast`).

A chunk has one String column per header, `_line_number` (1-based physical line, or sheet row,
on which the record starts; LF, CRLF and CR each end a line), `_ragged`, and `_row`: all values
of a ragged record as a JSON list, null elsewhere. Records without any value are not rows; they
are counted as blank.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from pipelines.ingest import decode
from pipelines.ingest.refusal import RefusedError
from quality.contract import Contract
from quality.pandera_schemas import RAGGED

LINE = "_line_number"
ROW = "_row"
CHUNK_ROWS = 131_072

_LINE_END = r"\r\n?|\n"
_END_MARK = "\x1f"

csv.field_size_limit(1 << 28)  # more than any block: a long field is never an error of its own


@dataclass
class Findings:
    """What the door found out about one file while reading it."""

    encoding: str | None = None
    sheet: str | None = None
    headers: list[str] = field(default_factory=list)
    unexpected_headers: list[str] = field(default_factory=list)
    blank_records: int = 0


def chunks(path: Path, contract: Contract, findings: Findings) -> Iterator[pl.DataFrame]:
    """Read one file as its contract says, chunk by chunk; fills `findings` on the way.

    Raises:
        RefusedError: empty file, unreadable workbook, missing sheet, wrong header.
    """
    if path.stat().st_size == 0:
        raise RefusedError("empty_file", "文件为空（0 字节），请重新导出后报送。")
    if contract.file_format == "xlsx":
        yield from _sheet_chunks(path, contract, findings)
    else:
        yield from _csv_chunks(path, contract, findings)


# -- header ------------------------------------------------------------------------------


def _clean_header(text: str) -> str:
    return text.strip(" \t\r\n\ufeff\u3000\u00a0")


def _check_header(
    headers: list[str], contract: Contract, findings: Findings, hint: str = ""
) -> list[str]:
    cleaned = [_clean_header(header) for header in headers]
    missing = [header for header in contract.headers if header not in cleaned]
    if missing:
        message = f"第 1 行表头缺少：{'、'.join(missing)}。{hint}请按约定的表头重新报送。"
        raise RefusedError("wrong_header", message)
    repeated = sorted({h for h in cleaned if cleaned.count(h) > 1 and h in contract.headers})
    if repeated:
        message = f"第 1 行表头重复：{'、'.join(repeated)}，请每列只保留一个。"
        raise RefusedError("wrong_header", message)
    findings.headers = cleaned
    findings.unexpected_headers = [h for h in cleaned if h and h not in contract.headers]
    return cleaned


# -- CSV ---------------------------------------------------------------------------------


def _csv_chunks(path: Path, contract: Contract, findings: Findings) -> Iterator[pl.DataFrame]:
    encoding = contract.encoding or "utf-8"
    findings.encoding = encoding
    headers: list[str] | None = None
    line = 1
    for block in decode.blocks(path, encoding):
        body = block
        if block.count(b'"') % 2:
            _refuse_unclosed_quote(block, contract.delimiter or ",", line)
        if headers is None:
            reader = csv.reader(
                io.StringIO(block.decode(), newline=""), delimiter=contract.delimiter or ","
            )
            first = next(reader, [])
            hint = _encoding_hint(path, encoding, contract)
            headers = _check_header(first, contract, findings, hint)
            line, body = reader.line_num + 1, _after_lines(block, reader.line_num)
        for frame, lines in _block_frames(body, headers, contract, line):
            yield _without_blanks(frame, contract, findings)
            line += lines
    if headers is None:
        raise RefusedError("empty_file", "文件没有内容，请重新导出后报送。")


def _refuse_unclosed_quote(block: bytes, delimiter: str, line: int) -> None:
    """A quote that is never closed makes all lines behind it one value; that is not guessed.

    A mark behind the block is a record of its own unless a quote is still open.
    """
    text = f"{block.decode()}\n{_END_MARK}"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    record: list[str] = []
    start = taken = 0
    for found in reader:
        record, start, taken = found, taken, reader.line_num
    if record != [_END_MARK]:
        message = f"第 {line + start} 行的引号没有闭合，其后各行无法分辨，请更正后重新报送。"
        raise RefusedError("unclosed_quote", message)


def _encoding_hint(path: Path, encoding: str, contract: Contract) -> str:
    """Whether the header reads right in the other encoding, said for the clerk."""
    other = "utf-8" if encoding == "gb18030" else "gb18030"
    with path.open("rb") as file:
        head = file.read(1 << 16).split(b"\n", 1)[0]
    text = head.decode(other, errors="ignore")
    if all(header in text for header in contract.headers):
        return f"文件编码是 {other.upper()}，约定为 {encoding.upper()}。"
    return ""


def _after_lines(block: bytes, lines: int) -> bytes:
    ends = re.finditer(_LINE_END.encode(), block)
    last = next(itertools.islice(ends, lines - 1, None), None)
    return block[last.end() :] if last else b""


def _block_frames(
    block: bytes, headers: list[str], contract: Contract, line: int
) -> Iterator[tuple[pl.DataFrame, int]]:
    """The records of a block, in one frame or more, each with the physical lines it took."""
    if not block:
        return
    frame = _fast_frame(block, headers, contract.delimiter or ",")
    if frame is None:
        yield from _careful_frames(block, headers, contract.delimiter or ",", line)
        return
    if b'"' in block:
        inner = pl.sum_horizontal(pl.col(n).str.count_matches(_LINE_END) for n in frame.columns)
        extra = frame.select(inner.alias("extra")).to_series().cast(pl.Int64)
    else:
        extra = pl.zeros(frame.height, dtype=pl.Int64, eager=True)
    starts = line + pl.int_range(frame.height, eager=True) + extra.cum_sum().shift(1, fill_value=0)
    lines = frame.height + int(extra.sum())
    yield (
        frame.with_columns(
            starts.alias(LINE),
            pl.lit(False).alias(RAGGED),
            pl.lit(None, dtype=pl.String).alias(ROW),
        ),
        lines,
    )


def _fast_frame(block: bytes, headers: list[str], delimiter: str) -> pl.DataFrame | None:
    """All records of a block at once; None where one of them needs a careful look."""
    names = [str(position) for position in range(len(headers))]
    quoted = b'"' in block
    ragged = False

    def refuse(_: pa_csv.InvalidRow) -> str:
        nonlocal ragged
        ragged = True
        return "skip"

    try:
        table = pa_csv.read_csv(
            io.BytesIO(block),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=max(len(block), 1)),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if quoted else False,
                double_quote=True,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
                invalid_row_handler=refuse,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    if ragged:
        return None
    frame = pl.from_arrow(table)
    return frame.rename(_column_names(headers)) if isinstance(frame, pl.DataFrame) else None


def _column_names(headers: list[str]) -> dict[str, str]:
    """Position → header, kept unique: unnamed and repeated extra columns keep their position."""
    names: dict[str, str] = {}
    for position, header in enumerate(headers):
        taken = header in names.values() or not header
        names[str(position)] = f"{header}#{position}" if taken else header
    return names


def _careful_frames(
    block: bytes, headers: list[str], delimiter: str, line: int
) -> Iterator[tuple[pl.DataFrame, int]]:
    reader = csv.reader(io.StringIO(block.decode(), newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    starts: list[int] = []
    taken, begin = 0, 0
    for record in reader:
        records.append(record)
        starts.append(line + begin)
        begin = reader.line_num
        if len(records) == CHUNK_ROWS:
            yield _record_frame(records, starts, headers), begin - taken
            records, starts, taken = [], [], begin
    if records:
        yield _record_frame(records, starts, headers), begin - taken


def _record_frame(records: list[list[str]], starts: list[int], headers: list[str]) -> pl.DataFrame:
    """Records of any width as a frame: short ones are filled up, long ones cut, both marked."""
    width = len(headers)
    ragged = [bool(record) and len(record) != width for record in records]
    rows = [
        json.dumps(record, ensure_ascii=False) if odd else None
        for record, odd in zip(records, ragged, strict=True)
    ]
    even = [(record + [""] * width)[:width] for record in records]
    names = _column_names(headers)
    data = {names[str(i)]: [record[i] for record in even] for i in range(width)}
    frame = pl.DataFrame(data, schema=dict.fromkeys(data, pl.String))
    return frame.with_columns(
        pl.Series(LINE, starts, dtype=pl.Int64),
        pl.Series(RAGGED, ragged, dtype=pl.Boolean),
        pl.Series(ROW, rows, dtype=pl.String),
    )


# -- XLSX --------------------------------------------------------------------------------


def _sheet_chunks(path: Path, contract: Contract, findings: Findings) -> Iterator[pl.DataFrame]:
    import python_calamine as calamine

    try:
        workbook = calamine.CalamineWorkbook.from_path(str(path))
    except (calamine.CalamineError, OSError) as error:
        message = "文件不是可读取的 XLSX 工作簿，可能已损坏或加密，请重新导出后报送。"
        raise RefusedError("unreadable_file", message) from error
    with workbook:
        names = workbook.sheet_names
        sheet = contract.sheet or (names[0] if names else "")
        if sheet not in names:
            message = f"工作簿中没有工作表「{sheet}」（现有：{'、'.join(names)}）。"
            raise RefusedError("missing_sheet", message)
        findings.sheet = sheet
        try:
            rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except calamine.CalamineError as error:
            message = f"工作表「{sheet}」无法读取，请重新导出后报送。"
            raise RefusedError("unreadable_file", message) from error
    if not rows:
        raise RefusedError("empty_file", f"工作表「{sheet}」没有内容，请重新导出后报送。")
    headers = _check_header([_cell_text(cell) for cell in rows[0]], contract, findings)
    for start in range(1, len(rows), CHUNK_ROWS):
        part = [[_cell_text(cell) for cell in row] for row in rows[start : start + CHUNK_ROWS]]
        lines = list(range(start + 1, start + 1 + len(part)))
        yield _without_blanks(_record_frame(part, lines, headers), contract, findings)


def _cell_text(cell: object) -> str:
    """A cell as the text that a person sees: whole floats without `.0`, days without a time."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d" if cell.time() == time() else "%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def _without_blanks(frame: pl.DataFrame, contract: Contract, findings: Findings) -> pl.DataFrame:
    values = [name for name in frame.columns if name not in (LINE, RAGGED, ROW)]
    filled = frame.filter(
        pl.any_horizontal(pl.col(n).str.strip_chars() != "" for n in values) | pl.col(RAGGED)
    )
    findings.blank_records += frame.height - filled.height
    return filled.select(*contract.headers, LINE, RAGGED, ROW)
