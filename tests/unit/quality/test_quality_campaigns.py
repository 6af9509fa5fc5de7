"""Campaigns: their progress must say what the scores say, and a bad plan must stop no night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.campaigns import DEFAULT_PLANS, Campaign, measure, read_plans
from quality.weights import read_weights

BASELINE, NIGHT = date(2026, 6, 30), date(2026, 7, 31)
WEIGHTS = replace(read_weights(), datasets={"d/large": 3.0})
PLAN = Campaign("plan", "行动", ("d/large", "d/small"), "accuracy", BASELINE, 90.0,
                date(2026, 8, 31), "数据科")  # fmt: skip


def progress(before: dict[str, float], now: dict[str, float], night: date = NIGHT, plan=PLAN):
    scores = {
        BASELINE: {(name, "accuracy"): score for name, score in before.items()},
        night: {(name, "accuracy"): score for name, score in now.items()},
    }
    return measure(plan, night, scores, WEIGHTS)


def test_progress_by_hand():
    """Baseline (3 × 60 + 1 × 80) / 4 = 65; now (3 × 80 + 1 × 80) / 4 = 80: 15 of 25 points."""
    found = progress({"d/large": 60, "d/small": 80}, {"d/large": 80, "d/small": 80})
    assert (found.baseline_score, found.score) == (65, 80)
    assert found.progress == pytest.approx(0.6)
    assert found.status == "running"


@pytest.mark.parametrize(
    ("before", "now", "night", "status", "share"),
    [
        (70, 91, NIGHT, "reached", 1.0),
        (70, 60, NIGHT, "running", 0.0),  # worse than at the start is no negative progress
        (95, 80, NIGHT, "running", 0.0),
        (70, 80, date(2026, 9, 1), "missed", 0.5),
        (70, 80, date(2026, 6, 1), "not_started", 0.5),
        (70, None, NIGHT, "not_assessed", None),
        (None, 80, NIGHT, "no_baseline", None),
    ],
)
def test_each_status_is_told_apart(before, now, night, status, share):
    found = progress(
        {} if before is None else {"d/large": before},
        {} if now is None else {"d/large": now},
        night,
    )
    assert (found.status, found.progress) == (status, share)


scores = st.dictionaries(st.sampled_from(["d/large", "d/small"]), st.floats(0, 100))


@given(scores, scores)
def test_progress_is_a_share_and_a_target_reached_is_all_of_it(before, now):
    found = progress(before, now)
    assert found.progress is None or 0 <= found.progress <= 1
    assert (found.status == "reached") == (found.progress == 1.0)


def test_the_shipped_plan_is_sound(shipped):
    plans = read_plans(DEFAULT_PLANS, shipped.names)
    assert plans.problems == ()
    assert plans.campaigns


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("accuracy", "beauty", "dimension must be"),
        ("2026-09-30", "2026-06-01", "later than baseline"),
        ("taxation/tax_payment", "taxation/tax", "taxation/tax"),
        ("99.9", "200", "target"),
        ("owner:", "who:", "owner"),
        ("name: ", "name: [", "compare"),
    ],
)
def test_a_wrong_plan_is_named_and_hides_no_other(tmp_path, shipped, old, new, told):
    text = (DEFAULT_PLANS / "enterprise_accuracy.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "good.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    plans = read_plans(tmp_path, shipped.names)
    assert [campaign.campaign for campaign in plans.campaigns] == ["good"]
    (problem,) = plans.problems
    assert "bad.yaml" in problem
    assert told in problem
