"""Work orders as a pure function of what the nights found and the departments answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.causes import Fault, causes_of, recheck_of
from quality.results import STATUSES, RuleResult
from quality.work_orders import Night, Orders, Reply, derive_orders, machine, read_policy
from quality.work_orders.policy import DEFAULT_POLICY, PolicyError

FIRST = date(2026, 6, 30)  # a Tuesday; no holiday until the autumn
POLICY = read_policy()


def day(number: int) -> date:
    """The nth night, counted from 0."""
    return FIRST + timedelta(days=number)


def night(
    number: int, statuses: dict[str, str | None], replies=(), faults=(), engine="gx"
) -> Night:
    results = [
        RuleResult(day(number), "d", "s", rule_id, engine, "accuracy", "error", status,
                   int(status == "fail") * (number + 1), 100, message="错，请改。")
        for rule_id, status in statuses.items()
        if status is not None
    ]  # fmt: skip
    causes = causes_of(results, faults)
    return Night(day(number), tuple(causes), recheck_of(results, causes), tuple(replies))


def nights(statuses, **more) -> list[Night]:
    """One night a status of the rule `r`; `None` is a night without a result."""
    return [night(number, {"r": status}, **more) for number, status in enumerate(statuses)]


def reply(number: int, order_id: str, action="已更正", **more) -> Reply:
    values = {"department": "d", "note": "", "until": None} | more
    return Reply(day(number), values["department"], "f", "f.xlsx", 2, order_id, action,
                 values["note"], values["until"])  # fmt: skip


def answered(statuses, *replies: Reply, policy=POLICY) -> Orders:
    told = [
        replace(one, replies=tuple(r for r in replies if r.night == one.business_date))
        for one in nights(statuses)
    ]
    return derive_orders(told, policy)


def only(derived: Orders):
    (order,) = derived.orders
    return order


def events(derived: Orders) -> list[str]:
    return [event.event for event in derived.events]


def number_of(statuses) -> str:
    """The number of the order that the history opens."""
    return derive_orders(nights(statuses), POLICY).orders[0].order_id


def test_a_failing_rule_opens_one_order_with_its_due_date():
    order = only(derive_orders(nights(["pass", "fail", "fail"]), POLICY))
    assert order.order_id.startswith("WO-20260701-")
    assert len(order.order_id) == len("WO-20260701-") + 8
    assert (order.opened_on, order.due_on) == (date(2026, 7, 1), date(2026, 7, 15))
    assert (order.state, order.failed_at_open, order.failed_now) == ("open", 2, 3)
    assert (order.phase, order.nights_failing) == (machine.NOTIFIED, 2)


def test_owner_and_due_days_come_from_contract_and_severity():
    found = nights(["fail"])[0]
    slow = replace(found, causes=tuple(replace(c, severity="warning") for c in found.causes))
    order = only(derive_orders([slow], POLICY, {("d", "s"): "信息科"}))
    assert order.owner == "信息科"
    assert order.due_on == POLICY.calendar.after(FIRST, 20)


def test_a_due_date_over_spring_festival_leaves_the_holidays_out():
    found = nights(["fail"])[0]
    moved = Night(date(2026, 2, 12), tuple(
        replace(c, business_date=date(2026, 2, 12)) for c in found.causes))  # fmt: skip
    assert only(derive_orders([moved], POLICY)).due_on == date(2026, 3, 4)


def test_what_is_new_is_told_once():
    """A steady failure must not shout every night."""
    new = [only(derive_orders(nights(["fail"] * n), POLICY)).is_new for n in (1, 2, 3)]
    assert new == [True, False, False]
    assert events(derive_orders(nights(["fail"] * 3), POLICY)) == ["opened", "notified"]


def test_a_cause_that_comes_back_soon_reopens_its_order():
    """Its history must not be lost behind a new number."""
    derived = derive_orders(nights(["fail", "pass", "fail"]), POLICY)
    order = only(derived)
    assert (order.phase, order.reopened, order.is_new) == (machine.REOPENED, 1, True)
    assert (order.opened_on, order.reopened_on, order.closed_on) == (FIRST, day(2), None)
    assert order.due_on == POLICY.calendar.after(day(2), 10)
    assert events(derived) == ["opened", "notified", "closed", "reopened"]


def test_a_cause_that_comes_back_late_opens_a_new_order():
    gap = ["pass"] * 40
    first, second = derive_orders(nights(["fail", *gap, "fail"]), POLICY).orders
    assert first.order_id != second.order_id
    assert (first.closed_on, second.opened_on) == (day(1), day(41))


@pytest.mark.parametrize("status", ["error", "not_run", "not_applicable", None])
def test_nothing_closes_because_nobody_looked(status):
    order = only(derive_orders(nights(["fail", status, status]), POLICY))
    assert (order.state, order.failed_now) == ("open", 1)


def test_a_night_that_was_never_run_changes_nothing():
    history = [night(0, {"r": "fail"}), night(9, {"r": "fail"})]
    assert only(derive_orders(history, POLICY)).nights_failing == 2


def test_a_rule_taken_out_of_a_valid_contract_closes_its_order():
    """Nothing could ever close it otherwise."""
    history = [
        night(0, {"r": "fail", "contract_valid": "pass"}, engine="ledger"),
        night(1, {"contract_valid": "pass"}, engine="ledger"),
    ]
    order = only(derive_orders(history, POLICY))
    assert (order.state, order.closed_on, order.failed_now) == ("closed", day(1), 0)


def test_a_dataset_without_a_contract_any_more_closes_its_orders_by_that_name():
    """An order that nothing will ever recheck would stand, and escalate, for good."""
    others = replace(
        night(1, {"contract_valid": "pass"}, engine="ledger").recheck,
        described=frozenset({("d", "other")}),
    )
    history = [night(0, {"r": "fail", "contract_valid": "pass"}), Night(day(1), (), others)]
    derived = derive_orders(history, POLICY)
    assert (only(derived).state, only(derived).closed_on) == ("closed", day(1))
    assert events(derived) == ["opened", "notified", "withdrawn"]


def test_a_contract_that_is_broken_for_a_night_withdraws_nothing():
    history = [
        night(0, {"r": "fail", "contract_valid": "pass"}),
        night(1, {"contract_valid": "error"}),
    ]
    orders = {order.cause: order.state for order in derive_orders(history, POLICY).orders}
    assert orders == {"r": "open", "contract_valid": "open"}


def test_our_own_models_send_no_orders_to_departments():
    assert derive_orders(nights(["fail"], engine="dbt"), POLICY).orders == ()


def test_a_fault_is_one_order_however_many_rules_hang_under_it():
    fault = Fault("d", "s", "missing_column:phone", "missing_column", "缺少列", "completeness",
                  "error", ("a", "b", "c"), "缺少列「电话」，请补齐。")  # fmt: skip
    history = [
        night(0, {"a": "fail", "b": "fail", "c": "fail"}, faults=[fault]),
        night(1, {"a": "pass", "b": "pass", "c": "pass"}),
    ]
    order = only(derive_orders(history, POLICY))
    assert order.rule_ids == ("a", "b", "c")
    assert (order.kind, order.closed_on) == ("missing_column", day(1))


def test_a_claimed_correction_waits_for_the_recheck_and_closes_with_it():
    """A department's word alone closes nothing."""
    number = number_of(["fail"])
    derived = answered(["fail", "fail", "pass"], reply(1, number))
    assert events(derived) == ["opened", "notified", "correction_claimed", "closed"]
    assert only(answered(["fail", "fail"], reply(1, number))).phase == machine.IN_CORRECTION


