"""What is unusual about a dataset's deliveries, beside those that came before.

Belongs here: volume and freshness, judged delivery by delivery, as pure functions of the profiles,
and what all kinds share. Does not belong here: counting (`profiles`), missing values and
distributions (`distributions`), the rules' results (`anomaly_results`), what fault lies behind it
(`faults`).

A delivery is compared with earlier ones alone; one that was found unusual is in no later baseline
of the same kind; and nothing is said before there are `HISTORY` of them. Thresholds are in one
place, per sensitivity.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from quality.day_kinds import SATURDAY, DayKind, Season, kind_of
from quality.profiles import Profile

HISTORY = 10
"""Earlier usual deliveries before a delivery is judged."""
WINDOW = 60
"""Earlier usual deliveries that one is compared with at most."""
_GROUP = 4
"""Days of a kind that make a group of their own."""
_FESTIVAL_GROUP = 3
FEWEST_ROWS = 5
"""Fewer rows than these show nothing."""
_SAME_CHANCE = 0.02
"""Chance of an unchanged full delivery up to which one is unusual: some fifty changed ones in a row
on days of its season say so, for a small register often has nothing new."""
_MAD = 1.4826
"""Median absolute deviation to standard deviation of a normal distribution."""


@dataclass(frozen=True)
class Sensitivity:
    """How far a delivery may be from its baseline."""

    deviations: float
    """Robust standard deviations of the number of rows, or of a test's normal score."""
    divergence: float
    """Least Jensen–Shannon divergence (bits, 0 to 1) of a distribution that is told of."""
    missing: float
    """Least rise of a share of missing values, 0 to 1."""


SENSITIVITIES: dict[str, Sensitivity] = {
    "low": Sensitivity(8.0, 0.2, 0.1),
    "medium": Sensitivity(6.0, 0.1, 0.05),
    "high": Sensitivity(4.5, 0.05, 0.02),
}
OFF = "off"
DEFAULT = "medium"


@dataclass(frozen=True)
class Unusual:
    """One delivery that is unlike the earlier ones in one respect."""

    business_date: date
    found: float
    usual: float
    """What is found and what is usual: rows, share of missing values, or 0 for a distribution."""
    is_gross: bool = True
    """Whether it is wrong as long as its rows stand, and not merely a change that may go on."""
    divergence: float = 0.0
    times: int = 0
    """Power of ten by which the numbers have grown; 0 where that does not explain it."""
    alike: date | None = None
    """Business date of the earlier delivery with the same content."""


def judgeable(profiles: Sequence[Profile], check: str, *, is_full: bool) -> bool:
    """Whether the newest delivery has history enough for a check.

    That an increment's rows are those of the one before shows from the second delivery on.
    """
    needed = 1 if check == "freshness" and not is_full else HISTORY
    return len(profiles) > needed


# -- volume ----------------------------------------------------------------------------------------


def unusual_volumes(
    profiles: Sequence[Profile], sensitivity: Sensitivity, *, is_full: bool
) -> list[Unusual]:
    """Deliveries with far more or fewer rows than their kind of day has.

    A full delivery is compared with the usual one before it, an increment with those of days of
    its kind.
    """
    found: list[Unusual] = []
    usual: list[Profile] = []
    for profile in profiles:
        flaw = None
        if len(usual) >= HISTORY:
            judge = _full_volume if is_full else _increment_volume
            flaw = judge(profile, usual, sensitivity)
        if flaw is None:
            usual.append(profile)
        else:
            found.append(flaw)
    return found


def _size(profile: Profile) -> float:
    return math.log(profile.rows + 1)


def _full_volume(
    profile: Profile, usual: Sequence[Profile], sensitivity: Sensitivity
) -> Unusual | None:
    sizes = [_size(other) for other in usual]
    fewer = min(profile.rows, usual[-1].rows)  # else a register that doubles could never go back
    steps = [after - before for before, after in pairwise(sizes)]
    spread = max(robust_deviation(steps), 0.03) + 1 / math.sqrt(fewer + 1)
    step = _size(profile) - sizes[-1]
    if abs(step - median(steps)) <= sensitivity.deviations * spread:
        return None
    return Unusual(profile.business_date, profile.rows, usual[-1].rows)


