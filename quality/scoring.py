"""Rule results → scores of datasets, departments and the city, in six dimensions.

Belongs here: the arithmetic, as pure functions.
Does not belong here: the weights (`weights.yaml`); the tables (`score_tables`); showing the
arithmetic (`score_explanation`); judging (`expectations`, `defects`).

Indicators are X = A / B as in GB/T 36344-2018: of B judged, A hold. What was not assessed is
null, never 100, and lowers the coverage that stands beside each score.

- A sub-indicator of a dataset: 100 × mean of (1 - failed / total) over its assessed rules, weighted
  by severity. Coverage: share of the rules' weight that was assessed; a rule that had nothing to
  judge (`not_applicable`) is not expected.
- A dimension of a dataset: mean of its assessed sub-indicators, weighted. Coverage: that of all
  its sub-indicators, weighted; one without a rule counts as 0.
- A dataset: mean of its assessed dimensions, weighted. Coverage: likewise, over all six.
- A department: mean of its datasets, weighted by `datasets` in the YAML and not by row counts:
  forty million insurance months would else silence the register of enterprises, on which they
  depend. The city: mean of its departments, each with the sum of its datasets' weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from quality.contract import DIMENSIONS
from quality.indicators import PLAIN, read_indicators
from quality.results import FAIL, NOT_APPLICABLE, PASS, RuleResult
from quality.weights import Weights

OVERALL = "overall"

Place = tuple[date, str, str]
"""Business date, department and dataset."""


@dataclass(frozen=True)
class IndicatorScore:
    """One sub-indicator of one dataset; only where a rule counts towards it."""

    business_date: date
    department: str
    dataset: str
    indicator: str
    """Code in GB/T 36344-2018, such as `0201`."""
    dimension: str
    score: float | None
    """0 to 100; `None` where nothing was assessed."""
    coverage: float
    """Share of its rules' weight that was assessed, 0 to 1."""
    rules_assessed: int
    rules_expected: int
    failed: int
    """Over the assessed rules; a row may fail several."""
    total: int


@dataclass(frozen=True)
class DatasetScore:
    """One dimension of one dataset, or `overall`."""

    business_date: date
    department: str
    dataset: str
    dimension: str
    score: float | None
    """0 to 100; `None` where nothing was assessed."""
    coverage: float
    """Share of the weight that was assessed, 0 to 1."""
    rules_assessed: int
    rules_expected: int
    grade: str | None = None


@dataclass(frozen=True)
class DepartmentScore:
    """One dimension of one department, or `overall`."""

    business_date: date
    department: str
    dimension: str
    score: float | None
    coverage: float
    grade: str | None
    datasets_assessed: int
    datasets_expected: int


@dataclass(frozen=True)
class CityScore:
    """One dimension of the city, or `overall`."""

    business_date: date
    dimension: str
    score: float | None
    coverage: float
    grade: str | None
    departments_assessed: int
    departments_expected: int


@dataclass(frozen=True)
class Scores:
    """All scores of one night."""

    datasets: tuple[DatasetScore, ...]
    departments: tuple[DepartmentScore, ...]
    city: tuple[CityScore, ...]
    indicators: tuple[IndicatorScore, ...] = ()

    @property
    def overall(self) -> CityScore:
        """The one number for the city."""
        return next(score for score in self.city if score.dimension == OVERALL)


def score_night(business_date: date, results: Iterable[RuleResult], weights: Weights) -> Scores:
    """Score one night's results; the order of the results does not matter."""
    by_dataset: dict[tuple[str, str], list[RuleResult]] = defaultdict(list)
    for result in results:
        if result.engine in weights.engines or result.rule_id in weights.scored_rules:
            by_dataset[result.department, result.dataset].append(result)
    indicators, datasets = [], []
    for (department, dataset), own in sorted(by_dataset.items()):
        place = (business_date, department, dataset)
        found = [score for score, _ in indicators_of(place, own, weights)]
        indicators += found
        datasets += _score_dataset(place, found, weights)
    departments = _score_departments(business_date, datasets, weights)
    city = _score_city(business_date, datasets, departments, weights)
    return Scores(tuple(datasets), tuple(departments), tuple(city), tuple(indicators))


def indicators_of(
    place: Place, results: Iterable[RuleResult], weights: Weights
) -> list[tuple[IndicatorScore, list[RuleResult]]]:
    """The sub-indicators of one dataset that a rule counts towards, each with its rules.

    Args:
        place: business date, department and dataset.
        results: of one dataset on one night.
        weights: names the sub-indicators that count; rules of another count towards none.
    """
    by_code: dict[str, list[RuleResult]] = defaultdict(list)
    for result in results:
        code = result.indicator or PLAIN[result.dimension]
        is_expected = result.status != NOT_APPLICABLE and weights.counts(
            result.engine, result.rule_id
        )
        if is_expected and code in weights.indicators:
            by_code[code].append(result)
    return [
        (_score_indicator(place, code, own, weights), own) for code, own in sorted(by_code.items())
    ]


