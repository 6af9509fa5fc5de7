"""History → work orders: a pure function, so that orders can be rebuilt for any night.

Belongs here: what opens, closes, reopens and moves an order, night by night.
Does not belong here: which move is legal (`machine`), how long things may take (`policy`),
whether a reply counts (`replies`), reading and writing (`tables`).

One cause has one order. It opens on the first night on which the cause stands and closes on the
first later night on which the cause was looked at again and found right, or on which its dataset
has no contract any more; a night that did not look changes nothing. A cause that comes back soon
after reopens its order, later a new one opens.

On each night, in this order: the workbook of an earlier night has told the department; extensions
that have ended end; replies; the recheck; replies to orders that opened this very night (a night
that is run again); claimed corrections that the recheck does not bear out; escalation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

from quality.causes import Cause, Key, Recheck
from quality.work_orders import machine
from quality.work_orders.policy import Policy
from quality.work_orders.records import OrderEvent, Orders, WorkOrder
from quality.work_orders.replies import (
    ACCEPTED,
    ACTIONS,
    REFUSED,
    REPEATED,
    Addressed,
    Outcome,
    Reply,
    refusal,
)

PLATFORM = "yishu"
"""Actor of an event that no department asked for."""

_OWN_ENGINE = "dbt"
"""Judges our own models: what fails there is no department's to put right."""


@dataclass(frozen=True)
class Night:
    """What one night found, and which replies it took up (in the order in which they came)."""

    business_date: date
    causes: tuple[Cause, ...] = ()
    recheck: Recheck = field(default_factory=Recheck)
    replies: tuple[Reply, ...] = ()


def derive_orders(
    nights: Iterable[Night],
    policy: Policy,
    owners: Mapping[tuple[str, str], str] | None = None,
) -> Orders:
    """All orders that the history gives, as of its last night; its order does not matter.

    Args:
        nights: each business date once.
        policy: deadlines and escalation.
        owners: (department, dataset) → who answers for it.
    """
    book = _Book(policy)
    last = date.min
    for night in sorted(nights, key=lambda night: night.business_date):
        book.turn(night)
        last = night.business_date
    return book.orders(last, owners or {})


@dataclass
class _Case:
    """One order while its history is told."""

    order_id: str
    cause: Cause
    """As last seen standing."""
    opened_on: date
    due_on: date
    failed_at_open: int
    phase: str | None = None
    nights_failing: int = 1
    closed_on: date | None = None
    reopened_on: date | None = None
    reopened: int = 0
    claimed_on: date | None = None
    waived_until: date | None = None
    extensions: int = 0
    level: int = 0
    last_reply: Reply | None = None
    events: list[OrderEvent] = field(default_factory=list)

    def move(self, event: str, night: date, detail: str = "", actor: str = PLATFORM) -> None:
        self.phase = machine.next_phase(self.phase, event)
        if self.phase != machine.WAIVED:
            self.waived_until = None
        if self.phase != machine.IN_CORRECTION:
            self.claimed_on = None
        position = len(self.events) + 1
        self.events.append(
            OrderEvent(self.order_id, position, night, event, self.phase, actor, detail)
        )

    def tell(self) -> None:
        """The workbook of the night that opened or reopened the order carries it."""
        if self.phase in (machine.OPENED, machine.REOPENED):
            self.move(machine.NOTIFY, self.events[-1].business_date)


