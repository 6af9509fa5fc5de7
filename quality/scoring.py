"""Rule results → scores of datasets, departments and the city, in six dimensions.

Belongs here: the arithmetic, as pure functions, and the tables it is written to.
Does not belong here: the weights (`weights.yaml`); judging (`expectations`, `defects`).

Indicators are X = A / B as in GB/T 36344-2018: of B judged, A hold. What was not assessed is
null, never 100, and lowers the coverage that stands beside each score.

- A dimension of a dataset: 100 × mean of (1 - failed / total) over its assessed rules, weighted
  by severity. Coverage: share of the rules' weight that was assessed; a rule that had nothing to
  judge (`not_applicable`) is not expected.
- A dataset: mean of its assessed dimensions, weighted. Coverage: the dimensions' coverages,
  weighted; a dimension without a rule counts as 0.
- A department: mean of its datasets, weighted by `datasets` in the YAML and not by row counts:
  forty million insurance months would else silence the register of enterprises, on which they
  depend. The city: mean of its departments, each with the sum of its datasets' weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date

import duckdb

from quality.contract import DIMENSIONS
from quality.results import FAIL, NOT_APPLICABLE, PASS, RuleResult, replace_night
from quality.weights import Weights

OVERALL = "overall"


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

    @property
    def overall(self) -> CityScore:
        """The one number for the city."""
        return next(score for score in self.city if score.dimension == OVERALL)


def score_night(business_date: date, results: Iterable[RuleResult], weights: Weights) -> Scores:
    """Score one night's results; the order of the results does not matter."""
    by_dataset: dict[tuple[str, str], list[RuleResult]] = defaultdict(list)
    for result in results:
        if result.engine in weights.engines:
            by_dataset[result.department, result.dataset].append(result)
    datasets = [
        score
        for (department, dataset), own in sorted(by_dataset.items())
        for score in _score_dataset(business_date, department, dataset, own, weights)
    ]
    departments = _score_departments(business_date, datasets, weights)
    city = _score_city(business_date, datasets, departments, weights)
    return Scores(tuple(datasets), tuple(departments), tuple(city))


def _score_dataset(
    business_date: date,
    department: str,
    dataset: str,
    results: Sequence[RuleResult],
    weights: Weights,
) -> list[DatasetScore]:
    scored = [r for r in results if r.rule_id not in weights.unscored_rules]
    dimensions = []
    for dimension in DIMENSIONS:
        expected = [r for r in scored if r.dimension == dimension and r.status != NOT_APPLICABLE]
        assessed = [r for r in expected if r.status in (PASS, FAIL) and r.total > 0]
        score, weight = _mean([(_held(r), weights.severities[r.severity]) for r in assessed])
        whole = sum(weights.severities[r.severity] for r in expected)
        dimensions.append(
            DatasetScore(business_date, department, dataset, dimension, score,
                         weight / whole if whole else 0.0, len(assessed), len(expected))
        )  # fmt: skip
    score, _ = _mean([(d.score, weights.dimensions[d.dimension]) for d in dimensions])
    coverage, _ = _mean([(d.coverage, weights.dimensions[d.dimension]) for d in dimensions])
    overall = DatasetScore(
        business_date, department, dataset, OVERALL, score, coverage or 0.0,
        sum(d.rules_assessed for d in dimensions), sum(d.rules_expected for d in dimensions),
    )  # fmt: skip
    return [*dimensions, overall]


def _held(result: RuleResult) -> float:
    """Share of what was judged that holds, in percent."""
    return 100 * (1 - min(result.failed, result.total) / result.total)


def _mean(weighted: Iterable[tuple[float | None, float]]) -> tuple[float | None, float]:
    """Weighted mean of what is there, and its weight; clamped against rounding to its range."""
    present = [(value, weight) for value, weight in weighted if value is not None]
    whole = sum(weight for _, weight in present)
    if not present:
        return None, 0.0
    mean = sum(value * weight for value, weight in sorted(present)) / whole
    values = [value for value, _ in present]
    return min(max(mean, min(values)), max(values)), whole


def _score_departments(
    business_date: date, datasets: Sequence[DatasetScore], weights: Weights
) -> list[DepartmentScore]:
    groups: dict[tuple[str, str], list[DatasetScore]] = defaultdict(list)
    for score in datasets:
        groups[score.department, score.dimension].append(score)
    found = []
    for (department, dimension), own in groups.items():
        share = [weights.of_dataset(department, score.dataset) for score in own]
        mean, _ = _mean(zip((score.score for score in own), share, strict=True))
        coverage, _ = _mean(zip((score.coverage for score in own), share, strict=True))
        assessed = sum(score.score is not None for score in own)
        found.append(
            DepartmentScore(business_date, department, dimension, mean, coverage or 0.0,
                            weights.grade(mean), assessed, len(own))
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
        mean, _ = _mean((score.score, share[score.department]) for score in own)
        coverage, _ = _mean((score.coverage, share[score.department]) for score in own)
        assessed = sum(score.score is not None for score in own)
        found.append(
            CityScore(business_date, dimension, mean, coverage or 0.0, weights.grade(mean),
                      assessed, len(own))
        )  # fmt: skip
    return found


SCORE_TABLES = """
create schema if not exists quality;
create table if not exists quality.dataset_score (
    business_date date not null, department varchar not null, dataset varchar not null,
    dimension varchar not null, score double, coverage double not null,
    rules_assessed bigint not null, rules_expected bigint not null
);
create table if not exists quality.department_score (
    business_date date not null, department varchar not null, dimension varchar not null,
    score double, coverage double not null, grade varchar,
    datasets_assessed bigint not null, datasets_expected bigint not null
);
create table if not exists quality.city_score (
    business_date date not null, dimension varchar not null,
    score double, coverage double not null, grade varchar,
    departments_assessed bigint not null, departments_expected bigint not null
)
"""


def write_scores(
    connection: duckdb.DuckDBPyConnection, business_date: date, scores: Scores
) -> None:
    """Replace that business date's scores."""
    connection.execute(SCORE_TABLES)
    tables: tuple[tuple[str, type, Sequence[DatasetScore | DepartmentScore | CityScore]], ...] = (
        ("quality.dataset_score", DatasetScore, scores.datasets),
        ("quality.department_score", DepartmentScore, scores.departments),
        ("quality.city_score", CityScore, scores.city),
    )
    for table, record, rows in tables:
        columns = [field.name for field in fields(record)]
        replace_night(connection, table, business_date, columns, [asdict(row) for row in rows])
