"""A delivered file → chunks of text columns with line numbers.

Belongs here: the way from a file to its tables, and whether they are the ones agreed. Does not
belong here: any one format (the modules beside this one), or types (`cast`).

A chunk has one String column per header, `_line_number` (1-based physical line, or sheet row,
on which the record starts; see `findings.Part` where a delivery is more than one table),
`_ragged`, and `_row`: all values of a ragged record as a JSON list, null elsewhere. Records
without any value are not rows; they are counted as blank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipelines.ingest import (
    container,
    delimited,
    drift,
    fixed_width,
    html,
    json_records,
    parquet_file,
    sniff,
    workbook,
    xml_records,
)
from pipelines.ingest.container import Member
from pipelines.ingest.findings import MEMBER_LINES, SHEET_LINES, Findings, Part
from pipelines.ingest.frames import (
    CHUNK_ROWS,
    DOOR_COLUMNS,
    LINE,
    ROW,
    Table,
    column_name,
    header_of,
    without_blanks_and_totals,
)
from pipelines.ingest.layout import Layout, layout_of
from pipelines.ingest.refusal import RefusedError
from pipelines.ingest.side_rows import without_side_rows
from quality.contract import Contract
from quality.pandera_schemas import RAGGED

__all__ = ["CHUNK_ROWS", "LINE", "RAGGED", "ROW", "Findings", "chunks", "read"]

_NAMED_IN_MESSAGE = 20


def read(path: Path, layout: Layout, findings: Findings) -> Iterator[pl.DataFrame]:
    """Read one file, chunk by chunk; fills `findings` on the way.

    All tables with the expected headers are read; without expectation the first table of at
    least two columns and those with the same headers. What else there is, `findings.skipped` says.

    Raises:
        RefusedError: empty, damaged, encrypted, beyond a limit, or nothing that is a table.
    """
    for found in _chosen(path, layout, findings):
        yield from _frames(found, findings)


def chunks(path: Path, contract: Contract, findings: Findings) -> Iterator[pl.DataFrame]:
    """Read one file as its contract says: the contract's columns, by header.

    Raises:
        RefusedError: as `read`; or the header is not the one agreed.
    """
    layout = layout_of(contract)
    columns = [column_name(header) for header in contract.headers]
    for found in _chosen(path, layout, findings):
        _check_header(found, layout, contract)
        expected = set(contract.headers)
        unexpected = [name for name in found.table.header.names if name and name not in expected]
        findings.unexpected_headers += [
            name for name in unexpected if name not in findings.unexpected_headers
        ]
        for frame in _frames(found, findings):
            absent = [name for name in columns if name not in frame.columns]
            nulls = [pl.lit(None, dtype=pl.String).alias(name) for name in absent]
            yield frame.with_columns(nulls).select(*columns, *DOOR_COLUMNS)


# -- choosing tables ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """A table that is to be read."""

    table: Table
    member: Member
    number: int
    """Of the member, counted from 0 among those that are read."""
    position: int
    """Of the table in its member, likewise."""
    columns: list[str]
    """Those of the first table; what else a later one has is left out and noted."""


@dataclass(frozen=True)
class _Rejected:
    """A table that is not to be read."""

    where: str
    names: frozenset[str]
    hits: int
    missing: list[str]


def _chosen(path: Path, layout: Layout, findings: Findings) -> Iterator[_Found]:
    """The tables to read, each before the next; if none fits, the one that nearly does."""
    members = container.members(path, findings)
    rejected: list[_Rejected] = []
    count = 0
    for found in _fitting(members, layout, findings, None, rejected):
        count += 1
        yield found
    if not count:
        best = max(rejected, key=lambda table: table.hits)
        rejected.remove(best)
        yield from _fitting(members, layout, findings, best.names, [])
    for other in rejected:
        if count and layout.headers and other.hits * 2 >= len(layout.headers):
            message = f"{other.where}表头缺少：{_listed(other.missing)}，请补齐或移出后重新报送。"
            raise RefusedError("wrong_header", message)
        findings.skip(f"{other.where}表头不同，未读取。")


def _fitting(
    members: list[Member],
    layout: Layout,
    findings: Findings,
    wanted: frozenset[str] | None,
    rejected: list[_Rejected],
) -> Iterator[_Found]:
    """The tables whose headers fit: those wanted, else those expected, else the first's."""
    expected = frozenset(layout.headers)
    columns: list[str] = []
    number = -1
    for member in members:
        position = -1
        for table in _tables(member, layout, findings):
            names = frozenset(name for name in table.header.names if name)
            if wanted is not None:
                fits = names == wanted
            elif expected:
                fits = expected <= names
            else:
                fits = len(names) > 1 and not columns
            if not fits:
                missing = [name for name in layout.headers if name not in names]
                hits = len(expected & names)
                rejected.append(_Rejected(_where(table), names, hits, missing))
                continue
            if not expected and wanted is None:
                wanted = names
            position += 1
            number += position == 0
            columns = columns or table.columns
            yield _Found(table, member, number, position, columns)