class _Book:
    """All orders so far."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._calendar = policy.calendar
        self._cases: dict[str, _Case] = {}
        self._standing: dict[Key, _Case] = {}
        self._closed: dict[Key, _Case] = {}
        self._outcomes: list[Outcome] = []

    def turn(self, night: Night) -> None:
        """Tell one night."""
        today = night.business_date
        for case in self._standing.values():
            case.tell()
            if case.waived_until is not None and case.waived_until < today:
                case.move(machine.WAIVER_ENDED, today)
        late = [reply for reply in night.replies if not self._take(reply, is_last=False)]
        seen = self._recheck(night)
        for reply in late:
            self._take(reply, is_last=True)
        for key, case in self._standing.items():
            self._press(case, today, is_seen=key in seen)

    def orders(self, night: date, owners: Mapping[tuple[str, str], str]) -> Orders:
        cases = sorted(self._cases.values(), key=lambda case: (case.opened_on, case.cause.key))
        return Orders(
            tuple(self._order(case, night, owners) for case in cases),
            tuple(event for case in cases for event in case.events),
            tuple(self._outcomes),
        )

    def _recheck(self, night: Night) -> set[Key]:
        """Count, close, open and reopen; the keys of the causes that stand."""
        today = night.business_date
        causes = {cause.key: cause for cause in night.causes if set(cause.engines) != {_OWN_ENGINE}}
        for key, case in list(self._standing.items()):
            if key in causes:
                case.cause = causes[key]
                case.nights_failing += 1
            elif night.recheck.withdrawn(case.cause) or night.recheck.recovered(case.cause):
                is_withdrawn = night.recheck.withdrawn(case.cause)
                case.move(machine.WITHDRAW if is_withdrawn else machine.CLOSE, today)
                case.closed_on = today
                self._closed[key] = self._standing.pop(key)
        for key, cause in causes.items():
            if key not in self._standing:
                self._standing[key] = self._reopened(cause, today) or self._opened(cause, today)
        return set(causes)

    def _opened(self, cause: Cause, today: date) -> _Case:
        case = _Case(_order_id(cause.key, today), cause, today, self._due(cause, today),
                     cause.failed)  # fmt: skip
        case.move(machine.OPEN_EVENT, today)
        self._cases[case.order_id] = case
        return case

    def _reopened(self, cause: Cause, today: date) -> _Case | None:
        case = self._closed.get(cause.key)
        if case is None or case.closed_on is None:
            return None
        if self._calendar.between(case.closed_on, today) > self._policy.reopen_within:
            return None
        case.move(machine.REOPEN, today)
        case.cause = cause
        case.nights_failing += 1
        case.closed_on = None
        case.reopened_on = today
        case.reopened += 1
        case.due_on = self._due(cause, today)
        case.extensions = 0
        case.level = 0
        case.last_reply = None
        return case

    def _due(self, cause: Cause, today: date) -> date:
        return self._calendar.after(today, self._policy.due_days[cause.severity])

    def _take(self, reply: Reply, *, is_last: bool) -> bool:
        """Take a reply; False where it names no order yet and this night may still open it."""
        case = self._cases.get(reply.order_id)
        if case is None and not is_last:
            return False
        if case is not None and case.last_reply and reply.says_the_same(case.last_reply):
            self._outcomes.append(Outcome(reply, REPEATED))
            return True
        reason = refusal(reply, _addressed(case), self._policy)
        if reason or case is None:
            self._outcomes.append(Outcome(reply, REFUSED, reason))
            return True
        self._outcomes.append(Outcome(reply, ACCEPTED))
        case.last_reply = reply
        self._answer(case, reply)
        return True

    def _answer(self, case: _Case, reply: Reply) -> None:
        case.tell()
        event = ACTIONS[reply.action]
        detail = f"至 {reply.until}" if event in (machine.EXTEND, machine.UPHOLD) else ""
        case.move(event, reply.night, detail, reply.department)
        if event == machine.CLAIM:
            case.claimed_on = reply.night
        elif event == machine.REJECT:
            rest = self._calendar.after(reply.night, self._policy.after_rejection)
            case.due_on = max(case.due_on, rest)
        elif reply.until is not None and detail:
            case.waived_until = reply.until
            case.due_on = reply.until
            case.extensions += event == machine.EXTEND

    def _press(self, case: _Case, today: date, *, is_seen: bool) -> None:
        """What the clock does to an order that stands."""
        if case.claimed_on is not None and is_seen:
            waited = self._calendar.between(case.claimed_on, today)
            if waited >= self._policy.correction_days:
                case.move(machine.NOT_CONFIRMED, today)
        if case.phase is not None and machine.can(case.phase, machine.ESCALATE):
            level = self._policy.level_of(self._calendar.between(case.due_on, today))
            if level > case.level:
                case.level = level
                case.move(machine.ESCALATE, today, f"第 {level} 级：{self._escalated_to(level)}")

    def _escalated_to(self, level: int) -> str:
        return self._policy.escalation[level - 1].to if level else ""

    def _order(self, case: _Case, night: date, owners: Mapping[tuple[str, str], str]) -> WorkOrder:
        cause = case.cause
        is_open = case.closed_on is None
        return WorkOrder(
            order_id=case.order_id,
            department=cause.department,
            dataset=cause.dataset,
            owner=owners.get((cause.department, cause.dataset), ""),
            cause=cause.cause,
            kind=cause.kind,
            title=cause.title,
            dimension=cause.dimension,
            severity=cause.severity,
            message=cause.message,
            rule_ids=cause.rule_ids,
            engines=cause.engines,
            state=machine.OPEN if is_open else machine.CLOSED,
            phase=case.phase or machine.OPENED,
            opened_on=case.opened_on,
            due_on=case.due_on,
            closed_on=case.closed_on,
            reopened_on=case.reopened_on,
            reopened=case.reopened,
            waived_until=case.waived_until,
            failed_at_open=case.failed_at_open,
            failed_now=cause.failed if is_open else 0,
            total_now=cause.total,
            nights_failing=case.nights_failing,
            level=case.level,
            escalated_to=self._escalated_to(case.level),
            changed_on=case.events[-1].business_date,
            is_new=any(e.business_date == night and e.event in machine.NEWS for e in case.events),
            is_overdue=case.due_on < night
            and case.phase in (machine.OPENED, machine.REOPENED, *machine.WAITED_FOR),
        )


def _addressed(case: _Case | None) -> Addressed | None:
    if case is None or case.phase is None:
        return None
    return Addressed(case.cause.department, case.phase, case.closed_on, case.extensions)


def _order_id(key: Key, night: date) -> str:
    digest = sha256("|".join((*key, night.isoformat())).encode()).hexdigest()
    return f"WO-{night:%Y%m%d}-{digest[:8]}"
