"""Scores: hand-computed nights, and what must hold for any night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.contract import DIMENSIONS
from quality.results import STATUSES, RuleResult
from quality.scoring import OVERALL, score_night
from quality.weights import DEFAULT_WEIGHTS, WeightsError, read_weights

NIGHT = date(2026, 6, 30)
WEIGHTS = read_weights()


def result(
    rule_id="r", dimension="accuracy", status="pass", failed=0, total=0, **more
) -> RuleResult:
    given_values = {
        "department": "d",
        "dataset": "s",
        "engine": "pandera",
        "severity": "error",
    } | more
    return RuleResult(
        NIGHT, given_values["department"], given_values["dataset"], rule_id, given_values["engine"],
        dimension, given_values["severity"], status, failed, total,
        indicator=given_values.get("indicator", ""),
    )  # fmt: skip


def of_dataset(scores, dimension, dataset="s"):
    return next(s for s in scores.datasets if (s.dataset, s.dimension) == (dataset, dimension))


def test_one_dataset_by_hand():
    """Accuracy: errors weigh 3, warnings 1: (3 × 90 + 1 × 50) / 4 = 80. Completeness 100.
    Overall with 0.25 and 0.20: (0.25 × 80 + 0.20 × 100) / 0.45 = 88.888…"""
    scores = score_night(
        NIGHT,
        [
            result("a", failed=10, total=100, status="fail"),
            result("b", failed=5, total=10, status="fail", severity="warning"),
            result("c", "completeness", total=7),
        ],
        WEIGHTS,
    )
    assert of_dataset(scores, "accuracy").score == pytest.approx(80)
    assert of_dataset(scores, OVERALL).score == pytest.approx((20 + 20) / 0.45)
    assert of_dataset(scores, OVERALL).grade == "中"
    assert scores.overall.grade == "中"
    # One of the five sub-indicators of accuracy is assessed, and one of the two of completeness.
    assert of_dataset(scores, OVERALL).coverage == pytest.approx(0.25 / 5 + 0.20 / 2)


def test_sub_indicators_by_hand():
    """0301: (3 × 90 + 1 × 50) / 4 = 80. 0304: 60. With 2 : 1: (2 × 80 + 60) / 3 = 73.33."""
    weights = replace(WEIGHTS, indicators={"0301": 2.0, "0304": 1.0, "0303": 1.0})
    night = [
        result("a", failed=10, total=100, status="fail", indicator="0301"),
        result("b", failed=5, total=10, status="fail", severity="warning", indicator="0301"),
        result("c", failed=4, total=10, status="fail", indicator="0304"),
        result("d", failed=9, total=10, status="fail", indicator="0302"),
    ]
    scores = score_night(NIGHT, night, weights)
    found = {s.indicator: s for s in scores.indicators}
    assert {code: s.score for code, s in found.items()} == pytest.approx({"0301": 80, "0304": 60})
    assert (found["0301"].failed, found["0301"].total) == (15, 110)
    accuracy = of_dataset(scores, "accuracy")
    assert accuracy.score == pytest.approx(220 / 3)
    assert accuracy.coverage == pytest.approx(3 / 4)  # 0303 counts, and no rule speaks of it
    assert accuracy.rules_assessed == 3  # 0302 does not count in this city


def test_a_rule_of_an_older_warehouse_counts_towards_its_dimension():
    """Results of version 0.1 name no sub-indicator."""
    (score,) = score_night(NIGHT, [result("a", "timeliness", total=4)], WEIGHTS).indicators
    assert (score.indicator, score.score) == ("0501", 100)


def test_what_was_not_assessed_is_null_and_lowers_coverage():
    """Never 100: a rule that crashed or did not run says nothing good."""
    scores = score_night(
        NIGHT,
        [
            result("a", total=10),
            result("b", status="error"),
            result("c", status="not_run", severity="warning"),
            result("d", status="not_applicable"),
            result("e", "timeliness", status="not_run"),
        ],
        WEIGHTS,
    )
    accuracy, timeliness = of_dataset(scores, "accuracy"), of_dataset(scores, "timeliness")
    assert (accuracy.score, accuracy.rules_assessed, accuracy.rules_expected) == (100, 1, 3)
    assert accuracy.coverage == pytest.approx(3 / 7 / 5)
    assert (timeliness.score, timeliness.coverage) == (None, 0)


def test_department_and_city_weigh_datasets_not_rows():
    """A register of 10 rows must not vanish beside one of ten million."""
    weights = replace(WEIGHTS, datasets={"d/small": 3.0})
    night = [
        result("a", dataset="small", status="fail", failed=5, total=10),
        result("a", dataset="large", total=10_000_000),
        result("a", department="e", dataset="other", total=1),
    ]
    scores = score_night(NIGHT, night, weights)
    department = next(
        s for s in scores.departments if (s.department, s.dimension) == ("d", OVERALL)
    )
    assert department.score == pytest.approx((3 * 50 + 100) / 4)
    assert scores.overall.score == pytest.approx((4 * 62.5 + 1 * 100) / 5)


def test_our_own_models_and_the_contract_lint_do_not_make_departments_look_good():
    scores = score_night(
        NIGHT,
        [
            result("contract_valid", "conformity", engine="ledger", total=1),
            result("unique", engine="dbt", total=1, dataset="person", department="platform"),
        ],
        WEIGHTS,
    )
    assert {score.dataset for score in scores.datasets} == {"s"}
    assert of_dataset(scores, "conformity").score is None


def test_a_stale_file_costs_timeliness_and_an_unusual_one_nothing():
    """Prevents: yesterday's file sent again, instead of a late one, as the way to a full score."""
    stale = result("fresh_content", "timeliness", "fail", 1, 4, engine="anomaly")
    odd = result("volume_anomaly", "completeness", "fail", 1, 4, engine="anomaly")
    scores = score_night(NIGHT, [stale, odd, result("on_time", "timeliness", total=1)], WEIGHTS)
    assert of_dataset(scores, "timeliness").score == pytest.approx((75 + 100) / 2)
    assert of_dataset(scores, "completeness").score is None


