"""Work orders as a pure function of the nights' results."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from quality.results import STATUSES, RuleResult
from quality.weights import read_weights
from quality.work_orders import derive_orders

FIRST = date(2026, 6, 30)
WEIGHTS = read_weights()


def history(statuses, rule_id="r", severity="error", engine="gx") -> list[RuleResult]:
    """One result per night; `None` is a night without a result."""
    return [
        RuleResult(FIRST + timedelta(days=n), "d", "s", rule_id, engine, "accuracy", severity,
                   status, int(status == "fail") * (n + 1), 100, message="错，请改。")
        for n, status in enumerate(statuses)
        if status is not None
    ]  # fmt: skip


def test_a_failing_rule_opens_one_order_with_its_due_date():
    (order,) = derive_orders(history(["pass", "fail", "fail"]), WEIGHTS)
    assert order.order_id.startswith("WO-20260701-")
    assert len(order.order_id) == len("WO-20260701-") + 8
    assert (order.opened_on, order.due_on) == (date(2026, 7, 1), date(2026, 7, 11))
    assert (order.state, order.failed_at_open, order.failed_now) == ("open", 2, 3)


def test_a_warning_may_take_longer():
    (order,) = derive_orders(history(["fail"], severity="warning"), WEIGHTS)
    assert order.due_on == FIRST + timedelta(days=20)


def test_closing_and_failing_again_makes_a_second_order_of_another_number():
    first, second = derive_orders(history(["fail", "pass", "fail", "pass"]), WEIGHTS)
    assert first.order_id != second.order_id
    assert (first.closed_on, second.closed_on) == (
        FIRST + timedelta(days=1),
        FIRST + timedelta(days=3),
    )
    assert (first.state, first.failed_now) == ("closed", 0)


def test_a_night_that_proves_nothing_keeps_the_order_open():
    """A crash, a skipped check or an empty table is no evidence of a correction."""
    for status in ("error", "not_run", "not_applicable", None):
        (order,) = derive_orders(history(["fail", status, status]), WEIGHTS)
        assert order.state == "open"
        assert order.failed_now == 1


def test_a_crash_opens_no_order_but_a_broken_contract_does():
    assert derive_orders(history(["error", "not_run"]), WEIGHTS) == []
    orders = derive_orders(
        history(["error", "error", "pass"], "contract_valid", engine="ledger"), WEIGHTS
    )
    assert [order.state for order in orders] == ["closed"]


def test_a_rule_taken_out_of_a_valid_contract_closes_its_order():
    """Nothing could ever close it otherwise."""
    valid = history(["pass", "pass", "pass"], "contract_valid", engine="ledger")
    (order,) = derive_orders([*history(["fail", "fail", None]), *valid], WEIGHTS)
    assert (order.state, order.closed_on) == ("closed", FIRST + timedelta(days=2))


def test_our_own_models_send_no_orders_to_departments():
    assert derive_orders(history(["fail"], engine="dbt"), WEIGHTS) == []


nights = st.lists(st.sampled_from([*STATUSES, None]), max_size=15)


@given(st.integers(1, 30))
def test_a_steady_failure_opens_exactly_one_order(count):
    (order,) = derive_orders(history(["fail"] * count), WEIGHTS)
    assert order.nights_failing == count
    assert order.opened_on == FIRST


@given(nights, st.randoms())
def test_the_order_of_the_history_does_not_matter(statuses, random):
    results = [*history(statuses), *history(statuses[::-1], "other")]
    shuffled = list(results)
    random.shuffle(shuffled)
    assert derive_orders(shuffled, WEIGHTS) == derive_orders(results, WEIGHTS)


@given(nights)
def test_orders_never_overlap_and_at_most_the_last_is_open(statuses):
    orders = derive_orders(history(statuses), WEIGHTS)
    for earlier, later in pairwise(orders):
        assert earlier.closed_on is not None
        assert earlier.closed_on < later.opened_on
    assert len({order.order_id for order in orders}) == len(orders)


@given(nights, st.integers(0, 15))
def test_a_later_night_never_changes_which_orders_were_opened(statuses, known):
    """An order once sent must keep its number."""
    early = derive_orders(history(statuses[:known]), WEIGHTS)
    late = derive_orders(history(statuses), WEIGHTS)
    assert [order.order_id for order in late][: len(early)] == [order.order_id for order in early]
