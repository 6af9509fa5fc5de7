"""How a workbook looks: formats, widths, print setup.

Belongs here: what every sheet shares. Does not belong here: what a sheet says (`workbook`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

_FONT = {"font_name": "微软雅黑", "font_size": 10, "valign": "vcenter"}
_CELL = {**_FONT, "border": 1, "border_color": "#D0D7DE"}
_CENTRE = {**_CELL, "align": "center"}
_STYLES: dict[str, dict[str, Any]] = {
    "title": {**_FONT, "font_size": 18, "bold": True, "font_color": "#1F3864"},
    "subtitle": {**_FONT, "font_color": "#57606A"},
    "section": {**_FONT, "font_size": 12, "bold": True, "font_color": "#1F3864"},
    "good": {**_FONT, "font_size": 11, "bold": True, "bg_color": "#DFF2E1", "font_color": "#1A6B2B",
             "indent": 1, "text_wrap": True},
    "bad": {**_FONT, "font_size": 11, "bold": True, "bg_color": "#FDE7E9", "font_color": "#A4161A",
            "indent": 1, "text_wrap": True},
    "note": {**_FONT, "font_color": "#57606A", "text_wrap": True, "valign": "top"},
    "header": {**_CENTRE, "bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF",
               "text_wrap": True},
    "text": {**_CELL, "text_wrap": True, "indent": 1},
    "strong": {**_CELL, "text_wrap": True, "bold": True, "indent": 1},
    "centre": _CENTRE,
    "mono": {**_CENTRE, "font_name": "Consolas"},
    "line": {**_CENTRE, "num_format": "0"},
    "number": {**_CELL, "num_format": "#,##0", "align": "right", "indent": 1},
    "score": {**_CENTRE, "num_format": "0.00"},
    "share": {**_CENTRE, "num_format": "0%"},
    "date": {**_CENTRE, "num_format": "yyyy-mm-dd"},
    "entry": {**_CELL, "text_wrap": True, "indent": 1, "bg_color": "#FFFBEA"},
    "entry_date": {**_CENTRE, "num_format": "yyyy-mm-dd", "bg_color": "#FFFBEA"},
    "absent": {**_CENTRE, "font_color": "#8C959F"},
    "error": {**_CENTRE, "bold": True, "bg_color": "#FDE7E9", "font_color": "#A4161A"},
    "warning": {**_CENTRE, "bold": True, "bg_color": "#FFF4CE", "font_color": "#7A4D00"},
    "closed": {**_CENTRE, "bold": True, "bg_color": "#DFF2E1", "font_color": "#1A6B2B"},
}  # fmt: skip
_WRAPPED = frozenset(name for name, style in _STYLES.items() if style.get("text_wrap"))
_WIDE = re.compile("[\u2e80-\U0010ffff]")
_HEADER_HEIGHT = 24
_LINE_HEIGHT = 14
_ROW_PADDING = 6


class Cell(NamedTuple):
    """A value and the name of its style; a tuple, for a workbook has hundreds of thousands."""

    value: Any
    style: str = "text"


class Layout:
    """The formats of one workbook, and the few ways in which its sheets are written."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.widths: dict[str, Sequence[float]] = {}
        self.styles = {name: book.add_format(style) for name, style in _STYLES.items()}

    def sheet(self, name: str, widths: Sequence[float], footer: str) -> Worksheet:
        """A sheet that prints on A4 landscape, as wide as the page."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer(f"&L{footer}&R第 &P 页 / 共 &N 页")
        self.widths[name] = widths
        for position, width in enumerate(widths):
            sheet.set_column(position, position, width)
        return sheet

    def band(
        self, sheet: Worksheet, row: int, last: int, text: str, *, style: str, height: float
    ) -> None:
        """One text across the columns up to `last`."""
        sheet.set_row(row, height)
        sheet.merge_range(row, 0, row, last, "", self.styles[style])
        sheet.write_string(row, 0, text, self.styles[style])

    def header(self, sheet: Worksheet, row: int, titles: Sequence[str]) -> None:
        """The header row of a table."""
        sheet.set_row(row, _HEADER_HEIGHT)
        for position, title in enumerate(titles):
            sheet.write_string(row, position, title, self.styles["header"])

    def row(
        self, sheet: Worksheet, row: int, cells: Sequence[Cell], *, spread: bool = False
    ) -> None:
        """One row of a table; with `spread` the last cell takes all columns that are left.

        Text is always written as text: a value that starts with = is no formula. The height is
        set here, for WPS and LibreOffice do not all fit it to wrapped text.
        """
        widths = self.widths[sheet.get_name()]
        if spread:
            first, last = len(cells) - 1, len(widths) - 1
            sheet.merge_range(row, first, row, last, "", self.styles[cells[first].style])
            widths = [*widths[:first], sum(widths[first:])]
        lines = 1
        for cell, width in zip(cells, widths, strict=False):
            if cell.style in _WRAPPED and isinstance(cell.value, str):
                lines = max(lines, _lines(cell.value, width))
        sheet.set_row(row, lines * _LINE_HEIGHT + _ROW_PADDING)
        for position, cell in enumerate(cells):
            self._write(sheet, row, position, cell)

    def _write(self, sheet: Worksheet, row: int, position: int, cell: Cell) -> None:
        value, style = cell.value, self.styles[cell.style]
        if isinstance(value, str):
            sheet.write_string(row, position, value, style)
        elif value is None:
            sheet.write_blank(row, position, None, style)
        elif cell.style == "date":
            sheet.write_datetime(row, position, value, style)
        elif isinstance(value, int | float):
            sheet.write_number(row, position, value, style)
        else:
            sheet.write_string(row, position, str(value), style)

    def table_view(self, sheet: Worksheet, header: int, last_row: int, columns: int) -> None:
        """The header stays in sight, repeats in print, and filters."""
        sheet.freeze_panes(header + 1, 0)
        sheet.repeat_rows(header)
        sheet.autofilter(header, 0, max(last_row, header), columns - 1)


@lru_cache(maxsize=8192)
def _lines(text: str, width: float) -> int:
    """Lines that a wrapped text takes; a Chinese character is two digits wide."""
    used = len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))
    return max(1, math.ceil(used / (width - 3)))
