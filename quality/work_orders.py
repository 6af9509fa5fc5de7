"""Work orders: what a department has to put right, derived from the results of all nights.

Belongs here: the rule results' history → orders, as a pure function; the table they are in.
Does not belong here: the workbook that carries them home (`feedback`); replies of departments
(a later part reads them as deliveries and adds them to the history).

One order stands for one run of failing nights of one rule on one dataset. It opens on the first
failing night, stays open while the rule fails, crashes or is not run, and closes on the first
later night on which it passes, or on which a valid contract no longer has it. Failing again
opens a new order.

Due dates count calendar days; a calendar of working days will replace them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from hashlib import sha256

import duckdb

from quality.results import CONTRACT_RULE, ERROR, FAIL, PASS, RuleResult, insert_rows
from quality.weights import Weights

OPEN, CLOSED = "open", "closed"


@dataclass(frozen=True)
class WorkOrder:
    """One row of `quality.work_order`."""

    order_id: str
    department: str
    dataset: str
    rule_id: str
    engine: str
    dimension: str
    severity: str
    message: str
    """What is wrong and what to do, in Chinese, as on the night that opened the order."""
    opened_on: date
    due_on: date
    closed_on: date | None
    state: str
    failed_at_open: int
    failed_now: int
    """As last counted; 0 once closed."""
    total_now: int
    nights_failing: int


def derive_orders(history: Iterable[RuleResult], weights: Weights) -> list[WorkOrder]:
    """All orders that the history gives, by opening night; its order does not matter."""
    runs: dict[tuple[str, str, str, str], dict[date, RuleResult]] = defaultdict(dict)
    valid_nights: dict[tuple[str, str], set[date]] = defaultdict(set)
    for result in history:
        if result.engine not in weights.engines:
            continue
        runs[result.identity][result.business_date] = result
        if result.rule_id == CONTRACT_RULE and result.status == PASS:
            valid_nights[result.department, result.dataset].add(result.business_date)
    orders = [
        order
        for (department, dataset, *_), nights in runs.items()
        for order in _orders_of_rule(nights, valid_nights[department, dataset], weights)
    ]
    return sorted(orders, key=lambda o: (o.opened_on, o.department, o.dataset, o.rule_id, o.engine))


def _orders_of_rule(
    results: dict[date, RuleResult], valid_nights: set[date], weights: Weights
) -> list[WorkOrder]:
    if not any(_fails(result) for result in results.values()):
        return []
    orders: list[WorkOrder] = []
    current: WorkOrder | None = None
    for night in sorted({*results, *valid_nights}):
        result = results.get(night)
        if result is not None and _fails(result):
            current = _opened(result, weights) if current is None else _counted(current, result)
        elif current is not None and (result is None or result.status == PASS):
            orders.append(
                replace(current, closed_on=night, state=CLOSED, failed_now=0,
                        total_now=result.total if result else 0)
            )  # fmt: skip
            current = None
    return [*orders, current] if current else orders


def _fails(result: RuleResult) -> bool:
    """A crash is no failure of the data; a contract that cannot be read is the owner's to mend."""
    return result.status == FAIL or (result.rule_id == CONTRACT_RULE and result.status == ERROR)


def _opened(result: RuleResult, weights: Weights) -> WorkOrder:
    return WorkOrder(
        order_id=_order_id(result),
        department=result.department,
        dataset=result.dataset,
        rule_id=result.rule_id,
        engine=result.engine,
        dimension=result.dimension,
        severity=result.severity,
        message=result.message,
        opened_on=result.business_date,
        due_on=result.business_date + timedelta(days=weights.due_days[result.severity]),
        closed_on=None,
        state=OPEN,
        failed_at_open=result.failed,
        failed_now=result.failed,
        total_now=result.total,
        nights_failing=1,
    )


def _counted(order: WorkOrder, result: RuleResult) -> WorkOrder:
    return replace(
        order,
        failed_now=result.failed,
        total_now=result.total,
        nights_failing=order.nights_failing + 1,
    )


def _order_id(result: RuleResult) -> str:
    """`WO-20260630-1a2b3c4d`: the same order has the same number whenever it is derived."""
    night = result.business_date.strftime("%Y%m%d")
    digest = sha256("|".join((*result.identity, night)).encode()).hexdigest()
    return f"WO-{night}-{digest[:8]}"


ORDER_TABLE = """
create schema if not exists quality;
create or replace table quality.work_order (
    order_id varchar not null, department varchar not null, dataset varchar not null,
    rule_id varchar not null, engine varchar not null, dimension varchar not null,
    severity varchar not null, message varchar not null, opened_on date not null,
    due_on date not null, closed_on date, state varchar not null,
    failed_at_open bigint not null, failed_now bigint not null, total_now bigint not null,
    nights_failing bigint not null
)
"""


def write_orders(connection: duckdb.DuckDBPyConnection, orders: Sequence[WorkOrder]) -> None:
    """Rewrite `quality.work_order`: it is derived, and keeps nothing of its own."""
    connection.execute(ORDER_TABLE)
    columns = [field.name for field in fields(WorkOrder)]
    insert_rows(connection, "quality.work_order", columns, [asdict(order) for order in orders])