def _where(table: Table) -> str:
    """Member and sheet, for people."""
    member = f"压缩包内「{table.member}」" if table.member else ""
    sheet = f"工作表「{table.sheet}」" if table.sheet else ""
    return member + sheet or "文件"


def _tables(member: Member, layout: Layout, findings: Findings) -> Iterator[Table]:
    """The tables of one member, whatever it is."""
    head = member.head()
    if not head:
        raise RefusedError("empty_file", "文件没有内容，请重新导出后报送。")
    kind, certainty = sniff.file_format(head, layout)
    findings.file_format = findings.file_format or kind
    findings.certainty.setdefault("file_format", certainty)
    if kind == "workbook":
        yield from workbook.tables(member, layout, findings)
        return
    if kind == "parquet":
        yield from parquet_file.table(member)
        return
    encoding = sniff.encoding(member, head, layout)
    if kind == "html":
        yield from html.tables(member, head, encoding, layout, findings)
    elif kind == "xml":
        yield xml_records.table(member, head, encoding, layout, findings)
    elif kind in ("json", "geojson", "ndjson"):
        by_line = kind == "ndjson"
        yield json_records.table(member, encoding, layout, findings, by_line=by_line)
    elif kind == "fixed":
        yield replace(fixed_width.table(member, head, encoding, layout), member=member.name)
    else:
        yield replace(_delimited(member, head, encoding, layout), member=member.name)


def _delimited(member: Member, head: bytes, encoding: sniff.Encoding, layout: Layout) -> Table:
    """A delimited text; where it should be something else, only if it has the headers."""
    if layout.file_format is None and not sniff.is_text(head, encoding):
        message = "文件不是文本，也不是可识别的数据文件，请导出为 CSV 或 XLSX 后报送。"
        raise RefusedError("unreadable_file", message)
    table = delimited.table(member, head, encoding, layout)
    if layout.file_format in (None, "csv"):
        return table
    if not layout.headers or not set(layout.headers) <= set(table.header.names):
        message = f"文件不是可读取的 {layout.file_format} 文件，可能已损坏，请重新导出后报送。"
        raise RefusedError("unreadable_file", message)
    return table


# -- reading tables ----------------------------------------------------------------------


def _frames(found: _Found, findings: Findings) -> Iterator[pl.DataFrame]:
    table = found.table
    first_line = found.number * MEMBER_LINES + found.position * SHEET_LINES
    _record(found, first_line, findings)
    for frame in table.frames():
        rows = without_blanks_and_totals(
            frame.with_columns(pl.col(LINE) + first_line) if first_line else frame, findings
        )
        rows = without_side_rows(rows, findings)
        if table.columns != found.columns:
            rows = rows.select(
                *(
                    pl.col(name) if name in rows.columns else pl.lit("").alias(name)
                    for name in found.columns
                ),
                *DOOR_COLUMNS,
            )
        if rows.height:
            yield rows


def _record(found: _Found, first_line: int, findings: Findings) -> None:
    """Write down where a table was found and how."""
    table = found.table
    part = Part(table.member, table.sheet, first_line, table.line, table.header.titles)
    findings.parts.append(part)
    if len(findings.parts) > 1:
        known = set(found.columns)
        findings.unexpected_headers += [
            header_of(name) for name in table.columns if name not in known
        ]
        return
    for name, value in table.facts.items():
        setattr(findings, name, value)
    findings.certainty |= table.certainty
    findings.sheet = table.sheet
    findings.headers = list(table.header.names)
    findings.header_rows = table.header.rows
    findings.header_line = table.line
    findings.title_rows = table.header.titles


def _check_header(found: _Found, layout: Layout, contract: Contract) -> None:
    """Whether a table's header is the one agreed.

    Raises:
        RefusedError: a required header is missing, or one stands twice.
    """
    names = found.table.header.names
    where = "" if found.table.member is None and not found.position else _where(found.table)
    line = found.table.line or 1
    compared = drift.verdict(names, contract)
    hint = _encoding_hint(found.member, layout) if compared.missing else ""
    refusal = compared.refusal(hint)
    if refusal:
        raise RefusedError("wrong_header", f"{where}第 {line} 行{refusal}")


def _listed(names: list[str]) -> str:
    more = f" 等 {len(names)} 个" if len(names) > _NAMED_IN_MESSAGE else ""
    return "、".join(names[:_NAMED_IN_MESSAGE]) + more


def _encoding_hint(member: Member, layout: Layout) -> str:
    """Whether the header reads right in another encoding, said for the clerk."""
    if layout.encoding is None:
        return ""
    head = member.head()
    found = sniff.encoding(member, head, replace(layout, encoding=None))
    text = head.decode(sniff.python_codec(found.name), errors="replace")
    same = sniff.python_codec(found.name) == sniff.python_codec(layout.encoding)
    if same or not all(header in text for header in layout.headers):
        return ""
    return f"文件编码是 {found.name.upper()}，约定为 {layout.encoding.upper()}。"
