"""What a column holds → how far it may be seen: L1 public to L4 sensitive personal.

Belongs here: the choice of a level, the higher one where it is doubtful. Does not belong here:
recognising what a column holds (`kinds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.onboarding.evidence import FOLDED, Evidence, surname_pattern
from pipelines.onboarding.headers import Header
from pipelines.onboarding.identifiers import PLACE_END
from pipelines.onboarding.kind import Kind

_PERSONAL = ("resident_number", "phone", "person", "email", "plate")
_SENSITIVE = ("bank_card",)
_OPEN = (
    "unified_code",
    "division",
    "organisation",
    "category",
    "number",
    "year",
    "date",
    "timestamp",
    "month",
    "boolean",
    "amount",
    "percent",
    "capital_amount",
    "longitude",
    "latitude",
)
"""Kinds that are public by themselves, in a dataset that tells of no person in clear."""
_COORDINATES = r"1?[0-9]{2}[.][0-9]+[^0-9]+[0-9]{2}[.][0-9]+"
_HALF = 0.5
_INSIDE = (
    r"(^|[^0-9A-Za-z])(1[3-9][0-9]{9}|[1-9][0-9]{5}(18|19|20)[0-9]{9}[0-9Xx])([^0-9A-Za-z]|$)"
    r"|[\w.]+@[\w.]+\.\w+"
)
"""A mobile number, a resident number or a mail address somewhere in a text."""


def is_personal(kind: Kind, header: Header, found: Evidence) -> bool:
    """Whether a column by itself tells of a person."""
    if kind.name in ("organisation", "division", "unified_code"):
        return False
    return (
        kind.name in _PERSONAL
        or header.hints("sensitive", "account", "resident_number")
        or (
            header.hints("person", "phone")
            and kind.logical == "string"
            and not header.hints("relation")
        )
        or (kind.name == "words" and _may_be_names(found))
        or (kind.name == "address" and not header.hints("organisation"))
        or (kind.logical == "string" and _tells_inside(found))
    )


def _may_be_names(found: Evidence) -> bool:
    """Persons among enterprises or places: enough of them to be careful."""
    return found.matching(surname_pattern()) >= 0.3 and found.matching(PLACE_END) <= 0.2


def _tells_inside(found: Evidence) -> bool:
    return found.share(pl.col(FOLDED).str.contains(_INSIDE)) > 0


def _is_place(kind: Kind, header: Header, found: Evidence) -> bool:
    """Where somebody is, to the house: a coordinate, or a text with two of them."""
    if kind.name in ("longitude", "latitude"):
        return True
    return header.hints("place") and found.matching(_COORDINATES) >= _HALF


def levels(
    kinds: Sequence[Kind], headers: Sequence[Header], evidence: Sequence[Evidence]
) -> list[str]:
    """The level of each column of a dataset."""
    columns = list(zip(kinds, headers, evidence, strict=True))
    about_persons = any(
        kind.name != "masked" and is_personal(kind, header, found)
        for kind, header, found in columns
    )
    about = _About(
        residents=any(kind.name == "resident_number" for kind in kinds),
        persons=about_persons,
        enterprises=any(kind.name in ("unified_code", "organisation") for kind in kinds),
        times=any(kind.name == "timestamp" for kind in kinds),
    )
    return [_level(*column, about) for column in columns]


@dataclass(frozen=True)
class _About:
    """What a dataset tells of, in clear."""

    persons: bool
    residents: bool
    """Of persons by number: what they own and live by is theirs, not an enterprise's."""
    enterprises: bool
    times: bool
    """Points in time: beside places of persons they make a track."""


def _level(kind: Kind, header: Header, found: Evidence, about: _About) -> str:
    if kind.name in _SENSITIVE:
        return "L4"
    if header.hints("sensitive") and kind.name not in ("organisation", "unified_code"):
        return "L4"
    if kind.name == "masked":
        # A name of which one character is left tells little; the rest of a number tells much.
        return "L2" if header.hints("person") and found.matching(r"^.[*＊●✱]+.?$") >= 1 else "L3"
    if is_personal(kind, header, found) or (kind.name == "text" and header.hints("statement")):
        return "L3"
    if about.persons and header.hints("private"):
        return "L3"
    if about.residents and header.hints("money"):
        return "L3"
    if header.hints("birth") and about.persons:
        return "L3"
    if about.persons and _is_place(kind, header, found):
        return "L4" if about.times else "L3"
    if about.persons or kind.name not in _OPEN:
        return "L2"
    if about.enterprises and header.hints("money") and not header.hints("capital"):
        return "L2"
    return "L1"
