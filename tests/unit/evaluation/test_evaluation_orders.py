"""Scoring of orders: every figure must be able to fail, and fail for the right reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.evaluation_orders import ROW_DEFECT, Fault, Opening, Score, merge, score

FIRST = date(2026, 3, 2)
NIGHTS, DATASETS = 20, 10
LAST = FIRST + timedelta(days=NIGHTS - 1)


def _night(number: int) -> date:
    return FIRST + timedelta(days=number)


def _fault(kind: str = "cut_file", first: int = 3, corrected: int | None = 6) -> Fault:
    end = None if corrected is None else _night(corrected)
    return Fault("taxation", "tax_payment", kind, (kind,), _night(first), end)


def _opening(opened: int = 3, closed: int | None = 6, cause: str = "cut_file") -> Opening:
    end = None if closed is None else _night(closed)
    return Opening("WO-1", "taxation", "tax_payment", cause, _night(opened), end)


def _score(faults: list[Fault], openings: list[Opening]) -> Score:
    return score(faults, openings, NIGHTS, DATASETS, LAST)


def _missed(faults: list[Fault], openings: list[Opening]) -> set[str]:
    return {figure.name for figure in _score(faults, openings).figures if figure.is_missed}


def test_an_order_for_each_fault_misses_nothing() -> None:
    """A perfect product must score so, or the thresholds could not be reached."""
    assert _missed([_fault()], [_opening()]) == set()


def test_a_fault_without_an_order_is_missed() -> None:
    """An order that never came would be taken for a quiet night."""
    result = _score([_fault()], [])
    assert {f.name for f in result.figures if f.is_missed} == {"recall", "recall of incidents"}
    assert result.confusions == (("cut_file", "(none)", 1),)


def test_an_order_for_nothing_is_false() -> None:
    """False alarms would be free."""
    stray = replace(_opening(opened=12, closed=13), order_id="WO-2")
    missed = _missed([_fault()], [_opening(), stray])
    assert missed == {"precision", "false orders per 1,000 dataset-nights"}


def test_a_second_order_for_one_fault_counts_against_it() -> None:
    """A department asked twice for one thing would pass as asked well."""
    beside = replace(_opening(cause="row_shape"), order_id="WO-2")
    assert "orders per cause" in _missed([_fault()], [_opening(), beside])
    result = _score([_fault()], [_opening(), beside])
    assert ("cut_file", "row_shape", 1) in result.confusions


def test_an_order_to_another_department_is_misplaced() -> None:
    """The owner of a fault would never hear of it while another one is blamed."""
    other = replace(_opening(), department="education", dataset="enrolment_application")
    assert "right department" in _missed([_fault()], [other])


def test_an_order_that_closes_late_or_never_is_seen() -> None:
    """A department that has corrected would be asked again."""
    for closed in (7, None):
        missed = _missed([_fault()], [_opening(closed=closed)])
        assert missed == {"corrected causes closed that night"}


def test_an_order_that_closes_before_the_correction_is_seen() -> None:
    """A fault would be forgotten because nobody looked at it again."""
    missed = _missed([_fault()], [_opening(closed=5)])
    assert "closed without a correction" in missed
    assert "closed without a correction" in _missed([_fault(corrected=None)], [_opening()])


def test_a_name_with_a_column_stands_for_its_kind_and_not_the_reverse() -> None:
    """`missing_column:phone` would be right for a missing birth date."""
    fault = replace(_fault("missing_column"), causes=("missing_column:phone",))
    assert fault.is_named("missing_column:phone")
    assert not fault.is_named("missing_column:birth_date")
    assert replace(fault, causes=("missing_column",)).is_named("missing_column:birth_date")
    assert not replace(fault, causes=("missing",)).is_named("missing_column:birth_date")


def test_faults_that_touch_are_one() -> None:
    """A row that goes wrong on the night on which another is corrected opens no new order."""
    rows = [_fault(ROW_DEFECT, 3, 6), _fault(ROW_DEFECT, 6, 8), _fault(ROW_DEFECT, 10, None)]
    assert [(f.first, f.corrected) for f in merge(rows)] == [
        (_night(3), _night(8)),
        (_night(10), None),
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 19), st.integers(1, 6), st.booleans()), min_size=1, max_size=12
    )
)
def test_merged_faults_never_touch_and_cover_the_same_nights(
    spans: list[tuple[int, int, bool]],
) -> None:
    """A night would be lost or told twice, and every figure with it."""
    faults = [
        _fault(ROW_DEFECT, first, None if forever else first + length)
        for first, length, forever in spans
    ]
    merged = merge(faults)
    for night in (_night(number) for number in range(30)):
        assert any(f.stands_on(night) for f in faults) == any(f.stands_on(night) for f in merged)
    for before, after in pairwise(merged):
        assert before.corrected is not None
        assert before.corrected < after.first
