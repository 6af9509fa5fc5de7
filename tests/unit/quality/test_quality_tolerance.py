"""The `mustBe…` of a contract as bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.expectations.tolerance import accepts, row_count_bounds, share_kept


def test_without_bounds_nothing_may_fail():
    assert accepts({}, 0, 10)
    assert not accepts({}, 1, 10)


@pytest.mark.parametrize(
    ("options", "measured", "holds"),
    [
        ({"mustBeLessThan": 5, "unit": "percent"}, 4, True),
        ({"mustBeLessThan": 5, "unit": "percent"}, 5, False),
        ({"mustBeLessOrEqualTo": 5}, 5, True),
        ({"mustBeGreaterThan": 0}, 0, False),
        ({"mustBeGreaterOrEqualTo": 2, "mustBeLessThan": 4}, 4, False),
    ],
)
def test_bounds_are_strict_or_not_as_they_say(options, measured, holds):
    assert accepts(options, measured, 100) is holds


@given(
    st.sampled_from(["mustBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
                     "mustBeLessOrEqualTo"]),
    st.integers(0, 20) | st.floats(0, 20),
    st.integers(0, 25),
)  # fmt: skip
def test_gx_and_we_judge_a_row_count_alike(name, bound, count):
    """Two verdicts on one rule would make the data docs contradict the work order."""
    low, high = row_count_bounds({name: bound})
    inside = (low is None or count >= low) and (high is None or count <= high)
    assert inside is accepts({name: bound}, count, 0)


def test_a_share_becomes_mostly_and_a_row_tolerance_does_not():
    assert share_kept({"mustBe": 0}) == 1.0
    assert share_kept({"mustBeLessThan": 5, "unit": "percent"}) == pytest.approx(0.95)
    assert share_kept({"mustBeLessThan": 5}) == 0.0
