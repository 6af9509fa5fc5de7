"""What departments send back: the workbook of the feedback, with its reply sheet filled in.

Belongs here: which file in landing is a reply, its way through the door, and the views in which
the warehouse shows the rows.
Does not belong here: what a reply does to an order (`quality.work_orders`); the sheet as it goes
out (`quality.feedback`).

A reply is a delivery like any other: archived, receipted, its bad rows quarantined with reasons.
All departments share one contract, the platform's own. Unlike data, no reply takes the place of
an earlier one: each counts on the night that took it up.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path

import duckdb

from pipelines.delivery_rows import rows_query
from pipelines.home import Home
from pipelines.ingest import store
from pipelines.ingest.arrive import Arrival, arrivals
from pipelines.ingest.store import Receipt
from quality.contract import Contract
from quality.contract_reader import read_contract
from quality.work_orders import REPLY_DATASET

CONTRACT = Path(__file__).parent / "platform" / "big_data" / "quality_reply.odcs.yaml"
TITLE = "质量反馈"
"""In the name of every workbook that goes out, and so of every one that comes back."""

_DATE = re.compile(r"(?<!\d)(20\d{6})(?!\d)")


@cache
def platform_contract() -> Contract:
    """The one contract of all replies."""
    return read_contract(CONTRACT)


def contract_of(department: str, name: str) -> Contract:
    """The contract under which one department's replies are taken up."""
    return replace(platform_contract(), department=department, department_name=name)


def is_reply(path: Path) -> bool:
    """Whether a file in landing is a reply, whatever a clerk has made of its name.

    `质量反馈_20260630.xlsx` as it went out, `质量反馈_20260630_回复.xlsx`,
    `质量反馈_20260630 (1).xlsx` and `回复-质量反馈20260630.xls` all are.
    """
    return TITLE in path.name


def reply_date(file_name: str, night: date) -> date:
    """The date of the workbook that was answered; the night's where the name gives none."""
    for text in _DATE.findall(file_name):
        try:
            return datetime.strptime(text, "%Y%m%d").date()
        except ValueError:
            continue
    return night


def take_up(home: Home, departments: dict[str, str], night: date) -> list[Receipt]:
    """Take up every reply that lies in landing, dated at most `night`.

    Args:
        home: where things lie.
        departments: code → Chinese name of those who may reply.
        night: business date of the night that runs.
    """
    receipts = []
    for department, name in departments.items():
        arrived = [
            Arrival(found.path, department, REPLY_DATASET, reply_date(found.path.name, night))
            for found in arrivals(home.landing, frozenset())
            if found.department == department and is_reply(found.path)
        ]
        due = [arrival for arrival in arrived if (arrival.business_date or night) <= night]
        if not due:
            continue
        from pipelines.ingest import door  # takes seconds to import: only where something came

        receipts += door.take_up(home, contract_of(department, name), due, night)
    return receipts


def create_views(
    connection: duckdb.DuckDBPyConnection, home: Home, receipts: tuple[Receipt, ...]
) -> None:
    """`raw.quality_reply` and `quarantine.quality_reply`: the replies of all departments.

    Both have department, night, delivery_id, sequence, file_name and line_number; `raw` the
    contract's columns, `quarantine` the order's number, if it is one, and the reason in Chinese.
    Needs `meta.delivery`.
    """
    contract = platform_contract()
    loaded = [r for r in receipts if r.dataset == REPLY_DATASET and r.status == "loaded"]
    told = (
        "delivery.department, delivery.night, rows._delivery_id as delivery_id, "
        "delivery.sequence, delivery.file_name, rows._line_number as line_number"
    )
    ledger = "inner join meta.delivery as delivery on delivery.delivery_id = rows._delivery_id"
    columns = ", ".join(f"rows.{column.name}" for column in contract.columns)
    rows = rows_query(home.raw, loaded, store.raw_types(contract))
    connection.execute(
        f"create or replace view raw.{REPLY_DATASET} as select {told}, {columns} "
        f"from ({rows}) as rows {ledger}"
    )
    messages = ", ".join(
        "('" + rule.rule_id + "', '" + rule.message.replace("'", "''") + "')"
        for rule in contract.rules_of("row")
    )
    rows = rows_query(home.quarantine, loaded, store.quarantine_types(contract))
    connection.execute(
        f"""
        create or replace view quarantine.{REPLY_DATASET} as
        with rows as ({rows}),
        reasons as (
            select rows._delivery_id, rows._line_number,
                string_agg(message.text, '' order by message.text) as reason
            from rows
            inner join (values {messages}) as message (rule_id, text)
                on list_contains(string_split(rows._rules, ','), message.rule_id)
            group by all
        )
        select {told}, coalesce(regexp_extract(
            rows._original ->> '$.order_id', '^WO-[0-9]{{8}}-[0-9a-f]{{8}}$'), '') as order_id,
            coalesce(reasons.reason, '回复无法读取，请按反馈文件中的格式填写。') as reason
        from rows {ledger}
        left join reasons using (_delivery_id, _line_number)
        """
    )
