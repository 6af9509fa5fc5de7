"""Results of the row rules and of the ledger's rules, counted in the warehouse.

Belongs here: how many rows still fail, of how many in force; the verdicts on deliveries; a few
masked keys of the rows that fail.
Does not belong here: which finding still stands (`defects`) or which delivery (`ledger`);
relations (`expectations`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

import duckdb

from quality.contract import Contract, Rule
from quality.expectations.tolerance import accepts
from quality.ledger import Ledger, Told, read_ledger
from quality.masking import masker
from quality.results import FAIL, NOT_APPLICABLE, PASS, RuleResult, result_of
from quality.sql_text import at_places

SAMPLES = 5
"""Keys kept per rule: enough to recognise the rows, too few to be a leak."""

DETAILS = 3
"""Files that a message names."""


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


def ledger_results(ledger: Ledger, contract: Contract, business_date: date) -> list[RuleResult]:
    """Results of the rules on deliveries: one cause fails one rule.

    A refused delivery was delivered all the same: the rule that refused it tells what to do, and
    not `delivered_on_time`.
    """
    return [_ledger_result(ledger, contract, rule, business_date)
            for rule in contract.rules_of("delivery")]  # fmt: skip


def _ledger_result(
    ledger: Ledger, contract: Contract, rule: Rule, business_date: date
) -> RuleResult:
    if rule.check == "delivered_on_time":
        late = contract.cycle is not None and is_late(
            ledger.newest_arrived, business_date, contract.cycle, contract.latency
        )
        counted = (int(late), 1)
        return result_of(contract, rule, business_date, FAIL if late else PASS, counted)
    if rule.check == "schema_agrees":
        found, total = ledger.drifted, ledger.newest_loaded
    elif rule.check == "file_whole":
        found, total = ledger.cut, ledger.total
    else:
        found, total = ledger.outstanding(rule.check), ledger.total
    if total == 0:
        return result_of(contract, rule, business_date, NOT_APPLICABLE)
    if not found:
        return result_of(contract, rule, business_date, PASS, (0, total))
    message = _with_details(rule.message, found)
    return result_of(contract, rule, business_date, FAIL, (len(found), total), message=message)


def _with_details(message: str, found: Sequence[Told]) -> str:
    """The rule's message, with file names and reasons before the remedy."""
    details = "；".join(f"{told.file_name}：{_wrong(told.reason)}" for told in found[:DETAILS])
    more = f"；等 {len(found)} 个文件" if len(found) > DETAILS else ""
    wrong, comma, remedy = message.partition("，请")
    return f"{wrong}（{details}{more}）{comma}{remedy}"


def _wrong(reason: str) -> str:
    """A reason without its rule's name and without what to do, which the message says."""
    text = re.sub(r"^[a-z_]+: ", "", reason)
    return re.split(r"[，。；]请", text)[0].rstrip("。")


def promises_nothing(connection: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    """A dataset without a cycle of which nothing ever came: its emptiness is no fault."""
    return contract.cycle is None and read_ledger(connection, contract).total == 0


def is_late(newest: date | None, business_date: date, cycle: timedelta, latency: timedelta) -> bool:
    """Whether, at the end of the business date, the next delivery is past its time.

    It is dated `newest + cycle` and may come until `latency` after that day has ended. A dataset
    that never delivered is late.
    """
    return newest is None or timedelta(days=(business_date - newest).days) >= cycle + latency


def sample_keys(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> dict[str, tuple[str, ...]]:
    """Rule → masked primary keys of its first open findings; the values never leave unmasked."""
    if not contract.key:
        return {}
    connection.execute(
        f"""
        create or replace temp table picked as
        select rule_id, delivery_id, line_number from quality.defect
        where department = ? and dataset = ? and is_open
        qualify row_number() over (
            partition by rule_id order by business_date, delivery_id, line_number
        ) <= {SAMPLES}
        """,
        [contract.department, contract.dataset],
    )
    deliveries = connection.execute("select distinct delivery_id from picked").fetchall()
    may_be = at_places((name for (name,) in deliveries), "picked")
    keys = ", ".join(f"{name}::varchar as {name}" for name in contract.key)
    rows = connection.execute(
        f"""
        with rows as (
            select _delivery_id, _line_number, {keys} from raw.{contract.table} where {may_be}
            union all
            select _delivery_id, _line_number, {keys} from quarantine.{contract.table}
            where {may_be}
        )
        select picked.rule_id, {", ".join(f"rows.{name}" for name in contract.key)}
        from picked
        inner join rows on rows._delivery_id = picked.delivery_id
            and rows._line_number = picked.line_number
        order by picked.rule_id, picked.delivery_id, picked.line_number
        """
    ).fetchall()
    maskers = [masker(contract.column(name), contract) for name in contract.key]
    found: dict[str, tuple[str, ...]] = {}
    for rule_id, *values in rows:
        shown = "|".join(mask(value) for mask, value in zip(maskers, values, strict=True))
        found[rule_id] = (*found.get(rule_id, ()), shown)
    return found