def test_a_correction_that_the_recheck_does_not_bear_out_is_told_again():
    number = number_of(["fail"])
    statuses = ["fail"] * 7  # claimed on Wednesday 1 July; the third working day is Monday 6 July
    derived = answered(statuses, reply(1, number))
    assert events(derived)[-1] == machine.NOT_CONFIRMED
    assert derived.events[-1].business_date == date(2026, 7, 6)
    order = only(derived)
    assert (order.phase, order.is_new) == (machine.NOTIFIED, True)
    assert only(answered(statuses[:6], reply(1, number))).phase == machine.IN_CORRECTION


def test_a_dispute_stops_the_clock_until_it_is_decided():
    number = number_of(["fail"])
    disputed = reply(1, number, "有异议", note="规则有误")
    long = ["fail"] * 30
    order = only(answered(long, disputed))
    assert (order.phase, order.level, order.is_overdue) == (machine.DISPUTED, 0, False)

    no = reply(29, number, "异议不成立", department="big_data")
    order = only(answered(long, disputed, no))
    assert (order.phase, order.is_new) == (machine.NOTIFIED, True)
    assert order.due_on == POLICY.calendar.after(day(29), POLICY.after_rejection)

    yes = reply(20, number, "异议成立", department="big_data", until=day(60))
    order = only(answered(long, disputed, yes))
    assert (order.phase, order.waived_until, order.due_on) == (machine.WAIVED, day(60), day(60))


