"""What departments answer to their orders, and which answers count.

Belongs here: the reply as a record, and whether an order may take it.
Does not belong here: reading the file it came in (the door); what it does to the order (`derive`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from quality.work_orders import machine
from quality.work_orders.policy import Policy

REPLY_DATASET = "quality_reply"
"""Under which name replies stand in the ledger and in the schemas `raw` and `quarantine`."""

ACTIONS = {
    "已更正": machine.CLAIM,
    "有异议": machine.DISPUTE,
    "申请延期": machine.EXTEND,
    "异议成立": machine.UPHOLD,
    "异议不成立": machine.REJECT,
}
"""What may stand in the column 回复 → the event that it asks for."""

DECISIONS = frozenset({machine.UPHOLD, machine.REJECT})
"""Reserved to the department that decides on disputes."""

ACCEPTED, REPEATED, REFUSED = "accepted", "repeated", "refused"


@dataclass(frozen=True)
class Reply:
    """One row of a reply sheet that asks for something."""

    night: date
    """Business date of the night that took it up."""
    department: str
    """Whose landing folder it came through."""
    delivery_id: str
    file_name: str
    line_number: int
    order_id: str
    action: str
    """A key of `ACTIONS`."""
    note: str = field(default="", repr=False)
    """What the clerk wrote; may hold personal data, so it stays in the warehouse."""
    until: date | None = None

    def says_the_same(self, other: Reply) -> bool:
        """Whether both ask for the same, wherever they stand."""
        return (self.department, self.order_id, self.action, self.note, self.until) == (
            other.department, other.order_id, other.action, other.note, other.until,
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of a reply: one row of `quality.reply`."""

    reply: Reply
    status: str
    """`accepted`, `repeated` (the same was said before) or `refused`."""
    reason: str = ""
    """Why it was refused, in Chinese."""


@dataclass(frozen=True)
class Addressed:
    """The order that a reply names, as far as the reply is concerned."""

    department: str
    phase: str
    closed_on: date | None
    extensions: int
    """How often it was extended since it was opened or reopened."""


def refusal(reply: Reply, order: Addressed | None, policy: Policy) -> str:
    """Why a reply cannot count, in Chinese; empty where it can.

    A reply to another department's order is refused with the words for an unknown one, so that
    nobody learns whether it exists.
    """
    event = ACTIONS.get(reply.action)
    if event is None:
        return f"回复须为 {'、'.join(ACTIONS)} 之一。"
    decides = event in DECISIONS
    if decides and reply.department != policy.arbiter:
        return "异议由主管部门裁决，责任部门不能填写此项。"
    if order is None or not (decides or order.department == reply.department):
        return "本部门没有此工单号的工单，请核对工单号。"
    if order.closed_on is not None:
        return f"工单已于 {order.closed_on} 关闭，无需回复。"
    if decides and order.phase != machine.DISPUTED:
        return "该工单没有待裁决的异议。"
    if event == machine.DISPUTE and not reply.note.strip():
        return "有异议的，请在「说明」中写明理由。"
    if event == machine.EXTEND:
        return _extension_refusal(reply, order, policy)
    if event == machine.UPHOLD:
        return _date_refusal(reply, policy, "豁免", policy.exemption_days)
    return ""


def _extension_refusal(reply: Reply, order: Addressed, policy: Policy) -> str:
    if order.extensions >= policy.extension_times:
        return f"该工单已延期 {order.extensions} 次，不能再延期。"
    return _date_refusal(reply, policy, "延期", policy.extension_days)


def _date_refusal(reply: Reply, policy: Policy, what: str, days: int) -> str:
    latest = policy.calendar.after(reply.night, days)
    if reply.until is None:
        return f"请在「延期至」中填写{what}的日期。"
    if reply.until <= reply.night:
        return f"{what}日期须晚于 {reply.night}。"
    if reply.until > latest:
        return f"{what}日期最迟为 {latest}（{days} 个工作日）。"
    return ""
