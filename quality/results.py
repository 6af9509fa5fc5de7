"""One record per rule, dataset and night: what was expected, what ran, what came of it.

Belongs here: the record, its table, and the index of expected rules that makes a rule visible
which nobody ran.
Does not belong here: running rules (`expectations`, `defects`, the door).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from quality.catalogue import BrokenContract, Catalogue
from quality.contract import Contract, Rule

PASS, FAIL, ERROR, NOT_RUN, NOT_APPLICABLE = "pass", "fail", "error", "not_run", "not_applicable"
STATUSES = (PASS, FAIL, ERROR, NOT_RUN, NOT_APPLICABLE)
"""`error`: the rule crashed. `not_run`: nobody ran it. `not_applicable`: nothing to judge."""

ENGINES = {"row": "pandera", "relation": "gx", "delivery": "ledger", "anomaly": "anomaly"}
"""Family of a rule → engine that judges it; `dbt` stands beside them for our own models."""

CONTRACT_RULE = "contract_valid"
"""The rule that stands for all others where the contract itself is broken."""

CONTRACT_RULE_INDICATOR = "0103"


@dataclass(frozen=True)
class RuleResult:
    """One row of `quality.rule_result`."""

    business_date: date
    department: str
    dataset: str
    rule_id: str
    engine: str
    dimension: str
    severity: str
    status: str
    failed: int = 0
    total: int = 0
    sample_keys: tuple[str, ...] = ()
    """Primary keys of a few failing rows, masked by the level of their columns."""
    contract_version: str = ""
    message: str = ""
    """What is wrong and what to do, in Chinese; for `error` and `not_run`, why."""
    indicator: str = ""
    """Sub-indicator of GB/T 36344-2018 that it counts towards; empty for dbt's results."""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What may stand once per night."""
        return self.department, self.dataset, self.rule_id, self.engine


RESULT_TABLE = """
create schema if not exists quality;
create table if not exists quality.rule_result (
    business_date date not null,
    department varchar not null,
    dataset varchar not null,
    rule_id varchar not null,
    engine varchar not null,
    dimension varchar not null,
    severity varchar not null,
    status varchar not null,
    failed bigint not null,
    total bigint not null,
    sample_keys varchar not null,
    contract_version varchar not null,
    message varchar not null,
    indicator varchar default ''
);
alter table quality.rule_result add column if not exists indicator varchar default ''
"""
"""The last statement is for warehouses of version 0.1, which knew no sub-indicators."""

_NOT_RUN_MESSAGE = "规则未执行：本次没有可供检查的数据表。"
_COLUMNS = tuple(field.name for field in fields(RuleResult))


def result_of(
    contract: Contract,
    rule: Rule,
    business_date: date,
    status: str,
    counted: tuple[int, int] = (0, 0),
    *,
    message: str | None = None,
) -> RuleResult:
    """The result of one contract's rule; `counted` is (failed, total), `message` the rule's own
    unless given."""
    return RuleResult(
        business_date=business_date,
        department=contract.department,
        dataset=contract.dataset,
        rule_id=rule.rule_id,
        engine=ENGINES[rule.family],
        dimension=rule.dimension,
        severity=rule.severity,
        status=status,
        failed=counted[0],
        total=counted[1],
        contract_version=contract.version,
        message=rule.message if message is None else message,
        indicator=rule.indicator,
    )


def crash_message(error_name: str) -> str:
    """Why a rule has no verdict: the kind of error alone, for its text may quote a value."""
    return f"规则执行出错（{error_name}），未能得出结论，请数据工程师检查。"


def complete(
    catalogue: Catalogue,
    business_date: date,
    judged: Iterable[RuleResult],
    extra: Iterable[RuleResult] = (),
) -> list[RuleResult]:
    """Every expected rule joined with what ran; in the order of their names.

    `extra` (the door, dbt) wins over `judged` where both speak of the same rule: the door knows
    that a row rule crashed, the warehouse only sees that it found nothing.
    """
    found = {result.identity: result for result in _expected(catalogue, business_date)}
    found |= {result.identity: result for result in judged}
    found |= {result.identity: result for result in extra}
    return [found[identity] for identity in sorted(found)]


