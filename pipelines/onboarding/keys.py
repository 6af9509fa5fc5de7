"""Typed rows → the primary key: one column, or the fewest that together say every row once.

Belongs here: the search, and how sure it is. Does not belong here: types (`kinds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import Kind

LARGEST = 3
_CANDIDATES = 12
_TRIED = 20_000
"""Rows on which a combination is tried before it is counted on all."""
_SURE_ROWS, _LIKELY_ROWS = 100, 20
_NEAR = 0.01
"""Up to this share repeated or missing keys look like defects."""
_IDENTIFIERS, _NAMES, _CHANGES, _LAST = 2, 3, 40, 50
"""Rank up to which a column names something; up to which it may do so alone; rank of what
changes while the row stays the same; rank of a running number."""
_FIRST = 3
"""Columns among which the number of a person or enterprise stands if rows are of just these;
further back it tells whom an event is about."""
_ORDER = {
    "unified_code": 1, "resident_number": 1, "code": 2, "division": 2, "words": 3,
    "category": 3, "organisation": 3, "month": 4, "year": 4, "date": 4, "number": 5,
    "timestamp": 6, "person": 7, "boolean": 8,
}  # fmt: skip
"""Kinds that may be part of a key, the likeliest first; a number only if it counts nothing."""


@dataclass(frozen=True)
class Key:
    """Columns by position, in their order; none where nothing tells every row."""

    positions: tuple[int, ...] = ()
    sureness: str = "low"
    look: str = ""


@dataclass(frozen=True)
class _Candidate:
    position: int
    name: str
    rank: int
    distinct: int


def find(
    rows: pl.DataFrame, names: Sequence[str], kinds: Sequence[Kind], headers: Sequence[Header],
    *, is_whole: bool,
) -> Key:  # fmt: skip
    """Search the key among columns that are filled throughout.

    Args:
        rows: the typed rows that are accepted, with one column a name.
        is_whole: whether these are all rows there are.
    """
    if rows.height < 2:
        return Key(look="too few rows to find a key")
    candidates = _candidates(rows, names, kinds, headers)
    near = ""
    for size in range(1, LARGEST + 1):
        for chosen in combinations(candidates[:_CANDIDATES] if size > 1 else candidates, size):
            if size > 1 and any(candidate.distinct < 2 for candidate in chosen):
                continue
            faults = _faults(rows, chosen)
            if not faults:
                key = _key(chosen, rows.height, is_whole)
                return Key(key.positions, "low", near) if near else key
            if not near and faults <= _NEAR * rows.height and _names_rows(chosen):
                named = ", ".join(candidate.name for candidate in chosen)
                near = f"{named} would be the key, but {faults} rows repeat or lack it"
    look = "no column and no three together tell every row: a full delivery needs no key"
    return Key(look=near or look)


def _candidates(
    rows: pl.DataFrame, names: Sequence[str], kinds: Sequence[Kind], headers: Sequence[Header]
) -> list[_Candidate]:
    """Columns that may be part of a key, the likeliest first.

    A number of the rows' own comes before one of the person or enterprise that they are about.
    """
    found: list[_Candidate] = []
    for position, (name, kind, header) in enumerate(zip(names, kinds, headers, strict=True)):
        if kind.name not in _ORDER or header.hints("sensitive"):
            continue
        if kind.name == "number" and not (
            kind.logical == "integer" and header.hints("code", "identifier", "sequence")
        ):
            # What is counted or measured is unique by chance.
            continue
        if rows[name].null_count() > _NEAR * rows.height:
            continue
        own = kind.name == "code" and header.hints("identifier")
        rank = 0 if own else _ORDER[kind.name]
        if header.hints("sequence"):
            rank = _LAST
        elif header.hints("account"):
            # A person has one, and perhaps another next year.
            rank = _NAMES
        elif header.hints("status"):
            rank = _CHANGES
        found.append(_Candidate(position, name, rank, rows[name].n_unique()))
    return sorted(found, key=lambda candidate: (candidate.rank, candidate.position))


def _faults(rows: pl.DataFrame, chosen: Sequence[_Candidate]) -> int:
    """Rows that the columns do not tell; counted on some of them where they are clearly many."""
    names = [candidate.name for candidate in chosen]
    few = rows.head(_TRIED).select(names)
    again = few.height - few.n_unique()
    if again > _NEAR * rows.height or rows.height <= _TRIED:
        return again + int(few.select(pl.any_horizontal(pl.all().is_null()).sum()).item())
    every = rows.select(names)
    lacking = int(every.select(pl.any_horizontal(pl.all().is_null()).sum()).item())
    return every.height - every.n_unique() + lacking


def _names_rows(chosen: Sequence[_Candidate]) -> bool:
    return chosen[0].rank <= _IDENTIFIERS


def _key(chosen: Sequence[_Candidate], height: int, whole: bool) -> Key:
    positions = tuple(sorted(candidate.position for candidate in chosen))
    first = chosen[0]
    names_it = len(chosen) == 1 and _names_rows(chosen)
    is_about = first.rank == 1 and first.position >= _FIRST
    if names_it and height >= _SURE_ROWS and whole and not is_about:
        return Key(positions, "high")
    is_likely = names_it or (
        height >= _SURE_ROWS
        and all(candidate.rank < _CHANGES for candidate in chosen)
        and (len(chosen) > 1 or first.rank <= _NAMES)
    )
    if height >= _LIKELY_ROWS and is_likely:
        return Key(
            positions, "medium", "the key is unique in the sample: does it name a row for good?"
        )
    return Key(positions, "low", "the key is unique in the sample, perhaps by chance")
