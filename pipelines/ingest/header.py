"""Which rows of a table are titles, which are its header, and the names they give.

Belongs here: evidence in the first rows, whatever the format. Does not belong here: reading them
(the readers), or whether the header is the one that was agreed (`parse`).

With expected headers, the row (or two rows, joined 上级_下级) that holds most of them is the
header. Without, titles are rows of hardly any value above the first full one, and two rows are a
header where merged cells say so, or where the lower one has only names and numbers stand below.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from pipelines.ingest.frames import Header, check_width
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError

_AROUND = " \t\r\n\u3000\u00a0\u2002\u2003\u2009\u200b\u200c\u200d\u2060\ufeff"
"""Spaces of any width, none included, that pages and spreadsheets leave around a name."""
HEAD_ROWS = 60
"""Rows that are looked at."""
_SEARCHED = 40
"""Rows among which the header is looked for."""
_NUMBER = re.compile(r"^[-+]?[¥￥]?\d[\d,.，/:年月日\- ]*(?:%|[eE]\+\d+)?$")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")

Row = Sequence[str]


def clean(text: str) -> str:
    """A header without the space around it, and without line breaks and controls inside."""
    whole = re.sub(r"\s*[\r\n]+\s*", "", text.strip(_AROUND))
    return _CONTROL.sub("\ufffd", whole)


def find_header(head: Sequence[Row], layout: Layout, *, merged: bool = False) -> Header:
    """The header of a table.

    Args:
        head: its first rows, blank ones too; merged cells filled.
        layout: expected headers and number of header rows, as far as they are known.
        merged: whether the rows come with merged cells, so that two equal names side by side
            are one cell.

    Raises:
        RefusedError: too many columns; no header where the layout gives no names.
    """
    rows = [[clean(text) for text in row] for row in head[:HEAD_ROWS]]
    check_width(max(map(len, rows), default=0))
    if layout.header_rows == 0:
        return _no_header(rows, layout)
    found = _by_expectation(rows, layout, merged) if layout.headers else None
    return found or _by_shape(rows, layout, merged)


def _no_header(rows: list[list[str]], layout: Layout) -> Header:
    width = next((len(row) for row in rows if any(row)), len(layout.headers))
    if width != len(layout.headers):
        message = (
            f"文件没有表头，应有 {len(layout.headers)} 列，第一行有 {width} 列，请核对后报送。"
        )
        raise RefusedError("wrong_header", message)
    return Header(layout.headers, 0, 0, 0, "declared")


def _by_expectation(rows: list[list[str]], layout: Layout, merged: bool) -> Header | None:
    """The row, or pair of rows, with most of the expected headers; None where none has any."""
    expected = set(layout.headers)
    best: tuple[int, int, int] | None = None
    for position, row in enumerate(rows[:_SEARCHED]):
        for count in (1, 2):
            if layout.header_rows not in (None, count) or position + count > len(rows):
                continue
            names = row if count == 1 else join(row, rows[position + 1], merged)
            hits = len(expected.intersection(names))
            if best is None or (hits, -count) > (best[0], -best[1]):
                best = (hits, count, position)
    if best is None or not best[0]:
        return None
    hits, count, position = best
    certainty = "sure" if hits == len(expected) else "likely"
    return _header(rows, position, count, merged, certainty)


def _by_shape(rows: list[list[str]], layout: Layout, merged: bool) -> Header:
    filled = [_filled(row) for row in rows]
    widths = sorted(count for count in filled if count)
    usual = widths[len(widths) // 2] if widths else 0
    needed = usual // 2 + 1 if usual > 3 else min(usual, 2)
    first = next(
        (
            place
            for place, count in enumerate(filled[:_SEARCHED])
            if count and (count >= needed or (count > 1 and _is_double(rows, place, merged)))
        ),
        next((place for place, count in enumerate(filled) if count), 0),
    )
    if first >= len(rows):
        return Header((), 0, 1, 0, "guess")
    count = layout.header_rows or (2 if _is_double(rows, first, merged) else 1)
    count = min(count, len(rows) - first)
    names = [name for name in rows[first] if name]
    is_plain = len(set(names)) == len(names) and not any(map(_NUMBER.match, names))
    certainty = "likely" if is_plain or count == 2 else "guess"
    return _header(rows, first, count, merged, certainty)


def _filled(row: list[str]) -> int:
    """Values of a row; a title over merged cells is one."""
    return len({name for name in row if name}) if len(set(row) - {""}) == 1 else sum(map(bool, row))


def _header(rows: list[list[str]], first: int, count: int, merged: bool, certainty: str) -> Header:
    names = rows[first] if count == 1 else join(rows[first], rows[first + 1], merged)
    check_width(len(names))
    titles = sum(1 for row in rows[:first] if any(row))
    return Header(tuple(names), first, count, titles, certainty)


def join(upper: Row, lower: Row, merged: bool) -> list[str]:
    """Two header rows as one: 上级_下级 where both say something.

    Without merged cells a blank in the upper row belongs to the name on its left, as long as the
    lower row says something all along.
    """
    size = max(len(upper), len(lower))
    above = [*upper, *[""] * (size - len(upper))]
    below = [*lower, *[""] * (size - len(lower))]
    names: list[str] = []
    group = ""
    for over, under in zip(above, below, strict=True):
        if over or not under or merged:
            group = over if under else ""
        head = over or group
        names.append(under if not head or head == under else f"{head}_{under}" if under else head)
    return names


def _is_double(rows: list[list[str]], first: int, merged: bool) -> bool:
    """Whether the row below the first header row belongs to the header."""
    if first + 2 > len(rows):
        return False
    upper, lower = rows[first], rows[first + 1]
    if not any(lower) or any(_NUMBER.match(name) for name in lower if name):
        return False
    pairs = list(zip(upper, lower, strict=False))
    if merged:
        side_by_side = any(
            left == right and left and a != b for (left, a), (right, b) in itertools.pairwise(pairs)
        )
        one_above_other = any(over == under and over for over, under in pairs)
        return side_by_side and (one_above_other or len(set(upper)) < len(set(lower)))
    gaps = [place for place, (over, under) in enumerate(pairs) if under and not over]
    if not gaps or not all(over or under for over, under in pairs):
        return False
    below = rows[first + 2 : first + 22]
    return any(_is_numeric(below, place) for place, (_, under) in enumerate(pairs) if under)


def _is_numeric(rows: list[list[str]], place: int) -> bool:
    values = [row[place] for row in rows if place < len(row) and row[place]]
    return bool(values) and all(map(_NUMBER.match, values))
