"""The history that orders are derived from, and the tables that they are written to.

Belongs here: reading causes, verdicts and replies of all nights from the warehouse; rewriting
`quality.work_order`, `quality.work_order_event` and `quality.reply`.
Does not belong here: deriving (`derive`); how replies get into the warehouse (the door).
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, fields
from datetime import date
from typing import Any

import duckdb

from quality.causes import Cause, Key, Recheck, read_causes
from quality.results import CONTRACT_RULE, PASS, RESULT_TABLE, insert_rows
from quality.work_orders.derive import Night
from quality.work_orders.records import OrderEvent, Orders, WorkOrder
from quality.work_orders.replies import REFUSED, REPLY_DATASET, Outcome, Reply

REPLY_VIEW = f"raw.{REPLY_DATASET}"
"""Rows of the reply sheets: department, night, delivery_id, sequence, file_name, line_number,
order_id, action, note, extend_to. It is not there before the first reply."""

REFUSED_VIEW = f"quarantine.{REPLY_DATASET}"
"""Rows of the reply sheets that the door refused: department, night, delivery_id, file_name,
line_number, order_id (empty where it is none) and reason."""

TABLES = """
create schema if not exists quality;
create or replace table quality.work_order (
    order_id varchar not null, department varchar not null, dataset varchar not null,
    owner varchar not null, cause varchar not null, kind varchar not null,
    title varchar not null, dimension varchar not null, severity varchar not null,
    message varchar not null, rule_ids varchar not null, engines varchar not null,
    state varchar not null, phase varchar not null, opened_on date not null,
    due_on date not null, closed_on date, reopened_on date, reopened bigint not null,
    waived_until date, failed_at_open bigint not null, failed_now bigint not null,
    total_now bigint not null, nights_failing bigint not null, level bigint not null,
    escalated_to varchar not null, changed_on date not null, is_new boolean not null,
    is_overdue boolean not null
);
create or replace table quality.work_order_event (
    order_id varchar not null, position bigint not null, business_date date not null,
    event varchar not null, phase varchar not null, actor varchar not null,
    detail varchar not null
);
create or replace table quality.reply (
    business_date date not null, department varchar not null, delivery_id varchar not null,
    file_name varchar not null, line_number bigint not null, order_id varchar not null,
    action varchar not null, until date, status varchar not null, reason varchar not null
)
"""
"""All three are derived and keep nothing of their own. `rule_ids` and `engines` are JSON lists.
The note of a reply stays where it was delivered: a clerk may have named a person in it."""

_LISTS = ("rule_ids", "engines")


def read_history(connection: duckdb.DuckDBPyConnection, until: date) -> list[Night]:
    """All nights up to and with `until`, oldest first."""
    connection.execute(RESULT_TABLE)
    causes: dict[date, list[Cause]] = defaultdict(list)
    for cause in read_causes(connection, until):
        causes[cause.business_date].append(cause)
    nights = connection.execute(
        "select distinct business_date from quality.rule_result where business_date <= ? "
        "order by all",
        [until],
    ).fetchall()
    statuses, valid = _verdicts(connection, until)
    replies = _replies(connection, until)
    return [
        Night(
            night,
            tuple(causes[night]),
            Recheck(
                frozenset(cause.key for cause in causes[night]),
                statuses[night],
                frozenset(valid[night]),
                frozenset(key[:2] for key in statuses[night] if key[2] == CONTRACT_RULE) or None,
            ),
            tuple(replies[night]),
        )
        for (night,) in nights
    ]


def _verdicts(
    connection: duckdb.DuckDBPyConnection, until: date
) -> tuple[dict[date, dict[Key, str]], dict[date, set[tuple[str, str]]]]:
    """Each night's statuses of the rules that ever hung under a cause, and its valid contracts."""
    rows = connection.execute(
        """
        with hung as (
            select distinct department, dataset,
                unnest(from_json(rule_ids, '["varchar"]')) as rule_id
            from quality.cause where business_date <= $until
        )
        select business_date, department, dataset, rule_id, status
        from quality.rule_result
        where business_date <= $until and (
            rule_id = $contract_rule
            or (department, dataset, rule_id) in (select (department, dataset, rule_id) from hung)
        )
        order by all
        """,
        {"until": until, "contract_rule": CONTRACT_RULE},
    ).fetchall()
    statuses: dict[date, dict[Key, str]] = defaultdict(dict)
    valid: dict[date, set[tuple[str, str]]] = defaultdict(set)
    for night, department, dataset, rule_id, status in rows:
        statuses[night][department, dataset, rule_id] = status
        if rule_id == CONTRACT_RULE and status == PASS:
            valid[night].add((department, dataset))
    return statuses, valid


def _replies(connection: duckdb.DuckDBPyConnection, until: date) -> dict[date, list[Reply]]:
    found: dict[date, list[Reply]] = defaultdict(list)
    if not _is_there(connection, REPLY_VIEW):
        return found
    rows = connection.execute(
        f"""
        select night, department, delivery_id, file_name, line_number, order_id,
            coalesce(action, ''), coalesce(note, ''), extend_to
        from {REPLY_VIEW}
        where night <= ? and coalesce(action, note, extend_to::varchar) is not null
        order by night, department, sequence, line_number
        """,
        [until],
    ).fetchall()
    for row in rows:
        found[row[0]].append(Reply(*row))
    return found


def _is_there(connection: duckdb.DuckDBPyConnection, view: str) -> bool:
    schema, name = view.split(".")
    found = connection.execute(
        "select count(*) from information_schema.tables where table_schema = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    return found != (0,)


def write_orders(connection: duckdb.DuckDBPyConnection, derived: Orders) -> None:
    """Rewrite the three tables; replies that the door refused stand among the others."""
    connection.execute(TABLES)
    orders = [asdict(order) for order in derived.orders]
    for row in orders:
        row.update((name, json.dumps(row[name], ensure_ascii=False)) for name in _LISTS)
    insert_rows(connection, "quality.work_order", [f.name for f in fields(WorkOrder)], orders)
    events = [asdict(event) for event in derived.events]
    insert_rows(
        connection, "quality.work_order_event", [f.name for f in fields(OrderEvent)], events
    )
    replies = [_reply_row(outcome) for outcome in derived.outcomes]
    insert_rows(connection, "quality.reply", list(replies[0]) if replies else [], replies)
    if _is_there(connection, REFUSED_VIEW):
        connection.execute(
            "insert into quality.reply select night, department, delivery_id, file_name, "
            f"line_number, order_id, '', null, '{REFUSED}', reason from {REFUSED_VIEW} "
            "order by all"
        )


def _reply_row(outcome: Outcome) -> dict[str, Any]:
    reply = outcome.reply
    return {
        "business_date": reply.night,
        "department": reply.department,
        "delivery_id": reply.delivery_id,
        "file_name": reply.file_name,
        "line_number": reply.line_number,
        "order_id": reply.order_id,
        "action": reply.action,
        "until": reply.until,
        "status": outcome.status,
        "reason": outcome.reason,
    }


def read_orders(
    connection: duckdb.DuckDBPyConnection, condition: str, values: list[object]
) -> list[WorkOrder]:
    """The orders for which a condition on `quality.work_order` holds, in the table's order."""
    names = [f.name for f in fields(WorkOrder)]
    rows = connection.execute(
        f"select {', '.join(names)} from quality.work_order where {condition}", values
    ).fetchall()
    orders = []
    for values_of_row in rows:
        row = dict(zip(names, values_of_row, strict=True))
        orders.append(WorkOrder(**{**row, **{n: tuple(json.loads(row[n])) for n in _LISTS}}))
    return orders
