"""A score, shown down to the counts that it is made of.

Belongs here: the averages behind one score, as pure data. Does not belong here: computing scores
(`scoring`, whose results these lines carry); printing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from quality.contract import DIMENSIONS
from quality.indicators import read_indicators
from quality.results import RuleResult
from quality.scoring import (
    OVERALL,
    CityScore,
    DatasetScore,
    DepartmentScore,
    IndicatorScore,
    Scores,
    held,
    indicators_of,
    is_assessed,
    score_night,
)
from quality.weights import Weights

CITY = "city"
"""Subject of the explanation of the city's score."""

NAMES = {**DIMENSIONS, OVERALL: "综合得分"}


class UnknownSubjectError(LookupError):
    """Nothing of that name was scored on that night; says what was."""


@dataclass(frozen=True)
class Term:
    """One summand of an average."""

    name: str
    weight: float
    value: float | None
    """0 to 100; `None` where it was not assessed, and so does not count."""
    failed: int | None = None
    """Of a rule: how many of `total` fail."""
    total: int | None = None
    note: str = ""
    """Of a rule: its status and severity."""


@dataclass(frozen=True)
class Average:
    """One weighted mean: its terms, and what it comes to."""

    level: str
    """`indicator`, `dimension`, `dataset`, `department` or `city`."""
    name: str
    terms: tuple[Term, ...]
    score: float | None
    coverage: float
    grade: str | None = None

    @property
    def formula(self) -> str:
        """`(3 × 90.00 + 1 × 50.00) / 4 = 80.00`; without an assessed term, that it is none."""
        counted = [(term.weight, term.value) for term in self.terms if term.value is not None]
        if self.score is None or not counted:
            return "未评估"
        sums = " + ".join(f"{weight:g} × {value:.2f}" for weight, value in counted)
        return f"({sums}) / {sum(weight for weight, _ in counted):g} = {self.score:.2f}"


@dataclass(frozen=True)
class Explanation:
    """The averages behind one subject's score, from the smallest to the whole."""

    subject: str
    business_date: date
    averages: tuple[Average, ...]

    @property
    def score(self) -> float | None:
        """What it all comes to."""
        return self.averages[-1].score


def explain(
    subject: str, business_date: date, results: Iterable[RuleResult], weights: Weights
) -> Explanation:
    """Explain the score of `department/dataset`, of `department`, or of `city`.

    Args:
        subject: whose score.
        business_date: the night.
        results: of that night, of all datasets.
        weights: with which to score.

    Raises:
        UnknownSubjectError: it has no score on that night.
    """
    results = list(results)
    scores = score_night(business_date, results, weights)
    if subject == CITY:
        averages = _of_city(scores, weights)
    elif "/" in subject:
        averages = _of_dataset(subject, business_date, results, scores, weights)
    else:
        averages = _of_department(subject, scores, weights)
    if not averages:
        names = sorted({f"{s.department}/{s.dataset}" for s in scores.datasets})
        known = ", ".join([CITY, *sorted({name.split("/")[0] for name in names}), *names])
        raise UnknownSubjectError(f"{subject} was not scored on {business_date}; known: {known}")
    return Explanation(subject, business_date, tuple(averages))


def _of_dataset(
    subject: str,
    business_date: date,
    results: Sequence[RuleResult],
    scores: Scores,
    weights: Weights,
) -> list[Average]:
    department, dataset = subject.split("/", 1)
    own = [r for r in results if (r.department, r.dataset) == (department, dataset)]
    found = indicators_of((business_date, department, dataset), own, weights)
    lines = [_indicator(score, rules, weights) for score, rules in found]
    levels = [s for s in scores.datasets if (s.department, s.dataset) == (department, dataset)]
    for level in levels:
        if level.dimension == OVERALL:
            terms = [
                Term(DIMENSIONS[s.dimension], weights.dimensions[s.dimension], s.score)
                for s in levels
                if s.dimension != OVERALL
            ]
            lines.append(_average("dataset", NAMES[OVERALL], terms, level))
        elif level.rules_expected:
            terms = [
                Term(_title(i.indicator), weights.indicators[i.indicator], i.score)
                for i, _ in found
                if i.dimension == level.dimension
            ]
            lines.append(_average("dimension", NAMES[level.dimension], terms, level))
    return lines


def _indicator(score: IndicatorScore, rules: Sequence[RuleResult], weights: Weights) -> Average:
    terms = [
        Term(
            rule.rule_id,
            weights.severities[rule.severity],
            held(rule) if is_assessed(rule) else None,
            rule.failed,
            rule.total,
            f"{rule.status} · {rule.severity}",
        )
        for rule in sorted(rules, key=lambda rule: (rule.rule_id, rule.engine))
    ]
    return Average("indicator", _title(score.indicator), tuple(terms), score.score, score.coverage)


def _of_department(subject: str, scores: Scores, weights: Weights) -> list[Average]:
    own = [score for score in scores.datasets if score.department == subject]
    return [
        _average(
            "department",
            NAMES[level.dimension],
            [
                Term(s.dataset, weights.of_dataset(subject, s.dataset), s.score)
                for s in own
                if s.dimension == level.dimension
            ],
            level,
        )
        for level in scores.departments
        if level.department == subject
    ]


def _of_city(scores: Scores, weights: Weights) -> list[Average]:
    share: dict[str, float] = {}
    for score in scores.datasets:
        if score.dimension == OVERALL:
            weight = weights.of_dataset(score.department, score.dataset)
            share[score.department] = share.get(score.department, 0.0) + weight
    return [
        _average(
            "city",
            NAMES[level.dimension],
            [
                Term(s.department, share[s.department], s.score)
                for s in scores.departments
                if s.dimension == level.dimension
            ],
            level,
        )
        for level in scores.city
        if scores.departments
    ]


def _average(
    level: str, name: str, terms: Sequence[Term], score: DatasetScore | DepartmentScore | CityScore
) -> Average:
    return Average(level, name, tuple(terms), score.score, score.coverage, score.grade)


def _title(code: str) -> str:
    return f"{code} {read_indicators()[code].name}"
