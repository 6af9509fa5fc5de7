"""What is known of an order on one night, and of its way there.

Belongs here: the records, which are rows of `quality.work_order` and `quality.work_order_event`.
Does not belong here: deriving them (`derive`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from quality.work_orders.replies import Outcome


@dataclass(frozen=True)
class WorkOrder:
    """One row of `quality.work_order`, as of the night it was derived for."""

    order_id: str
    """`WO-20260630-1a2b3c4d`; stays the same whenever it is derived."""
    department: str
    dataset: str
    owner: str
    """Who answers for the dataset in its department, as the contract says; may be empty."""
    cause: str
    """A rule's id, or the name of a recognised fault."""
    kind: str
    title: str
    dimension: str
    severity: str
    message: str
    """What is wrong and what to do, in Chinese, as last seen."""
    rule_ids: tuple[str, ...]
    """The rules that hang under it, as last seen."""
    engines: tuple[str, ...]
    state: str
    """`open` or `closed`."""
    phase: str
    """One of `machine.PHASES`."""
    opened_on: date
    due_on: date
    closed_on: date | None
    reopened_on: date | None
    reopened: int
    """How often it was."""
    waived_until: date | None
    """While extended or exempted: the last day of it."""
    failed_at_open: int
    failed_now: int
    """As last counted; 0 once closed."""
    total_now: int
    nights_failing: int
    level: int
    """Of escalation; 0 for none."""
    escalated_to: str
    changed_on: date
    """Night of its last event."""
    is_new: bool
    """Whether the department has to hear of something that happened on this very night."""
    is_overdue: bool
    """Past its due date, with the clock running."""

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self.closed_on is None


@dataclass(frozen=True)
class OrderEvent:
    """One row of `quality.work_order_event`: one step of one order."""

    order_id: str
    position: int
    """1 for the first event of the order."""
    business_date: date
    event: str
    """One of `machine.EVENTS`."""
    phase: str
    """The phase that it led to."""
    actor: str
    """The department whose reply it was, or `yishu`."""
    detail: str
    """In Chinese, without anything that a person wrote."""


@dataclass(frozen=True)
class Orders:
    """All that follows from a history."""

    orders: tuple[WorkOrder, ...]
    """By opening night, department, dataset and cause."""
    events: tuple[OrderEvent, ...]
    """By order as above, then position."""
    outcomes: tuple[Outcome, ...]
    """One a reply, in the order in which they were taken up."""
