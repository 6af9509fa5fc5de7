"""What a rule tolerates: the `mustBe…` of a contract, as a verdict on a count.

Belongs here: the arithmetic, the same for rows judged at the door and relations judged in the
warehouse. Does not belong here: counting.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

Options = Mapping[str, float | str]

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "mustBe": operator.eq,
    "mustBeGreaterThan": operator.gt,
    "mustBeGreaterOrEqualTo": operator.ge,
    "mustBeLessThan": operator.lt,
    "mustBeLessOrEqualTo": operator.le,
}


def accepts(options: Options, measured: float, total: int) -> bool:
    """Whether the measured number is within the bounds; without bounds it must be 0.

    With `unit: percent` the bounds are on 100 × measured / total.
    """
    bounds = {name: float(value) for name, value in options.items() if name in _COMPARISONS}
    if not bounds:
        return measured == 0
    if is_share(options):
        measured = 100 * measured / total if total else 0
    return all(_COMPARISONS[name](measured, bound) for name, bound in bounds.items())


def is_share(options: Options) -> bool:
    """The bounds are percentages."""
    return str(options.get("unit", "rows")).lower() in ("percent", "%")


def wants_more(options: Options) -> bool:
    """A high number is good: the measured number counts no failures."""
    return any(name in options for name in ("mustBeGreaterThan", "mustBeGreaterOrEqualTo"))


def row_count_bounds(options: Options) -> tuple[int | None, int | None]:
    """Smallest and largest row count allowed; `None` where there is no bound."""
    low: list[int] = []
    high: list[int] = []
    for name, value in options.items():
        if name not in _COMPARISONS:
            continue
        bound = float(value)
        if name == "mustBe":
            low.append(math.ceil(bound))
            high.append(math.floor(bound))
        elif name == "mustBeGreaterThan":
            low.append(math.floor(bound) + 1)
        elif name == "mustBeGreaterOrEqualTo":
            low.append(math.ceil(bound))
        elif name == "mustBeLessThan":
            high.append(math.ceil(bound) - 1)
        else:
            high.append(math.floor(bound))
    return max(low, default=None), min(high, default=None)


def share_kept(options: Options) -> float:
    """GX's `mostly` for nullValues: the share that must be filled.

    GX knows no tolerance in rows; there it only counts (0.0) and `accepts` judges.
    """
    upper = [
        float(value)
        for name, value in options.items()
        if name in ("mustBe", "mustBeLessThan", "mustBeLessOrEqualTo")
    ]
    if not upper or min(upper) == 0:
        return 1.0
    return max(0.0, 1 - min(upper) / 100) if is_share(options) else 0.0
