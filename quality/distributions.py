"""Missing values and distributions of a column that are unlike those of earlier deliveries.

Belongs here: comparing counts of values, delivery by delivery, as pure functions of the profiles;
whether a change of unit explains a difference.
Does not belong here: volume, freshness and how a baseline is made (`anomalies`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from quality.anomalies import FEWEST_ROWS, HISTORY, WINDOW, Sensitivity, Unusual, robust_deviation
from quality.day_kinds import Season, kind_of
from quality.profiles import BINS_A_DECADE, Profile

Counts = Mapping[str, float]
"""Value, or bin of values, → how often it comes."""

LAG = 14
"""The last usual deliveries, which are left out of a distribution's baseline where there are enough
others: a change that creeps in would else creep into what it is compared with."""
_GROSS = 0.5
"""Divergence from which on a delivery is unusual on any day and however few rows it has."""
_ENOUGH_ROWS = 20
"""From here on a lesser divergence counts too, on ordinary days."""
_APART = 0.3
"""Divergence from which on a change of unit is looked for."""
_ALIKE, _ALIKE_OF_FEW = 0.35, 0.5
"""Share of it that may be left once the unit is put right; of few rows, where the likelihood ratio
too finds nothing odd."""


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
            median(earlier) + self.sensitivity.deviations * max(robust_deviation(earlier), 0.5),
        )
        if score <= limit or not self.matters(own, pool):
            return False
        if divergence(own, pool) >= _GROSS:
            return size >= FEWEST_ROWS
        is_ordinary = kind_of(profile.business_date).season in (Season.WORK, Season.REST)
        return is_ordinary and size >= _ENOUGH_ROWS

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
