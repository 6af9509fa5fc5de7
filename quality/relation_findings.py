"""The rows that break relation rules tonight, looked for once: `quality.relation_finding`.

Belongs here: finding them and counting what was judged, before Great Expectations asks for the
counts and `defects` and `disagreements` for the rows.
Does not belong here: what a check means (`relation_rules`), the verdicts (`expectations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from quality import repeated_keys
from quality.carried_findings import carry_on, take_base
from quality.contract import Contract, Rule
from quality.delivery_counts import count_deliveries
from quality.expectations.tolerance import accepts
from quality.meetings import Came
from quality.relation_rules import (
    RELATION_CHECKS,
    failing_rows,
    finds_rows,
    judged_rows,
    other_table,
    rows_with_verdict,
)

FINDING_TABLES = """
create schema if not exists quality;
create table if not exists quality.relation_finding (
    department varchar not null,
    dataset varchar not null,
    rule_id varchar not null,
    delivery_id varchar not null,
    line_number bigint not null
);
create table if not exists quality.relation_count (
    department varchar not null,
    dataset varchar not null,
    rule_id varchar not null,
    failed bigint not null,
    total bigint not null
)
"""
"""Findings: one row per failing row of a rule that tolerates not so many of them; the others are
only counted. Counts: one row per rule that was looked at."""


Place = tuple[str, str, str]
"""Department, dataset and id of a rule."""


@dataclass(frozen=True)
class Found:
    """The relation rules whose failing rows were looked for."""

    looked_at: frozenset[Place]
    """A rule whose query failed is not among them: whoever judges it meets the error."""
    carried_on: frozenset[Place]
    """Those of which the findings of the last night were carried on."""


def find_relations(connection: duckdb.DuckDBPyConnection, contracts: Iterable[Contract]) -> Found:
    """Look for the failing rows of every relation rule that names rows.

    Whoever keeps what follows from them calls `note_base` afterwards; without it the next night
    looks at all rows.
    """
    connection.execute(FINDING_TABLES)
    came = take_base(connection)
    connection.execute("truncate quality.relation_finding; truncate quality.relation_count")
    by_table = {contract.table: contract for contract in contracts}
    looked_at, carried_on = set(), set()
    for contract in by_table.values():
        for rule in contract.rules_of("relation"):
            if rule.check in RELATION_CHECKS or (rule.check == "sql" and finds_rows(rule)):
                place = (contract.department, contract.dataset, rule.rule_id)
                connection.begin()
                try:
                    is_carried = _find(connection, contract, rule, by_table, came)
                    connection.commit()
                except duckdb.Error:
                    connection.rollback()
                    continue
                looked_at.add(place)
                if is_carried:
                    carried_on.add(place)
    return Found(frozenset(looked_at), frozenset(carried_on))


def rows_found(connection: duckdb.DuckDBPyConnection, contract: Contract, rule: Rule) -> str | None:
    """The query of a rule's failing rows: of those found, where the rule was looked at; None where
    it judges the table as a whole."""
    connection.execute(FINDING_TABLES)
    if _number(connection, f"select count(*) from ({found_counts(contract, rule)}) as counted"):
        return (
            "select delivery_id as _delivery_id, line_number as _line_number "
            f"from quality.relation_finding where {_is_of(contract, rule)}"
        )
    return failing_rows(rule, contract)


def found_counts(contract: Contract, rule: Rule) -> str:
    """The query of how many rows fail, of how many: `failed` and `total`."""
    return f"select failed, total from quality.relation_count where {_is_of(contract, rule)}"


def _is_of(contract: Contract, rule: Rule) -> str:
    return (
        f"department = '{contract.department}' and dataset = '{contract.dataset}' "
        f"and rule_id = '{rule.rule_id}'"
    )


def _find(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rule: Rule,
    contracts: Mapping[str, Contract],
    came: Came | None,
) -> bool:
    """Store the failing rows and their number; returns whether they were carried on from the last
    night: where that is not possible, they are looked for among all rows."""
    if rule.check == repeated_keys.CHECK:
        count_deliveries(connection, contract)
    carried = carry_on(connection, contract, rule, contracts, came) if came is not None else None
    is_carried = False
    if carried is not None:
        failed, total = carried.failed, carried.total
        is_spared = accepts(rule.options, failed, total)
        is_carried = is_spared or carried.are_kept
    if not is_carried:
        failed, total = _failing(connection, contract, rule, contracts)
        is_spared = accepts(rule.options, failed, total)
    identity = [contract.department, contract.dataset, rule.rule_id]
    connection.execute(
        "insert into quality.relation_count values (?, ?, ?, ?, ?)", [*identity, failed, total]
    )
    if not is_spared:
        connection.execute(
            "insert into quality.relation_finding select ?, ?, ?, _delivery_id, _line_number "
            "from failing order by _delivery_id, _line_number",
            identity,
        )
    return is_carried


def _failing(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rule: Rule,
    contracts: Mapping[str, Contract],
) -> tuple[int, int]:
    """Rows that fail and rows that were judged; the former are left in `failing`."""
    judged = rows_with_verdict(rule, contract, meets_one=_meets_one(rule, contracts))
    if judged is not None:
        # Grouped, the rows that hold are one row.
        connection.execute(
            f"""
            create or replace temp table judged as
            select if(fails, _delivery_id, null) as _delivery_id,
                if(fails, _line_number, null) as _line_number, count(*) as counted
            from ({judged}) as judged group by all
            """
        )
        connection.execute(
            "create or replace temp table failing as "
            "select _delivery_id, _line_number from judged where _delivery_id is not null"
        )
        total = _number(connection, "select coalesce(sum(counted), 0)::bigint from judged")
        return _number(connection, "select count(*) from failing"), total
    is_key = rule.check == repeated_keys.CHECK
    rows = repeated_keys.copies(contract) if is_key else failing_rows(rule, contract)
    connection.execute(f"create or replace temp table failing as {rows}")
    failed = _number(connection, "select count(*) from failing")
    if is_key:
        rows_in_force = f"select count(*) from staging.{contract.staging_model}"
        return failed, failed + _number(connection, rows_in_force)
    return failed, _number(connection, judged_rows(rule, contract))


def _meets_one(rule: Rule, contracts: Mapping[str, Contract]) -> bool:
    other = contracts.get(other_table(rule) or "")
    return other is not None and other.key == (rule.arguments[1],)


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
