"""Results of the row rules and of the ledger's rules, counted in the warehouse.

Belongs here: how many rows still fail, of how many in force; whether deliveries came, readable
and in time; a few masked keys of the rows that fail.
Does not belong here: which finding still stands (`defects`); relations (`expectations`).
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from quality.contract import Contract
from quality.expectations.tolerance import accepts
from quality.masking import mask
from quality.results import FAIL, NOT_APPLICABLE, PASS, RuleResult, result_of

SAMPLES = 5
"""Keys kept per rule: enough to recognise the rows, too few to be a leak."""


def row_results(
    connection: duckdb.DuckDBPyConnection, contract: Contract, business_date: date, in_force: int
) -> list[RuleResult]:
    """One result per row rule: open findings of the rows in force."""
    counted = dict(
        connection.execute(
            "select rule_id, count(*) from quality.defect "
            "where department = ? and dataset = ? and is_open group by all",
            [contract.department, contract.dataset],
        ).fetchall()
    )
    results = []
    for rule in contract.rules_of("row"):
        failed = int(counted.get(rule.rule_id, 0))
        if in_force == 0:
            results.append(result_of(contract, rule, business_date, NOT_APPLICABLE))
            continue
        status = PASS if accepts(rule.options, failed, in_force) else FAIL
        results.append(result_of(contract, rule, business_date, status, (failed, in_force)))
    return results


def ledger_results(
    connection: duckdb.DuckDBPyConnection, contract: Contract, business_date: date
) -> list[RuleResult]:
    """Results of `delivery_readable` and `delivered_on_time`, from `meta.delivery`."""
    refused, total, newest = _ledger(connection, contract)
    results = []
    for rule in contract.rules_of("delivery"):
        if rule.check == "delivered_on_time":
            late = contract.cycle is not None and is_late(
                newest, business_date, contract.cycle, contract.latency
            )
            status = FAIL if late else PASS
            results.append(result_of(contract, rule, business_date, status, (int(late), 1)))
        elif total == 0:
            results.append(result_of(contract, rule, business_date, NOT_APPLICABLE))
        else:
            status = FAIL if refused else PASS
            results.append(result_of(contract, rule, business_date, status, (refused, total)))
    return results


def promises_nothing(connection: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    """A dataset without a cycle of which nothing ever came: its emptiness is no fault."""
    return contract.cycle is None and _ledger(connection, contract)[1] == 0


def is_late(newest: date | None, business_date: date, cycle: timedelta, latency: timedelta) -> bool:
    """Whether, at the end of the business date, the next delivery is past its time.

    It is dated `newest + cycle` and may come until `latency` after that day has ended. A dataset
    that never delivered is late.
    """
    return newest is None or timedelta(days=(business_date - newest).days) >= cycle + latency


def _ledger(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> tuple[int, int, date | None]:
    """Refused deliveries not replaced by a later loaded one; all deliveries; newest loaded date."""
    row = connection.execute(
        """
        with own as (
            select * from meta.delivery where department = ? and dataset = ?
        ),
        newest as (
            select max(row(business_date, coalesce(sequence, 0))) as arrived,
                max(business_date) as business_date
            from own where status in ('loaded', 'repeated')
        )
        select
            count(*) filter (
                where own.status = 'refused' and own.superseded_by is null
                and (newest.arrived is null
                    or row(own.business_date, coalesce(own.sequence, 0)) > newest.arrived)
            ),
            count(own.delivery_id),
            any_value(newest.business_date)
        from newest left join own on true
        """,
        [contract.department, contract.dataset],
    ).fetchone()
    refused, total, newest = row or (0, 0, None)
    return int(refused), int(total), newest


def sample_keys(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> dict[str, tuple[str, ...]]:
    """Rule → masked primary keys of its first open findings; the values never leave unmasked."""
    if not contract.key:
        return {}
    keys = ", ".join(f"{name}::varchar as {name}" for name in contract.key)
    rows = connection.execute(
        f"""
        with picked as (
            select rule_id, delivery_id, line_number from quality.defect
            where department = ? and dataset = ? and is_open
            qualify row_number() over (
                partition by rule_id order by business_date, delivery_id, line_number
            ) <= {SAMPLES}
        ),
        rows as (
            select _delivery_id, _line_number, {keys} from raw.{contract.table}
            semi join picked on delivery_id = _delivery_id and line_number = _line_number
            union all
            select _delivery_id, _line_number, {keys} from quarantine.{contract.table}
            semi join picked on delivery_id = _delivery_id and line_number = _line_number
        )
        select picked.rule_id, {", ".join(f"rows.{name}" for name in contract.key)}
        from picked
        inner join rows on rows._delivery_id = picked.delivery_id
            and rows._line_number = picked.line_number
        order by picked.rule_id, picked.delivery_id, picked.line_number
        """,
        [contract.department, contract.dataset],
    ).fetchall()
    found: dict[str, tuple[str, ...]] = {}
    for rule_id, *values in rows:
        shown = "|".join(
            mask(value, contract.column(name), contract)
            for name, value in zip(contract.key, values, strict=True)
        )
        found[rule_id] = (*found.get(rule_id, ()), shown)
    return found