def test_an_extension_moves_the_due_date_and_ends():
    number = number_of(["fail"])
    asked = reply(1, number, "申请延期", until=day(10))
    order = only(answered(["fail"] * 11, asked))
    assert (order.phase, order.due_on, order.waived_until) == (machine.WAIVED, day(10), day(10))
    derived = answered(["fail"] * 12, asked)
    order = only(derived)
    assert (order.phase, order.waived_until, order.is_new) == (machine.NOTIFIED, None, True)
    assert machine.WAIVER_ENDED in events(derived)


def refused(statuses, *replies: Reply) -> list[str]:
    return [outcome.reason for outcome in answered(statuses, *replies).outcomes
            if outcome.status == "refused"]  # fmt: skip


def test_replies_that_cannot_count_are_refused_with_the_reason():
    number = number_of(["fail"])
    cases = {
        "没有此工单号": reply(1, "WO-20260630-00000000"),
        "没有此工单号的": reply(1, number, department="other"),
        "写明理由": reply(1, number, "有异议", note=" "),
        "填写延期的日期": reply(1, number, "申请延期"),
        "须晚于": reply(1, number, "申请延期", until=day(1)),
        "最迟为 2026-07-15": reply(1, number, "申请延期", until=day(40)),
        "主管部门裁决": reply(1, number, "异议成立", until=day(9)),
        "待裁决": reply(1, number, "异议不成立", department="big_data"),
        "之一": reply(1, number, "好的"),
    }
    for expected, given_reply in cases.items():
        (reason,) = refused(["fail", "fail"], given_reply)
        assert expected in reason
    derived = answered(["fail", "fail"], *cases.values())
    assert only(derived).phase == machine.NOTIFIED


def test_extensions_run_out():
    number = number_of(["fail"])
    asked = [reply(n, number, "申请延期", until=day(n + 3)) for n in (1, 2, 3)]
    (reason,) = refused(["fail"] * 4, *asked)
    assert "2 次" in reason


def test_a_reply_to_a_closed_order_is_told_so():
    number = number_of(["fail"])
    (reason,) = refused(["fail", "pass", "pass"], reply(2, number))
    assert "关闭" in reason


def test_the_same_reply_sent_twice_counts_once():
    """A clerk sends the whole workbook again to add one line."""
    number = number_of(["fail"])
    derived = answered(["fail"] * 3, reply(1, number), reply(2, number))
    assert [outcome.status for outcome in derived.outcomes] == ["accepted", "repeated"]
    assert events(derived).count(machine.CLAIM) == 1


def test_a_reply_on_the_night_that_opened_the_order_counts():
    """The night ran at two, the clerk answered at nine, and the night ran again."""
    derived = answered(["fail"], reply(0, number_of(["fail"])))
    assert events(derived) == ["opened", "notified", "correction_claimed"]


def test_an_overdue_order_goes_up_level_by_level():
    derived = derive_orders(nights(["fail"] * 32), POLICY)  # due on 14 July
    raised = {e.business_date: e.detail for e in derived.events if e.event == machine.ESCALATE}
    assert list(raised) == [date(2026, 7, 15), date(2026, 7, 21), date(2026, 7, 28)]
    order = only(derived)
    assert (order.level, order.escalated_to, order.is_overdue) == (3, "市政府通报", True)
    assert not order.is_new  # raised three nights ago


def test_events_never_carry_what_a_person_wrote():
    number = number_of(["fail"])
    derived = answered(["fail"] * 2, reply(1, number, "有异议", note="张建国 13954911234"))
    assert "张建国" not in str(derived.events) + repr(derived.outcomes)


@pytest.mark.parametrize(
    ("old", "new"),
    [("error: 10", "error: soon"), ("after: 5", "after: 1"), ("arbiter:", "judge:"),
     ("holidays: []", "holidays: [spring]")],
)  # fmt: skip
def test_a_senseless_policy_is_refused_by_name(tmp_path, old, new):
    path = tmp_path / "policy.yaml"
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"policy\.yaml"):
        read_policy(path)


# What must hold for any history.

RULES = ("a", "b")
statuses = st.lists(
    st.fixed_dictionaries({rule: st.sampled_from([*STATUSES, None]) for rule in RULES}),
    max_size=25,
)
ACTIONS = ("已更正", "有异议", "申请延期", "异议成立", "异议不成立", "什么")


