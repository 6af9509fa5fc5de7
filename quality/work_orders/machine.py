"""The states of a work order and what may lead from one to the next.

Belongs here: phases, events, and the one table of legal transitions.
Does not belong here: what makes an event happen (`derive`).
"""

from __future__ import annotations

OPENED = "opened"
NOTIFIED = "notified"
IN_CORRECTION = "in_correction"
DISPUTED = "disputed"
WAIVED = "waived"
REOPENED = "reopened"
CLOSED = "closed"

PHASES = {
    OPENED: "新开立",
    NOTIFIED: "待处理",
    IN_CORRECTION: "整改中",
    DISPUTED: "有异议",
    WAIVED: "已延期",
    REOPENED: "重新打开",
    CLOSED: "已关闭",
}
"""Phase → Chinese name."""

OPEN = "open"
"""What all phases but `closed` have in common; `state` of an order is this or `closed`."""

OPEN_EVENT = "opened"
NOTIFY = "notified"
CLAIM = "correction_claimed"
NOT_CONFIRMED = "correction_not_confirmed"
DISPUTE = "disputed"
REJECT = "dispute_rejected"
UPHOLD = "dispute_upheld"
EXTEND = "extended"
WAIVER_ENDED = "waiver_ended"
ESCALATE = "escalated"
CLOSE = "closed"
WITHDRAW = "withdrawn"
REOPEN = "reopened"

EVENTS = {
    OPEN_EVENT: "开立",
    NOTIFY: "通知责任部门",
    CLAIM: "部门回复：已更正",
    NOT_CONFIRMED: "复核仍未通过，退回整改",
    DISPUTE: "部门提出异议",
    REJECT: "异议不成立，退回整改",
    UPHOLD: "异议成立，豁免",
    EXTEND: "准予延期",
    WAIVER_ENDED: "延期（豁免）到期",
    ESCALATE: "超期升级",
    CLOSE: "复核通过，关闭",
    WITHDRAW: "数据集已撤销，关闭",
    REOPEN: "问题复发，重新打开",
}
"""Event → Chinese name."""

NEWS = frozenset({OPEN_EVENT, REOPEN, NOT_CONFIRMED, REJECT, WAIVER_ENDED, ESCALATE})
"""Events that a department has to hear of on the night on which they happen."""

_TOLD = (NOTIFIED, IN_CORRECTION, DISPUTED, WAIVED)
WAITED_FOR = (NOTIFIED, IN_CORRECTION)
"""The clock runs: not while a dispute waits for its decision, nor before a granted date."""

TRANSITIONS: dict[tuple[str | None, str], str] = {
    (None, OPEN_EVENT): OPENED,
    (CLOSED, REOPEN): REOPENED,
    (OPENED, NOTIFY): NOTIFIED,
    (REOPENED, NOTIFY): NOTIFIED,
    **{(phase, CLAIM): IN_CORRECTION for phase in _TOLD},
    **{(phase, DISPUTE): DISPUTED for phase in _TOLD},
    **{(phase, EXTEND): WAIVED for phase in _TOLD},
    (IN_CORRECTION, NOT_CONFIRMED): NOTIFIED,
    (DISPUTED, REJECT): NOTIFIED,
    (DISPUTED, UPHOLD): WAIVED,
    (WAIVED, WAIVER_ENDED): NOTIFIED,
    **{(phase, ESCALATE): phase for phase in WAITED_FOR},
    **{
        (phase, event): CLOSED
        for phase in (OPENED, REOPENED, *_TOLD)
        for event in (CLOSE, WITHDRAW)
    },
}
"""(Phase, event) → next phase; what is not here cannot happen."""


class IllegalTransitionError(ValueError):
    """An event that an order in its phase cannot have."""


def next_phase(phase: str | None, event: str) -> str:
    """The phase after an event; `None` is an order that is not there yet.

    Raises:
        IllegalTransitionError: the event cannot happen in that phase.
    """
    try:
        return TRANSITIONS[phase, event]
    except KeyError as error:
        raise IllegalTransitionError(
            f"{event!r} cannot happen to an order that is {phase!r}"
        ) from error


def can(phase: str | None, event: str) -> bool:
    """Whether the event can happen in that phase."""
    return (phase, event) in TRANSITIONS
