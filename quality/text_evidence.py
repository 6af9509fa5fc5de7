"""What the texts of a few rows tell of a whole file: misread characters, columns out of place.

Belongs here: pure functions of sampled texts and the contract.
Does not belong here: which deliveries are sampled (`fault_evidence`), what follows (`faults`).
No text leaves this module, only shares and positions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from quality.contract import Column, Contract

Row = Mapping[str, str | None]
"""Column → text as it was delivered."""

_DATE = re.compile(r"^\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?( .*)?$")
_NUMBER = re.compile(r"^[-+]?[¥￥]?[\d,]+(\.\d+)?(元|万元|%)?$")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PATTERNS = {
    "resident_number_format": re.compile(r"^\d{17}[\dXx]$"),
    "unified_code_format": re.compile(r"^[0-9A-Za-z]{2}\d{6}[0-9A-Za-z]{10}$"),
    "phone": re.compile(r"^[\d-]{7,14}$"),
    "person_name": re.compile(r"^[\u4e00-\u9fff·]{2,}$"),
}
_TELLING = 2
"""Columns whose values can be told from others that a shift must be seen in."""


def misread_share(rows: Sequence[Row]) -> float:
    """Share of the texts with Chinese or broken characters that UTF-8 taken for GB18030 explains.

    Written back as GB18030, such a text is UTF-8 again; a right text hardly ever is.
    """
    texts = [t for row in rows for t in row.values() if t and not t.isascii()]
    return sum(map(_is_misread, texts)) / len(texts) if texts else 0.0


def _is_misread(text: str) -> bool:
    whole = text.replace("\ufffd", "")
    back = whole.encode("gb18030", errors="ignore").decode("utf-8", errors="replace")
    read = [c for c in back if not c.isascii()]
    right = sum(bool(_HAN.match(c)) for c in read)
    return bool(right) and right >= len(read) / 2


@dataclass(frozen=True)
class Shift:
    """Columns whose values stand some places from where they belong."""

    first: str
    """Column from which on."""
    places: int
    """1: each value stands one column too far right; -1: left."""


def shift_of(rows: Sequence[Row], contract: Contract) -> Shift | None:
    """The shift that explains the rows; None where they stand where they belong.

    Each column whose values can be told by their look (dates, numbers, codes, enumerated values)
    says whether its values, or those of the column beside it, look as they should.
    """
    names = [column.name for column in contract.columns]
    tests = {c.name: test for c in contract.columns if (test := _test(c, contract))}
    found: Shift | None = None
    best = 0.0
    for start in range(len(names)):
        for places in (1, -1):
            telling = [n for n in names[start:] if n in tests and _has(names, n, places)]
            if len(telling) < _TELLING:
                continue
            as_is = _fit(rows, [(tests[n], n) for n in telling])
            moved = _fit(rows, [(tests[n], names[names.index(n) + places]) for n in telling])
            before = _fit(rows, [(tests[n], n) for n in names[:start] if n in tests])
            explains = moved >= 0.8 and as_is <= 0.4 and before >= 0.8
            weight = (moved - as_is) * len(telling)
            # Of equals the later start: a column that cannot be told says nothing of itself.
            if explains and weight >= best:
                found, best = Shift(names[start], places), weight
    return found


def _has(names: Sequence[str], name: str, places: int) -> bool:
    return 0 <= names.index(name) + places < len(names)


def _fit(rows: Sequence[Row], pairs: Sequence[tuple[Callable[[str], bool], str]]) -> float:
    """Share of the texts that look as they should; 1 where there is nothing to look at."""
    looked = fitting = 0
    for test, name in pairs:
        texts = [text for row in rows if (text := row.get(name))]
        looked += len(texts)
        fitting += sum(map(test, texts))
    return fitting / looked if looked else 1.0


def _test(column: Column, contract: Contract) -> Callable[[str], bool] | None:
    """How a value of the column looks; None where anything may stand there."""
    if column.domain:
        return set(column.domain).__contains__
    for rule in contract.rules_of("row"):
        if rule.columns[:1] == (column.name,) and rule.check in _PATTERNS:
            pattern = _PATTERNS[rule.check]
            return lambda text: bool(pattern.match(text))
        if rule.columns[:1] == (column.name,) and rule.check == "matches":
            own = re.compile(rule.arguments[0])
            return lambda text: bool(own.search(text))
    if column.logical_type in ("date", "timestamp"):
        return lambda text: bool(_DATE.match(text))
    if column.logical_type in ("integer", "number"):
        return lambda text: bool(_NUMBER.match(text))
    return None
