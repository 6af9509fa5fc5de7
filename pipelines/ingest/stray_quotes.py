"""Quotes that nobody meant as quotes: two of them take the rows between them for one value.

Belongs here: telling such a record from one whose value really holds line breaks. Does not
belong here: a quote that is never closed (`delimited` refuses the delivery), or reading.

The evidence: every physical line of the record has, quotes aside, exactly as many values as the
header. With four columns or more that does not happen by chance. With two or three the lines must
look like the rows around them too, or the closing quote must stand in the middle of a value, as
no program writes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

_WIDE = 4
"""Columns from which on the number of values is evidence enough."""
_EVIDENT = 20
"""Rows that must agree before lines are compared with them."""
_MOST = 0.95
_COMPARED = 500
_NUMBER = re.compile(r"^[-+¥￥]?[0-9][0-9.,:/年月日\- ]*%?$")


def may_run_rows_together(frame: pl.DataFrame, breaks: pl.Series, delimiter: str) -> bool:
    """Whether a record has as many delimiters in its values as rows in its place would have.

    Args:
        frame: records as texts.
        breaks: line breaks in the values of each.
        delimiter: between values.
    """
    several = breaks > 0
    if not several.any():
        return False
    inside = frame.filter(several).select(
        pl.sum_horizontal(pl.all().str.count_matches(delimiter, literal=True)).alias("inside")
    )["inside"]
    return bool((inside == breaks.filter(several) * (frame.width - 1)).any())


class StrayQuotes:
    """Tells the records of one text that are rows run together."""

    def __init__(self, lines: Sequence[str], delimiter: str, width: int) -> None:
        """Args:
        lines: the physical lines of the text.
        delimiter: between values.
        width: values of a row.
        """
        self._lines = lines
        self._delimiter = delimiter
        self._width = width
        plain = (line.split(delimiter) for line in lines[:_COMPARED] if '"' not in line)
        self._numbers = _numeric([row for row in plain if len(row) == width], width)

    def rows(self, begin: int, end: int) -> list[list[str]] | None:
        """The values of each line of a record, quotes kept; None where the record is one.

        Args:
            begin: the record's first line, counted from 0.
            end: the line behind its last one.
        """
        if end - begin < 2 or self._width < 2:
            return None
        lines = self._lines[begin:end]
        rows = [line.split(self._delimiter) for line in lines]
        if any(len(row) != self._width for row in rows):
            return None
        if self._width >= _WIDE or self._is_misplaced(lines[-1]) or self._look_alike(rows):
            return rows
        return None

    def _is_misplaced(self, line: str) -> bool:
        """Whether the record's last quote closes a value that goes on."""
        behind = line[line.rfind('"') + 1 :] if '"' in line else ""
        return bool(behind) and not behind.startswith(self._delimiter)

    def _look_alike(self, rows: Sequence[Sequence[str]]) -> bool:
        return bool(self._numbers) and all(
            _NUMBER.match(value) or not value
            for row in rows
            for value in (row[place].strip('"') for place in self._numbers)
        )


def _numeric(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Places at which rows have numbers or dates throughout."""
    if len(rows) < _EVIDENT:
        return []
    return [
        place
        for place in range(width)
        if sum(bool(_NUMBER.match(row[place])) for row in rows) >= _MOST * len(rows)
    ]