@st.composite
def histories(draw) -> list[Night]:
    """Nights with gaps, causes that come and go, and departments that answer anything."""
    history: list[Night] = []
    number = 0
    for found in draw(statuses):
        number += draw(st.sampled_from([1, 1, 1, 2, 9]))
        history.append(night(number, found))
    known = [order.order_id for order in derive_orders(history, POLICY).orders] or ["WO-x"]
    answered_nights = []
    for one in history:
        replies = [
            Reply(one.business_date, draw(st.sampled_from(["d", "big_data", "other"])), "f", "f",
                  line, draw(st.sampled_from(known)), draw(st.sampled_from(ACTIONS)),
                  draw(st.sampled_from(["", "理由"])),
                  draw(st.sampled_from([None, one.business_date + timedelta(days=5)])))
            for line in range(draw(st.integers(0, 2)))
        ]  # fmt: skip
        answered_nights.append(replace(one, replies=tuple(replies)))
    return answered_nights


@given(histories())
def test_only_legal_transitions_happen(history):
    derived = derive_orders(history, POLICY)
    phases: dict[str, str | None] = {}
    for event in derived.events:
        before = phases.get(event.order_id)
        assert machine.next_phase(before, event.event) == event.phase
        phases[event.order_id] = event.phase
    assert {order.order_id: order.phase for order in derived.orders} == phases


@given(histories(), st.randoms())
def test_rebuilding_gives_the_same_orders_in_whatever_order_the_history_comes(history, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert derive_orders(shuffled, POLICY) == derive_orders(history, POLICY)


@given(histories(), st.integers(0, 25))
def test_a_later_night_never_rewrites_what_was_told(history, known):
    """Numbers and events that went home must stay as they were."""
    early, late = derive_orders(history[:known], POLICY), derive_orders(history, POLICY)
    numbers = [order.order_id for order in late.orders]
    assert [order.order_id for order in early.orders] == [
        number for number in numbers if number in {o.order_id for o in early.orders}
    ]
    later = {(event.order_id, event.position): event for event in late.events}
    assert all(later[event.order_id, event.position] == event for event in early.events)
    assert early.outcomes == late.outcomes[: len(early.outcomes)]


@given(histories())
def test_one_cause_never_has_two_open_orders_and_numbers_are_unique(history):
    derived = derive_orders(history, POLICY)
    standing = [order.cause for order in derived.orders if order.is_open]
    assert len(set(standing)) == len(standing)
    assert len({order.order_id for order in derived.orders}) == len(derived.orders)
    for cause in RULES:
        own = [order for order in derived.orders if order.cause == cause]
        for earlier, later in pairwise(own):
            assert earlier.closed_on is not None
            assert earlier.closed_on < later.opened_on


@given(histories())
def test_an_order_stands_exactly_while_its_cause_was_last_seen_failing(history):
    """The recheck alone closes; no reply does, and no night that did not look."""
    derived = derive_orders(history, POLICY)
    last: dict[str, str] = {}
    for one in history:
        for (_, _, rule), status in one.recheck.statuses.items():
            if status in ("fail", "pass"):
                last[rule] = status
    standing = {order.cause for order in derived.orders if order.is_open}
    assert standing == {rule for rule, status in last.items() if status == "fail"}


@given(histories())
def test_every_reply_has_exactly_one_outcome_and_refusals_say_why(history):
    derived = derive_orders(history, POLICY)
    assert len(derived.outcomes) == sum(len(one.replies) for one in history)
    assert all(bool(o.reason) == (o.status == "refused") for o in derived.outcomes)


def test_three_hundred_nights_of_hundreds_of_causes_take_no_time():
    """The night derives the whole history again each time."""
    names = [f"rule_{number}" for number in range(300)]
    history = []
    for number in range(300):
        results = [
            RuleResult(day(number), "d", "s", name, "gx", "accuracy", "error",
                       "fail" if (number // 7 + place) % 5 else "pass", 1, 100)
            for place, name in enumerate(names)
        ]  # fmt: skip
        causes = causes_of(results)
        history.append(Night(day(number), tuple(causes), recheck_of(results, causes)))
    begun = process_time()
    derived = derive_orders(history, POLICY)
    assert len(derived.orders) == 300
    assert process_time() - begun < 3  # 0.5 s measured; the bound allows for a noisy machine
