"""An explanation must come to the very score that it explains."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given

from quality.score_explanation import CITY, UnknownSubjectError, explain
from quality.scoring import OVERALL, score_night
from quality.weights import read_weights
from tests.unit.quality.test_quality_scoring import NIGHT, nights, result

WEIGHTS = read_weights()


def test_a_dataset_is_explained_down_to_the_counts():
    night = [
        result("a", failed=10, total=100, status="fail", indicator="0301"),
        result("b", failed=5, total=10, status="fail", severity="warning", indicator="0301"),
        result("c", "completeness", total=7),
        result("d", "completeness", status="not_run"),
    ]
    averages = {a.name: a for a in explain("d/s", NIGHT, night, WEIGHTS).averages}
    content = averages["0301 数据内容正确性"]
    assert content.formula == "(3 × 90.00 + 1 × 50.00) / 4 = 80.00"
    assert [(t.name, t.failed, t.total) for t in content.terms] == [("a", 10, 100), ("b", 5, 10)]
    assert averages["准确性"].formula == "(1 × 80.00) / 1 = 80.00"
    assert averages["综合得分"].formula == "(0.2 × 100.00 + 0.25 × 80.00) / 0.45 = 88.89"
    not_run = next(t for t in averages["0201 数据元素完整性"].terms if t.name == "d")
    assert not_run.value is None


@given(nights())
def test_every_explanation_comes_to_the_score_and_its_formula_holds(night):
    scores = score_night(NIGHT, night, WEIGHTS)
    subjects = {CITY: scores.overall.score} if scores.departments else {}
    subjects |= {s.department: s.score for s in scores.departments if s.dimension == OVERALL}
    subjects |= {
        f"{s.department}/{s.dataset}": s.score for s in scores.datasets if s.dimension == OVERALL
    }
    for subject, score in subjects.items():
        explanation = explain(subject, NIGHT, night, WEIGHTS)
        assert explanation.score == score
        for average in explanation.averages:
            counted = [(t.weight, t.value) for t in average.terms if t.value is not None]
            if average.score is not None:
                whole = sum(weight for weight, _ in counted)
                total = sum(weight * value for weight, value in counted)
                assert average.score == pytest.approx(total / whole)
            else:
                assert (counted, average.formula) == ([], "未评估")


def test_an_unknown_subject_is_told_what_is_known():
    with pytest.raises(UnknownSubjectError, match="d/s"):
        explain("d/x", date(2026, 6, 30), [result(total=1)], WEIGHTS)