def _expected(catalogue: Catalogue, business_date: date) -> Iterable[RuleResult]:
    for contract in catalogue.contracts:
        yield _contract_passes(contract, business_date)
        for rule in contract.rules:
            yield result_of(contract, rule, business_date, NOT_RUN, message=_NOT_RUN_MESSAGE)
    for broken in catalogue.broken:
        yield _contract_fails(broken, business_date)


def _contract_passes(contract: Contract, business_date: date) -> RuleResult:
    return RuleResult(
        business_date, contract.department, contract.dataset, CONTRACT_RULE, "ledger",
        "conformity", "error", PASS, 0, 1, (), contract.version, "数据契约有效。",
        CONTRACT_RULE_INDICATOR,
    )  # fmt: skip


def _contract_fails(broken: BrokenContract, business_date: date) -> RuleResult:
    """Conformity: GB/T 36344 0103 asks for metadata, and the contract is that. `error`, for
    none of the dataset's rules could be judged."""
    first = broken.problems[0]
    message = (
        f"数据契约有 {len(broken.problems)} 处错误，该数据集的规则均无法执行，请更正契约。"
        f"第一处：{broken.path.name} 第 {first.line} 行（{first.rule}）。"
    )
    return RuleResult(
        business_date, broken.department, broken.dataset, CONTRACT_RULE, "ledger",
        "conformity", "error", ERROR, 0, 0, (), "", message, CONTRACT_RULE_INDICATOR,
    )  # fmt: skip


def write_rule_results(
    connection: duckdb.DuckDBPyConnection, business_date: date, results: Iterable[RuleResult]
) -> None:
    """Replace that business date's rows by `results`, all or nothing.

    Raises:
        ValueError: a result of another business date, which would outlive the next rerun.
    """
    rows = [asdict(result) for result in results]
    for row in rows:
        row["sample_keys"] = json.dumps(row["sample_keys"], ensure_ascii=False)
    connection.execute(RESULT_TABLE)
    replace_night(connection, "quality.rule_result", business_date, _COLUMNS, rows)


def read_rule_results(
    connection: duckdb.DuckDBPyConnection, until: date, since: date = date.min
) -> list[RuleResult]:
    """All results of the nights from `since` to `until`, oldest first."""
    connection.execute(RESULT_TABLE)
    rows = connection.execute(
        f"select {', '.join(_COLUMNS)} from quality.rule_result "
        "where business_date between ? and ? "
        "order by business_date, department, dataset, rule_id, engine",
        [since, until],
    ).fetchall()
    return [_record(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _record(row: dict[str, Any]) -> RuleResult:
    return RuleResult(**{**row, "sample_keys": tuple(json.loads(row["sample_keys"]))})


def replace_night(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    business_date: date,
    columns: Sequence[str],
    rows: list[dict[str, Any]],
) -> None:
    """Delete the night's rows of `table` and insert `rows`, in one transaction.

    Raises:
        ValueError: a row of another business date, which would outlive the next rerun.
    """
    if any(row["business_date"] != business_date for row in rows):
        message = f"{table}: a row of another date than {business_date}: write each night alone"
        raise ValueError(message)
    connection.begin()
    try:
        connection.execute(f"delete from {table} where business_date = ?", [business_date])
        insert_rows(connection, table, columns, rows)
    except duckdb.Error:
        connection.rollback()
        raise
    connection.commit()


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[str],
    rows: list[dict[str, Any]],
) -> None:
    """Insert a few thousand records at once, in their order."""
    if not rows:
        return
    arrow = pa.table({name: [row[name] for row in rows] for name in columns})
    connection.register("incoming_rows", arrow)
    try:
        names = ", ".join(columns)
        connection.execute(f"insert into {table} ({names}) select {names} from incoming_rows")
    finally:
        connection.unregister("incoming_rows")
