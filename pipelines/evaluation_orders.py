"""Scoring work orders against planted faults: pure functions of both.

Belongs here: which opening of an order belongs to which fault, and the figures that follow.
Does not belong here: planting (`sample_city.incidents`), nights (`evaluation_nights`), printing.

The unit is the opening: a night on which a department is asked to put something right, until the
night on which the order closes. An order that is opened again has two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

ROW_DEFECT = "row_defect"
NOTHING = "(none)"
"""In the confusions: no order for a fault, or no fault for an order."""


@dataclass(frozen=True)
class Fault:
    """Something planted that one order should tell of, from its first night to its correction."""

    department: str
    dataset: str
    kind: str
    causes: tuple[str, ...]
    """Right names; `missing_column` would also stand for `missing_column:phone`."""
    first: date
    corrected: date | None
    """Night on which it is put right; None where it never is."""

    def is_named(self, cause: str) -> bool:
        """Whether a cause has a right name for this fault."""
        return any(cause == name or cause.startswith(f"{name}:") for name in self.causes)

    def stands_on(self, night: date) -> bool:
        """Whether the fault is there on a night."""
        return self.first <= night and (self.corrected is None or night < self.corrected)


@dataclass(frozen=True)
class Opening:
    """One stretch of nights on which an order was open."""

    order_id: str
    department: str
    dataset: str
    cause: str
    opened: date
    closed: date | None


@dataclass(frozen=True)
class Figure:
    """A number, its counts, and what it has to reach."""

    name: str
    value: float
    counted: int
    of: int
    threshold: float | None = None
    at_most: bool = False

    @property
    def is_missed(self) -> bool:
        """Whether the value is on the wrong side of the threshold."""
        if self.threshold is None:
            return False
        return self.value > self.threshold if self.at_most else self.value < self.threshold


@dataclass(frozen=True)
class Score:
    """What the orders of a simulation are worth."""

    figures: tuple[Figure, ...]
    by_kind: tuple[tuple[str, int, int, int, int], ...]
    """Kind, planted, found, found on the first night, closed right."""
    confusions: tuple[tuple[str, str, int], ...]
    """Kind that was planted, cause that was named instead, how often."""
    misses: tuple[str, ...] = field(default=())
    """One line a fault or opening that is not as it should be: place, nights and names alone."""


def merge(faults: Iterable[Fault]) -> list[Fault]:
    """Faults of one dataset and one name that overlap or touch are one: an order knows no more."""
    merged: dict[tuple[str, str, tuple[str, ...]], list[Fault]] = {}
    for fault in sorted(faults, key=lambda f: (f.first, f.kind)):
        group = merged.setdefault((fault.department, fault.dataset, fault.causes), [])
        before = group[-1] if group else None
        if before is None or (before.corrected is not None and before.corrected < fault.first):
            group.append(fault)
            continue
        ends = (before.corrected, fault.corrected)
        corrected = None if None in ends else max(end for end in ends if end is not None)
        kind = fault.kind if before.kind == ROW_DEFECT else before.kind
        group[-1] = Fault(
            fault.department, fault.dataset, kind, fault.causes, before.first, corrected
        )
    return sorted(
        (fault for group in merged.values() for fault in group),
        key=lambda f: (f.first, f.department, f.dataset, f.causes),
    )


def score(
    faults: Sequence[Fault], openings: Sequence[Opening], nights: int, datasets: int, last: date
) -> Score:
    """Compare what was planted with what was ordered.

    Args:
        faults: merged.
        openings: of all orders.
        nights: how many were simulated.
        datasets: how many were delivered.
        last: the last night.
    """
    owner = [_fault_of(opening, faults) for opening in openings]
    found: dict[int, list[Opening]] = {}
    for opening, number in zip(openings, owner, strict=True):
        if number is not None:
            found.setdefault(number, []).append(opening)
    strays = [o for o, number in zip(openings, owner, strict=True) if number is None]
    beside = {id(o): _beside(o, faults) for o in strays}
    right = len(openings) - len(strays)
    misplaced = sum(_is_misplaced(o, faults, found) for o in strays)
    extra = sum(kind != NOTHING for kind in beside.values())
    due = [n for n in found if _is_due(faults[n], last)]
    closed = [n for n in due if found[n][-1].closed == faults[n].corrected]
    early = [
        o for n, own in found.items() for o in own
        if o.closed is not None and faults[n].stands_on(o.closed)
    ]  # fmt: skip
    prompt = [n for n, own in found.items() if own[0].opened == faults[n].first]
    incidents = [n for n, fault in enumerate(faults) if fault.kind != ROW_DEFECT]
    figures = (
        _share("precision", right, len(openings), 0.98),
        _share("recall", len(found), len(faults), 0.99),
        _share("recall of incidents", sum(n in found for n in incidents), len(incidents), 0.99),
        _share("right department", right, right + misplaced, 1.0),
        _ratio("orders per cause", right + extra, len(found), 1.02),
        _ratio("false orders per 1,000 dataset-nights", len(strays), nights * datasets, 1.0, 1000),
        _share("corrected causes closed that night", len(closed), len(due), 1.0),
        _ratio("closed without a correction", len(early), 1, 0.0),
        _share("opened on the first night", len(prompt), len(found), None),
    )
    confusions = Counter(
        [(faults[n].kind, NOTHING) for n in range(len(faults)) if n not in found]
        + [(beside[id(o)], _kind_of(o.cause)) for o in strays]
    )
    misses = [
        *(f"missed: {_said(f)}" for n, f in enumerate(faults) if n not in found),
        *(f"stray beside {beside[id(o)]}: {_told(o)}" for o in strays),
        *(f"closed early: {_told(o)}" for o in early),
        *(
            f"not closed on {faults[n].corrected}: {faults[n].kind} {_told(found[n][-1])}"
            for n in due if n not in closed
        ),
        *(f"opened {len(own)} times: {_said(faults[n])}" for n, own in found.items() if own[1:]),
    ]  # fmt: skip
    return Score(
        figures,
        tuple(_kinds(faults, found, prompt, closed)),
        tuple((*pair, count) for pair, count in sorted(confusions.items())),
        tuple(misses),
    )


def _share(name: str, counted: int, of: int, threshold: float | None) -> Figure:
    return Figure(name, counted / of if of else 1.0, counted, of, threshold)


def _ratio(name: str, counted: int, of: int, threshold: float, per: int = 1) -> Figure:
    return Figure(name, per * counted / of if of else 0.0, counted, of, threshold, at_most=True)


def _fault_of(opening: Opening, faults: Sequence[Fault]) -> int | None:
    """The fault that an opening tells of: the last begun that stands and is named so."""
    candidates = [
        number
        for number, fault in enumerate(faults)
        if (fault.department, fault.dataset) == (opening.department, opening.dataset)
        and fault.is_named(opening.cause)
        and fault.stands_on(opening.opened)
    ]
    return max(candidates, key=lambda number: faults[number].first, default=None)


def _beside(opening: Opening, faults: Sequence[Fault]) -> str:
    """The kind of incident in whose nights a stray opening of the same dataset lies."""
    around = [
        fault
        for fault in faults
        if fault.kind != ROW_DEFECT
        and (fault.department, fault.dataset) == (opening.department, opening.dataset)
        and (fault.stands_on(opening.opened) or fault.corrected == opening.opened)
    ]
    return max(around, key=lambda fault: fault.first).kind if around else NOTHING


def _is_misplaced(
    opening: Opening, faults: Sequence[Fault], found: dict[int, list[Opening]]
) -> bool:
    """Whether a stray opening tells another department of a fault that its owner is not told of."""
    return any(
        fault.first == opening.opened
        and fault.department != opening.department
        and fault.is_named(opening.cause)
        and number not in found
        for number, fault in enumerate(faults)
    )


def _is_due(fault: Fault, last: date) -> bool:
    return fault.corrected is not None and fault.corrected <= last


def _kinds(
    faults: Sequence[Fault], found: dict[int, list[Opening]], prompt: list[int], closed: list[int]
) -> list[tuple[str, int, int, int, int]]:
    rows = []
    for kind in sorted({fault.kind for fault in faults}):
        own = {n for n, fault in enumerate(faults) if fault.kind == kind}
        counts = [len(own & set(numbers)) for numbers in (found, prompt, closed)]
        rows.append((kind, len(own), counts[0], counts[1], counts[2]))
    return rows


def _kind_of(cause: str) -> str:
    return cause.partition(":")[0]


def _said(fault: Fault) -> str:
    end = fault.corrected or "never corrected"
    return f"{fault.kind} {fault.department}/{fault.dataset} {fault.causes[0]} {fault.first}–{end}"


def _told(opening: Opening) -> str:
    end = opening.closed or "open"
    return f"{opening.department}/{opening.dataset} {opening.cause} {opening.opened}–{end}"
