"""What is unusual about a dataset's deliveries, beside those that came before.

Belongs here: volume, freshness, missing values and distributions, judged delivery by delivery, as
pure functions of the profiles.
Does not belong here: counting (`profiles`), the rules' results (`anomaly_results`), what fault lies
behind it (`faults`).

A delivery is compared with earlier ones alone; one that was found unusual is in no later baseline
of the same kind; and nothing is said before there are `HISTORY` of them. Thresholds are in one
place, per sensitivity.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from quality.day_kinds import SATURDAY, DayKind, Season, kind_of
from quality.profiles import BINS_A_DECADE, Profile

HISTORY = 10
"""Earlier usual deliveries before a delivery is judged."""
WINDOW = 60
"""Earlier usual deliveries that a distribution is compared with."""
LAG = 14
"""The last usual deliveries, which are left out of a distribution's baseline where there are enough
others: a change that creeps in would else creep into what it is compared with."""
_GROUP = 4
"""Days of a kind that make a group of their own."""
_FESTIVAL_GROUP = 3
_GROSS = 0.5
"""Divergence from which on a delivery is unusual on any day and however few rows it has."""
_FEWEST_ROWS = 20
_FEWEST_ROWS_GROSS = 5
_SAME_CHANCE = 0.02
"""Chance of an unchanged full delivery up to which one is unusual: some fifty changed ones in a row
on days of its season say so, for a small register often has nothing new."""
_APART = 0.3
"""Divergence from which on a change of unit is looked for."""
_ALIKE, _ALIKE_OF_FEW = 0.35, 0.5
"""Share of it that may be left once the unit is put right; of few rows, where the likelihood ratio
too finds nothing odd."""
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
    steps = [after - before for before, after in pairwise(sizes)]
    spread = max(_spread(steps), 0.03) + 1 / math.sqrt(usual[-1].rows + 1)
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
        spread = max(_spread([_size(other) for other in group]), 0.12)
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


def _spread(values: Sequence[float]) -> float:
    """Robust standard deviation; 0 for fewer than two values."""
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
        if is_same and (is_rare if is_full else after.rows >= _FEWEST_ROWS_GROSS):
            found.append(Unusual(after.business_date, after.rows, before.rows,
                                 alike=before.business_date))  # fmt: skip
        if not (is_same and goes_on):
            pairs[season] += 1
            same[season] += is_same
    return found


# -- missing values and distributions ------------------------------------------------------------


def unusual_missing(
    profiles: Sequence[Profile], column: str, sensitivity: Sensitivity
) -> list[Unusual]:
    """Deliveries in which a column is missing far more often than usual."""
    counts = [
        {"missing": p.missing.get(column, 0), "there": p.rows - p.missing.get(column, 0)}
        for p in profiles
    ]
    walk = _Walk(sensitivity, _rises(sensitivity))
    return walk.through(profiles, counts, is_share=True)


def unusual_distributions(
    profiles: Sequence[Profile], column: str, sensitivity: Sensitivity
) -> list[Unusual]:
    """Deliveries in which the values of a column are spread unlike the usual ones."""
    counts = [dict(profile.values.get(column, {})) for profile in profiles]
    walk = _Walk(sensitivity, lambda own, pool: divergence(own, pool) >= sensitivity.divergence)
    return walk.through(profiles, counts, is_share=False)


def _rises(sensitivity: Sensitivity) -> Callable[[Counts, Counts], bool]:
    return lambda own, pool: _share(own) - _share(pool) >= sensitivity.missing


Counts = Mapping[str, float]


def _share(counts: Counts) -> float:
    total = sum(counts.values())
    return counts.get("missing", 0) / total if total else 0.0


@dataclass
class _Walk:
    """The deliveries of one column in their order: what is usual so far, and what goes on now.

    Once a delivery is unusual, the next ones are, until one is more like the usual ones than like
    those that were not: a drift does not end because a small delivery shows it less clearly.
    """

    sensitivity: Sensitivity
    matters: Callable[[Counts, Counts], bool]
    usual: list[Counts] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    changed: Counter[str] = field(default_factory=Counter)
    began_gross: bool = False

    def through(
        self, profiles: Sequence[Profile], counts: Sequence[Counts], *, is_share: bool
    ) -> list[Unusual]:
        """The unusual ones among deliveries whose values are counted in `counts`."""
        found: list[Unusual] = []
        pool: Counter[str] = Counter()
        for profile, own in zip(profiles, counts, strict=True):
            size = sum(own.values())
            if not size:
                continue
            score = normal_score(own, pool) if pool else 0.0
            if len(self.usual) >= HISTORY and self._is_unusual(profile, own, pool, size, score):
                found.append(self._told(profile, own, pool, is_share))
                self.changed.update(own)
                continue
            self.changed.clear()
            self.scores.append(score)
            self.usual.append(own)
            pool = self._pool(pool)
        return found

    def _pool(self, pool: Counter[str]) -> Counter[str]:
        """The baseline of the next delivery, from that of the last one."""
        count = len(self.usual)
        if count == HISTORY + LAG:  # from here on the newest ones are left out
            return sum((Counter(own) for own in self.usual[:HISTORY]), Counter())
        pool.update(self.usual[-1] if count < HISTORY + LAG else self.usual[-1 - LAG])
        if count > WINDOW + LAG:
            pool.subtract(self.usual[-1 - LAG - WINDOW])
        return pool

    def _earlier_scores(self) -> list[float]:
        """The scores of the deliveries in the baseline."""
        scores = self.scores[:-LAG] if len(self.scores) >= HISTORY + LAG else self.scores
        return scores[-WINDOW:]

    def _is_unusual(
        self, profile: Profile, own: Counts, pool: Counts, size: float, score: float
    ) -> bool:
        if self.changed:
            return likelihood(own, self.changed) > likelihood(own, pool)
        earlier = self._earlier_scores()
        limit = max(
            self.sensitivity.deviations - 1,
            median(earlier) + self.sensitivity.deviations * max(_spread(earlier), 0.5),
        )
        if score <= limit or not self.matters(own, pool):
            return False
        if divergence(own, pool) >= _GROSS:
            return size >= _FEWEST_ROWS_GROSS
        is_ordinary = kind_of(profile.business_date).season in (Season.WORK, Season.REST)
        return is_ordinary and size >= _FEWEST_ROWS

    def _told(self, profile: Profile, own: Counts, pool: Counts, is_share: bool) -> Unusual:
        """Called before the delivery joins what has changed, so that the first one tells how."""
        apart = divergence(own, pool)
        if is_share:
            gross = _share(own) - _share(pool) >= _GROSS
            return Unusual(profile.business_date, _share(own), _share(pool), gross, apart)
        times = change_of_unit(own, pool, self.sensitivity)
        if not self.changed:
            self.began_gross = apart >= _GROSS or times != 0
        if not self.began_gross:
            times = 0
        return Unusual(profile.business_date, 0, 0, self.began_gross, apart, times)


def divergence(own: Counts, other: Counts) -> float:
    """Jensen–Shannon divergence of two counts, in bits: 0 alike, 1 nothing in common."""
    own_total, other_total = sum(own.values()), sum(other.values())
    if not own_total or not other_total:
        return 0.0
    total = 0.0
    for key in {*own, *other}:
        p, q = own.get(key, 0) / own_total, other.get(key, 0) / other_total
        middle = (p + q) / 2
        total += sum(x * math.log2(x / middle) / 2 for x in (p, q) if x > 0)
    return min(max(total, 0.0), 1.0)


def normal_score(own: Counts, pool: Counts) -> float:
    """How unlikely the counts are as a draw from the pool, in standard deviations.

    The likelihood-ratio statistic G, brought to a normal score by the cube root of Wilson and
    Hilferty (1931): comparable for any number of rows and classes.
    """
    size = sum(own.values())
    classes = {key for key in (*own, *pool) if own.get(key, 0) > 0 or pool.get(key, 0) > 0}
    if len(classes) < 2 or not size:
        return 0.0
    chances = _chances(pool, classes)
    statistic = 2 * sum(n * math.log(n / size / chances[key]) for key, n in own.items() if n > 0)
    freedom = len(classes) - 1
    spread = 2 / (9 * freedom)
    return ((max(statistic, 0) / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


def likelihood(own: Counts, pool: Counts) -> float:
    """Log-likelihood of the counts as a draw from the pool."""
    classes = {*own, *pool}
    chances = _chances(pool, classes)
    return sum(n * math.log(chances[key]) for key, n in own.items() if n > 0)


def _chances(pool: Counts, classes: set[str]) -> dict[str, float]:
    """Share of each class, none of them 0: half a row is added to each."""
    total = sum(pool.values()) + 0.5 * len(classes)
    return {key: (pool.get(key, 0) + 0.5) / total for key in classes}


def change_of_unit(own: Counts, pool: Counts, sensitivity: Sensitivity) -> int:
    """Power of ten (-4 to 4) by which all numbers have been multiplied; 0 where none explains it.

    A power explains the change if, divided by it, the numbers are spread as usual: nearly alike, or
    of few rows as alike as chance lets so few be.
    """
    if not any(key[0] in "pn" and key[1:].lstrip("-").isdigit() for key in own):
        return 0
    apart = divergence(own, pool)
    trials = {power: _moved(own, -power * BINS_A_DECADE) for power in range(-4, 5) if power != 0}
    best = max(trials, key=lambda power: likelihood(trials[power], pool))
    left, score = divergence(trials[best], pool), normal_score(trials[best], pool)
    is_alike = left <= _ALIKE * apart and score < max(sensitivity.deviations, 4.0)
    is_as_alike_as_few = left <= _ALIKE_OF_FEW * apart and score < 1
    return best if apart >= _APART and (is_alike or is_as_alike_as_few) else 0


def _moved(counts: Counts, bins: int) -> dict[str, float]:
    moved: dict[str, float] = {}
    for key, n in counts.items():
        sign, size = key[0], key[1:]
        is_number = sign in "pn" and size.lstrip("-").isdigit()
        moved[f"{sign}{int(size) + bins}" if is_number else key] = n
    return moved
