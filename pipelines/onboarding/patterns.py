"""Short lists of answers and stable shapes of codes.

Belongs here: telling whether a column's values are a short list, a standard's list, or all built
alike. Does not belong here: whether they may be shown (`levels` decides that no personal column
keeps a list).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import polars as pl

from pipelines.onboarding.evidence import COUNT, FILES, FOLDED, TEXT, Evidence, percent
from pipelines.onboarding.headers import Header
from pipelines.onboarding.names import read_resource
from quality.garbled_text import GARBLED_PATTERN

FEWEST = 5
"""How often each value of a short list must have been seen."""
_LONGEST_LIST = 50
_LONGEST_VALUE = 30
_FEWEST_ROWS = 50
_NEARLY, _NEARLY_LONGEST = 0.98, 20
_SHAPED = 20
"""Distinct codes from which on a common shape is no chance."""
_SPECIAL = re.compile(r"([.^$*+?()\[\]{}|\\])")


def standard(header: Header, found: Evidence) -> tuple[str, tuple[str, ...]] | None:
    """The standard's list that holds all values of a column, with its name.

    A header must name what the list is of: 1 and 2 alone say nothing.
    """
    for entry in _standards():
        values = tuple(str(value) for value in entry["values"])
        if (
            header.hints(entry["hint"])
            and found.distinct
            and found.values[TEXT].is_in(values).all()
        ):
            return str(entry["name"]), values
    return None


@cache
def _standards() -> list[dict[str, Any]]:
    lists: list[dict[str, Any]] = read_resource("standards.yaml")
    return lists


def domain(found: Evidence) -> tuple[str, ...]:
    """The short list of a column's values, most frequent first; empty where there is none.

    Few values, each seen often, and in every file. A value that was seen once says that there
    are others that were not seen; that none was is no promise that there are none.
    """
    values = found.values
    if not 2 <= found.distinct <= _LONGEST_LIST or found.filled < _FEWEST_ROWS:
        return ()
    if values[COUNT].min() < FEWEST or values[FILES].min() < found.files:  # type: ignore[operator]
        return ()
    texts = values[TEXT]
    if texts.str.len_chars().max() > _LONGEST_VALUE:  # type: ignore[operator]
        return ()
    if texts.str.contains(f"{GARBLED_PATTERN}|[\n\r\t]").any():
        return ()
    return tuple(texts.to_list())


def nearly_closed(found: Evidence) -> tuple[str, ...]:
    """A note where a few frequent values leave hardly anything to the rare ones."""
    frequent = found.values.filter((pl.col(COUNT) >= FEWEST) & (pl.col(FILES) == found.files))
    if not 2 <= frequent.height <= _NEARLY_LONGEST or found.filled < _FEWEST_ROWS:
        return ()
    covered = int(frequent[COUNT].sum()) / found.filled
    if not _NEARLY <= covered < 1:
        return ()
    return (f"{frequent.height} values cover {percent(covered)}: a closed list?",)


def shape(found: Evidence) -> str | None:
    """The pattern that all codes of a column are built by; None where they are no codes."""
    if found.distinct < _SHAPED or found.matching(r"^[0-9A-Za-z][0-9A-Za-z_/.\-]*$") < 1:
        return None
    text = pl.col(TEXT)
    if found.share(text.is_in(found.values[FOLDED])) < 1:
        return None
    runs = (
        text.str.replace_all("[0-9]+", "9")
        .str.replace_all("[A-Z]+", "A")
        .str.replace_all("[a-z]+", "a")
    )
    shapes: list[str] = found.values.select(runs.alias("shape"))["shape"].unique().to_list()
    if len(shapes) != 1:
        return None
    parts: list[str] = []
    for position, mark in enumerate(shapes[0]):
        kind = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}.get(mark)
        parts.append(kind + _lengths(found, position) if kind else _SPECIAL.sub(r"[\1]", mark))
    pattern = "".join(parts)
    # A shape of one run of any length says nothing.
    return f"^{pattern}$" if len(parts) > 1 or "," not in pattern else None


def _lengths(found: Evidence, position: int) -> str:
    run = pl.col(TEXT).str.extract_all("[0-9]+|[A-Z]+|[a-z]+|[^0-9A-Za-z]").list.get(position)
    sizes = found.values.select(run.str.len_chars().alias("size"))["size"]
    low, *more = sorted(set(sizes.to_list()))
    if more:
        return f"{{{low},{more[-1]}}}"
    return f"{{{low}}}" if low > 1 else ""


def rounded(found: Evidence) -> tuple[str, ...]:
    """A note where long codes look as if a spreadsheet had cut them."""
    cut = found.matching(r"^[0-9](\.[0-9]+)?E\+[0-9]{2}$|^[0-9]{15}0{1,5}$")
    return ("long codes end in zeros: did a spreadsheet cut them?",) if cut > 0.2 else ()
