"""HTML pages (often named .xls) → tables, one a `<table>`.

Belongs here: cells of HTML tables. Does not belong here: header and merged cells (`grid`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

import polars as pl

from pipelines.ingest import decode, grid, limits, sniff
from pipelines.ingest.container import Member
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import CHUNK_ROWS, Table, check_width
from pipelines.ingest.grid import Grid, Merge
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_KNOWN = {"utf-8": "utf-8", "utf8": "utf-8", "gb2312": "gb18030", "gbk": "gb18030",
          "gb18030": "gb18030", "big5": "big5"}  # fmt: skip
_SILENT = ("script", "style", "title")
_CLOSING = {name: re.compile(f"</{name}[^>]*>", re.IGNORECASE) for name in _SILENT}
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:]*)([^>]*)>")
_SPAN = re.compile(r"\b(colspan|rowspan)\s*=\s*[\"']?\s*([0-9]+)", re.IGNORECASE)


def tables(
    member: Member, head: bytes, encoding: sniff.Encoding, layout: Layout, findings: Findings
) -> Iterator[Table]:
    """The tables of a page, in their order.

    Raises:
        RefusedError: too large, or without a table.
    """
    encoding = _encoding(head, encoding)
    data = member.head(limits.DOCUMENT_BYTES + 1)
    if len(data) > limits.DOCUMENT_BYTES:
        message = f"HTML 文件超过上限 {limits.DOCUMENT_BYTES >> 20} MB，请改报 CSV。"
        raise RefusedError("too_large", message)
    parser = _Tables()
    parser.read(decode.text(data[encoding.mark :], sniff.python_codec(encoding.name)))
    found = [cells for cells in parser.tables if cells.rows]
    if not found:
        raise RefusedError("empty_file", "网页文件中没有表格，请导出为 CSV 或 XLSX 后报送。")
    for position, cells in enumerate(found):
        where = f"第 {position + 1} 个表格"
        table = grid.table(Grid(cells.frames(), cells.merges), layout, findings, where)
        yield replace(
            table,
            member=member.name,
            position=position,
            sheet=where if len(found) > 1 else None,
            facts={"encoding": encoding.name},
            certainty={**table.certainty, "encoding": encoding.certainty},
        )


def _encoding(head: bytes, found: sniff.Encoding) -> sniff.Encoding:
    """What the page says of itself, where nothing better is known."""
    said = _CHARSET.search(head[:4096])
    if found.certainty in ("declared", "sure") or said is None:
        return found
    name = _KNOWN.get(said[1].decode().lower())
    return sniff.Encoding(name, "likely", found.mark) if name else found


class _Cells:
    """One table: its rows, and the cells that span more than one."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.merges: list[Merge] = []
        self._until: dict[int, int] = {}
        """Column → the last row that a cell from above takes there."""

    def add_row(self) -> None:
        self.rows.append([])

    def add_cell(self, text: str, columns: int, rows: int) -> None:
        if not self.rows:
            self.add_row()
        row = self.rows[-1]
        top = len(self.rows) - 1
        while self._until.get(len(row), -1) >= top:
            row.append("")
        left = len(row)
        row += [text, *[""] * (columns - 1)]
        check_width(len(row))
        if rows > 1:
            span = range(left, left + columns)
            self._until.update(dict.fromkeys(span, top + rows - 1))
        if columns > 1 or rows > 1:
            self.merges.append(Merge(top, left, top + rows - 1, left + columns - 1))

    def frames(self) -> Iterator[pl.DataFrame]:
        width = max(map(len, self.rows))
        if width * len(self.rows) > limits.WORKBOOK_CELLS:
            message = f"表格超过上限 {limits.WORKBOOK_CELLS:,} 个单元格，请改报 CSV。"
            raise RefusedError("too_large", message)
        for start in range(0, len(self.rows), CHUNK_ROWS):
            part = self.rows[start : start + CHUNK_ROWS]
            even = [row + [""] * (width - len(row)) for row in part]
            yield pl.DataFrame(
                [
                    pl.Series(str(place), values, dtype=pl.String)
                    for place, values in enumerate(zip(*even, strict=True))
                ]
            )


class _Tables:
    """Collects tables; one inside a cell of another stands for itself.

    A page is gone through once, tag by tag: a page made to keep a parser busy does not.
    """

    def __init__(self) -> None:
        self.tables: list[_Cells] = []
        self._open: list[_Cells] = []
        self._cells: list[tuple[list[str], int, int] | None] = []

    def read(self, text: str) -> None:
        """Collect the tables of a page."""
        place = 0
        while place < len(text):
            start = text.find("<", place)
            self._data(text[place : start if start >= 0 else len(text)])
            if start < 0:
                break
            end = text.find("-->" if text.startswith("<!--", start) else ">", start)
            if end < 0:
                break
            place = text.index(">", end) + 1
            tag = _TAG.match(text, start, place)
            if tag is None:
                if not text.startswith(("<!", "<?"), start):  # a bare "<" in a text
                    self._data("<")
                    place = start + 1
            elif tag[2].lower() in _SILENT and not tag[1]:
                closing = _CLOSING[tag[2].lower()].search(text, place)
                place = closing.end() if closing else len(text)
            else:
                self._tag(tag[2].lower(), bool(tag[1]), tag[3])
        while self._open:
            self._tag("table", True, "")

    def _tag(self, name: str, closes: bool, attributes: str) -> None:
        if name == "table" and not closes:
            if len(self._open) >= limits.XML_DEPTH:
                raise RefusedError("unreadable_file", "网页文件的表格嵌套过深，请改报 CSV。")
            self._open.append(_Cells())
            self._cells.append(None)
            self.tables.append(self._open[-1])
        elif not self._open:
            return
        elif name in ("td", "th", "tr", "table"):
            self._end_cell()
            if name == "table":
                self._open.pop()
                self._cells.pop()
            elif name == "tr" and not closes:
                self._open[-1].add_row()
            elif not closes:
                spans = {key.lower(): value for key, value in _SPAN.findall(attributes)}
                columns, rows = _span(spans.get("colspan")), _span(spans.get("rowspan"))
                self._cells[-1] = ([], columns, rows)
        elif name in ("br", "p", "div"):
            self._data("\n" if name == "br" or closes else "")

    def _data(self, data: str) -> None:
        if data and self._cells and self._cells[-1]:
            self._cells[-1][0].append(data)

    def _end_cell(self) -> None:
        cell = self._cells[-1]
        if cell:
            parts, columns, rows = cell
            text = re.sub(r"[ \t]*\r?\n[ \t]*", "\n", "".join(parts))
            self._open[-1].add_cell(unescape(text).strip(), columns, rows)
            self._cells[-1] = None


def _span(text: str | None) -> int:
    """Between 1 and what HTML allows."""
    digits = (text or "").strip()
    return min(max(int(digits), 1), 1000) if re.fullmatch(r"[0-9]{1,6}", digits) else 1