def _increment_volume(
    profile: Profile, usual: Sequence[Profile], sensitivity: Sensitivity
) -> Unusual | None:
    """Outside of every group of days that it may belong to; see `_groups`."""
    kind = kind_of(profile.business_date)
    groups, may_be_small = _groups(profile.business_date, kind, usual)
    if not groups:
        return None
    nearest: tuple[float, float] | None = None
    for group in groups:
        center = median(_size(other) for other in group)
        rows = math.exp(center) - 1
        spread = max(robust_deviation([_size(other) for other in group]), 0.12)
        spread = math.sqrt(spread**2 + 1 / (rows + 1))  # of few rows the number is chance
        score = (_size(profile) - center) / spread
        if may_be_small and score < 0:
            return None
        if nearest is None or abs(score) < abs(nearest[0]):
            nearest = score, rows
    if nearest is None or abs(nearest[0]) <= sensitivity.deviations:
        return None
    return Unusual(profile.business_date, profile.rows, round(nearest[1]))


def _groups(day: date, kind: DayKind, usual: Sequence[Profile]) -> tuple[list[list[Profile]], bool]:
    """Groups of earlier days like this one, and whether it may be smaller than all of them.

    The closest kind alone where it has days enough; else all that are like it in some respect. A
    day of rest without earlier ones may be as small as it likes.
    """
    kinds = [(kind_of(other.business_date), other) for other in usual]

    def like(alike: Callable[[DayKind], bool], fewest: int = _GROUP) -> list[list[Profile]]:
        group = [other for k, other in kinds if alike(k)]
        return [group[-WINDOW:]] if len(group) >= fewest else []

    if kind.season in (Season.FESTIVAL, Season.HOLIDAY):
        own = like(lambda k: k.season == kind.season, _FESTIVAL_GROUP)
        if kind.season == Season.FESTIVAL:
            since = day - timedelta(days=14)
            run = [p for k, p in kinds if k.season == kind.season and p.business_date > since]
            own = [run] if len(run) >= _FESTIVAL_GROUP else own
        if own:
            return own, False
        work = like(lambda k: k.season == Season.WORK)
        return [*work, *like(lambda k: k.season == Season.REST)], True
    same = like(lambda k: k == kind)
    if same:
        return same, False
    groups = [
        *like(lambda k: (k.weekday, k.season) == (kind.weekday, kind.season)),
        *like(lambda k: (k.season, k.is_month_end) == (kind.season, kind.is_month_end)),
        *like(lambda k: k.season == kind.season),
    ]
    if kind.season == Season.WORK and kind.weekday >= SATURDAY:  # a make-up day may be quiet
        groups += like(lambda k: k.weekday == kind.weekday)
    if groups:
        return groups, False
    return like(lambda _: True, HISTORY), kind.season == Season.REST


def robust_deviation(values: Sequence[float]) -> float:
    """Standard deviation from the median absolute deviation; 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    center = median(values)
    return _MAD * median(abs(value - center) for value in values)


# -- freshness -------------------------------------------------------------------------------------


def stale_deliveries(profiles: Sequence[Profile], *, is_full: bool) -> list[Unusual]:
    """Deliveries whose rows are those of the date before, sent again under a new date.

    An increment brings what is new, so that the same rows are never new. A full delivery may be
    unchanged, unless the dataset's deliveries hardly ever are; then it is stale, and so is all that
    follows until something changes.
    """
    found: list[Unusual] = []
    pairs: Counter[Season] = Counter()
    same: Counter[Season] = Counter()
    for before, after in pairwise(profiles):
        season = kind_of(after.business_date).season
        is_same = after.rows > 0 and after.content == before.content
        goes_on = bool(found) and found[-1].business_date == before.business_date
        chance = (same[season] + 1) / (pairs[season] + 2)  # by the rule of succession
        is_rare = goes_on or chance <= _SAME_CHANCE
        if is_same and (is_rare if is_full else after.rows >= FEWEST_ROWS):
            found.append(Unusual(after.business_date, after.rows, before.rows,
                                 alike=before.business_date))  # fmt: skip
        if not (is_same and goes_on):
            pairs[season] += 1
            same[season] += is_same
    return found