@st.composite
def nights(draw) -> list[RuleResult]:
    size = draw(st.integers(0, 12))
    found = []
    for number in range(size):
        total = draw(st.integers(0, 50))
        found.append(
            result(
                f"r{number}",
                draw(st.sampled_from(list(DIMENSIONS))),
                draw(st.sampled_from(STATUSES)),
                draw(st.integers(0, total)),
                total,
                severity=draw(st.sampled_from(["error", "warning"])),
                department=draw(st.sampled_from("de")),
                dataset=draw(st.sampled_from("st")),
                indicator=draw(st.sampled_from(["", "0201", "0303", "0304"])),
            )
        )
    return found


@given(nights())
def test_scores_stay_in_range_and_say_null_or_are_covered(night):
    scores = score_night(NIGHT, night, WEIGHTS)
    for score in (*scores.indicators, *scores.datasets, *scores.departments, *scores.city):
        assert 0 <= score.coverage <= 1 + 1e-9
        assert score.score is None or 0 <= score.score <= 100
        assert (score.score is None) == (score.coverage == 0)


@given(nights(), st.data())
def test_another_defect_never_raises_a_score(night, data):
    judged = [n for n, r in enumerate(night) if r.status in ("pass", "fail") and r.failed < r.total]
    if not judged:
        return
    chosen = data.draw(st.sampled_from(judged))
    worse = list(night)
    worse[chosen] = replace(night[chosen], failed=night[chosen].failed + 1, status="fail")
    before, after = score_night(NIGHT, night, WEIGHTS), score_night(NIGHT, worse, WEIGHTS)
    pairs = zip((*before.datasets, *before.departments, *before.city),
                (*after.datasets, *after.departments, *after.city), strict=True)  # fmt: skip
    for old, new in pairs:
        assert new.coverage == old.coverage
        assert old.score is None or new.score <= old.score + 1e-9


@given(nights(), st.randoms())
def test_the_order_of_results_does_not_matter(night, random):
    shuffled = list(night)
    random.shuffle(shuffled)
    assert score_night(NIGHT, shuffled, WEIGHTS) == score_night(NIGHT, night, WEIGHTS)


@pytest.mark.parametrize(
    ("score", "grade"), [(100, "优"), (95, "优"), (94.99, "良"), (59, "差"), (None, None)]
)
def test_grades_change_at_their_bounds(score, grade):
    assert WEIGHTS.grade(score) == grade


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("accuracy: 0.25", "accuracy: 0"),
        ("grades:", "grade:"),
        ("from: 0}", "from: 5}"),
        ('"0201": 1', '"0299": 1'),
    ],
)
def test_senseless_weights_are_refused_by_name(tmp_path, old, new):
    """A typing error in the weights must stop the night, not bend the scores."""
    path = tmp_path / "weights.yaml"
    path.write_text(DEFAULT_WEIGHTS.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(WeightsError, match=r"weights\.yaml"):
        read_weights(path)