def _score_indicator(
    place: Place, code: str, expected: Sequence[RuleResult], weights: Weights
) -> IndicatorScore:
    assessed = [result for result in expected if is_assessed(result)]
    score, weight = mean([(held(r), weights.severities[r.severity]) for r in assessed])
    whole = sum(weights.severities[r.severity] for r in expected)
    return IndicatorScore(
        *place,
        indicator=code,
        dimension=read_indicators()[code].dimension,
        score=score,
        coverage=weight / whole,
        rules_assessed=len(assessed),
        rules_expected=len(expected),
        failed=sum(min(r.failed, r.total) for r in assessed),
        total=sum(r.total for r in assessed),
    )


def _score_dataset(
    place: Place, indicators: Sequence[IndicatorScore], weights: Weights
) -> list[DatasetScore]:
    """The six dimensions, then `overall`."""
    dimensions = [
        _score_dimension(place, dimension, [i for i in indicators if i.dimension == dimension],
                         weights)
        for dimension in DIMENSIONS
    ]  # fmt: skip
    score, _ = mean([(d.score, weights.dimensions[d.dimension]) for d in dimensions])
    coverage, _ = mean([(d.coverage, weights.dimensions[d.dimension]) for d in dimensions])
    overall = DatasetScore(
        *place, OVERALL, score, coverage or 0.0,
        sum(d.rules_assessed for d in dimensions), sum(d.rules_expected for d in dimensions),
        weights.grade(score),
    )  # fmt: skip
    return [*dimensions, overall]


def _score_dimension(
    place: Place, dimension: str, indicators: Sequence[IndicatorScore], weights: Weights
) -> DatasetScore:
    score, _ = mean([(i.score, weights.indicators[i.indicator]) for i in indicators])
    covered = sum(i.coverage * weights.indicators[i.indicator] for i in indicators)
    whole = weights.of_dimension(dimension)
    return DatasetScore(
        *place, dimension, score, covered / whole if whole else 0.0,
        sum(i.rules_assessed for i in indicators), sum(i.rules_expected for i in indicators),
        weights.grade(score),
    )  # fmt: skip


def is_assessed(result: RuleResult) -> bool:
    """Whether a rule gave a verdict on something."""
    return result.status in (PASS, FAIL) and result.total > 0


def held(result: RuleResult) -> float:
    """Share of what was judged that holds, in percent."""
    return 100 * (1 - min(result.failed, result.total) / result.total)


def mean(weighted: Iterable[tuple[float | None, float]]) -> tuple[float | None, float]:
    """Weighted mean of what is there, and its weight; clamped against rounding to its range."""
    present = [(value, weight) for value, weight in weighted if value is not None]
    whole = sum(weight for _, weight in present)
    if not present:
        return None, 0.0
    average = sum(value * weight for value, weight in sorted(present)) / whole
    values = [value for value, _ in present]
    return min(max(average, min(values)), max(values)), whole


def _score_departments(
    business_date: date, datasets: Sequence[DatasetScore], weights: Weights
) -> list[DepartmentScore]:
    groups: dict[tuple[str, str], list[DatasetScore]] = defaultdict(list)
    for score in datasets:
        groups[score.department, score.dimension].append(score)
    found = []
    for (department, dimension), own in groups.items():
        share = [weights.of_dataset(department, score.dataset) for score in own]
        average, _ = mean(zip((score.score for score in own), share, strict=True))
        coverage, _ = mean(zip((score.coverage for score in own), share, strict=True))
        assessed = sum(score.score is not None for score in own)
        found.append(
            DepartmentScore(business_date, department, dimension, average, coverage or 0.0,
                            weights.grade(average), assessed, len(own))
        )  # fmt: skip
    return found


def _score_city(
    business_date: date,
    datasets: Sequence[DatasetScore],
    departments: Sequence[DepartmentScore],
    weights: Weights,
) -> list[CityScore]:
    share: dict[str, float] = defaultdict(float)
    for score in datasets:
        if score.dimension == OVERALL:
            share[score.department] += weights.of_dataset(score.department, score.dataset)
    found = []
    for dimension in (*DIMENSIONS, OVERALL):
        own = [score for score in departments if score.dimension == dimension]
        average, _ = mean((score.score, share[score.department]) for score in own)
        coverage, _ = mean((score.coverage, share[score.department]) for score in own)
        assessed = sum(score.score is not None for score in own)
        found.append(
            CityScore(business_date, dimension, average, coverage or 0.0, weights.grade(average),
                      assessed, len(own))
        )  # fmt: skip
    return found
