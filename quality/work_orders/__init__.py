"""Work orders: what a department has to put right, derived from the history of all nights.

Belongs here: the order's states (`machine`), deadlines and escalation (`policy`), what departments
answered (`replies`), history → orders as a pure function (`derive`), and the tables (`tables`).
Does not belong here: judging and causes (`quality.causes`); what goes home (`quality.feedback`).
"""

from quality.work_orders.derive import Night, derive_orders
from quality.work_orders.machine import CLOSED, OPEN
from quality.work_orders.policy import Policy, read_policy
from quality.work_orders.records import OrderEvent, Orders, WorkOrder
from quality.work_orders.replies import REPLY_DATASET, Outcome, Reply
from quality.work_orders.tables import read_history, read_orders, write_orders

__all__ = [
    "CLOSED",
    "OPEN",
    "REPLY_DATASET",
    "Night",
    "OrderEvent",
    "Orders",
    "Outcome",
    "Policy",
    "Reply",
    "WorkOrder",
    "derive_orders",
    "read_history",
    "read_orders",
    "read_policy",
    "write_orders",
]
