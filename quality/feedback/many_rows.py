"""The rows of a sheet by the thousand: written as the file has them, not cell by cell.

Belongs here: putting such rows into a workbook. Does not belong here: what they say (`workbook`)
and how they look (`layout`).

Cell by cell a row takes nine calls of xlsxwriter and nine elements made by it. So it is given each
text, style and height once, and what it made of them in the file (ECMA-376, part 1, 18.3.1) is
repeated here for every row. The file is, byte for byte, the one that it would have written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from quality.feedback.layout import Cell, Layout

_TEXTS = "xl/sharedStrings.xml"
_ROW = re.compile(r'<row r="(\d+)"(?: spans="([\d:]+)")?([^>]*?)/?>')
_CELL = re.compile(r'<c r="([A-Z]+)(\d+)"(.*?</c>)')
_COUNT = re.compile(r' count="(\d+)"')


class ManyRows:
    """Rows below a header that has a cell in each of their columns.

    Args:
        layout: of the workbook.
        sheet: to which nothing below the header is written otherwise.
        first: place of the first row.
        rows: cells with texts and numbers; the styles of a column's numbers are the same.
    """

    def __init__(
        self, layout: Layout, sheet: Worksheet, first: int, rows: Iterable[Sequence[Cell]]
    ) -> None:
        self._layout, self._sheet, self._first = layout, sheet, first
        self._place = layout.book.worksheets().index(sheet) + 1
        self._rows: list[tuple[Sequence[Cell], int]] = []
        self._heights: dict[int, int] = {}
        """Lines of text → the row that has this height in the file."""
        self._known: dict[tuple[int, object], int] = {}
        """Column and cell, or column and style of a number → the row that has it in the file."""
        self._lines: dict[tuple[int, object], int] = {}
        """The same → lines that it takes."""
        self._texts = self._given = 0
        """Cells with texts: all of them, and those that were given to xlsxwriter."""
        for cells in rows:
            self._add(cells)
        if self._rows:  # how far the sheet goes
            self._give(len(self._rows) + first - 1, 0, self._rows[-1][0][0])

    def put_into(self, path: Path) -> None:
        """Put the rows into the workbook, which is closed and lies there."""
        if not self._rows:
            return
        name = f"xl/worksheets/sheet{self._place}.xml"
        with ZipFile(BytesIO(path.read_bytes())) as made, ZipFile(path, "w", ZIP_DEFLATED) as full:
            for entry in made.infolist():
                content = made.read(entry)
                if entry.filename == name:
                    content = self._with_rows(content.decode()).encode()
                elif entry.filename == _TEXTS:
                    content = _COUNT.sub(self._counted, content.decode(), count=1).encode()
                full.writestr(entry, content)

    def _add(self, cells: Sequence[Cell]) -> None:
        """Keep a row; what is new in it is given to xlsxwriter."""
        row = self._first + len(self._rows)
        lines = 1
        for column, cell in enumerate(cells):
            key = _key(column, cell)
            if key not in self._known:
                self._known[key] = row
                self._lines[key] = self._layout.lines(self._sheet, column, cell)
                self._give(row, column, cell)
            lines = max(lines, self._lines[key])
            self._texts += isinstance(cell.value, str)
        if lines not in self._heights:
            self._heights[lines] = row
            self._layout.set_lines(self._sheet, row, lines)
        self._rows.append((cells, lines))

    def _give(self, row: int, column: int, cell: Cell) -> None:
        self._layout.write(self._sheet, row, column, cell)
        self._given += isinstance(cell.value, str)

    def _counted(self, found: re.Match[str]) -> str:
        """How often the workbook's cells name a text."""
        return f' count="{int(found[1]) - self._given + self._texts}"'

    def _with_rows(self, sheet: str) -> str:
        """The sheet's XML with all rows in the place of those that were given."""
        begin, end = sheet.index(f'<row r="{self._first + 1}"'), sheet.index("</sheetData>")
        (_, spans, _), *_ = _ROW.findall(sheet)  # of the header: all columns
        heights = {int(row): height for row, _, height in _ROW.findall(sheet, begin, end)}
        made = {(int(row), name): rest for name, row, rest in _CELL.findall(sheet, begin, end)}
        names = [xl_col_to_name(column) for column in range(len(self._rows[0][0]))]
        rest_of = {key: made[row + 1, names[key[0]]] for key, row in self._known.items()}
        starts = {
            lines: f' spans="{spans}"{heights[row + 1]}>' for lines, row in self._heights.items()
        }
        parts = [sheet[:begin]]
        for number, (cells, lines) in enumerate(self._rows, start=self._first + 1):
            parts.append(f'<row r="{number}"{starts[lines]}')
            for column, cell in enumerate(cells):
                rest = rest_of[_key(column, cell)]
                if not isinstance(cell.value, str):
                    rest = f"{rest.partition('<v>')[0]}<v>{cell.value:.16G}</v></c>"
                parts.append(f'<c r="{names[column]}{number}"{rest}')
            parts.append("</row>")
        return "".join([*parts, sheet[end:]])


def _key(column: int, cell: Cell) -> tuple[int, object]:
    """What the file says of a text is the same in every row; of a number, its style is."""
    return column, cell if isinstance(cell.value, str) else cell.style
