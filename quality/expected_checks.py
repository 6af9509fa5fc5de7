"""The index of checks that should run on a night: `quality.expected_check`.

Belongs here: every rule of every contract, with what it is. Outer-joined with
`quality.rule_result` it shows a rule that nobody ran, and a result that nobody expected.
Does not belong here: what came of the rules (`results`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb

from quality.catalogue import Catalogue
from quality.contract import Contract, Rule
from quality.results import CONTRACT_RULE, CONTRACT_RULE_INDICATOR, ENGINES, replace_night

EXPECTED_TABLE = """
create schema if not exists quality;
create table if not exists quality.expected_check (
    business_date date not null,
    department varchar not null,
    dataset varchar not null,
    rule_id varchar not null,
    engine varchar not null,
    check_name varchar not null,
    dimension varchar not null,
    indicator varchar not null,
    severity varchar not null,
    columns varchar not null,
    tolerance varchar not null,
    contract_version varchar not null
)
"""
"""`columns` is comma-separated; `tolerance` a JSON object of `mustBe…` bounds, empty where no row
may fail. A broken contract expects nothing but that it be mended."""

_COLUMNS = (
    "business_date", "department", "dataset", "rule_id", "engine", "check_name", "dimension",
    "indicator", "severity", "columns", "tolerance", "contract_version",
)  # fmt: skip


def write_expected(
    connection: duckdb.DuckDBPyConnection, business_date: date, catalogue: Catalogue
) -> None:
    """Replace that business date's index."""
    connection.execute(EXPECTED_TABLE)
    rows = [{"business_date": business_date, **row} for row in _expected(catalogue)]
    replace_night(connection, "quality.expected_check", business_date, _COLUMNS, rows)


def _expected(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    for contract in catalogue.contracts:
        yield _contract_itself(contract.department, contract.dataset, contract.version)
        for rule in contract.rules:
            yield _row(contract, rule)
    for broken in catalogue.broken:
        yield _contract_itself(broken.department, broken.dataset, "")


def _row(contract: Contract, rule: Rule) -> dict[str, Any]:
    return {
        "department": contract.department,
        "dataset": contract.dataset,
        "rule_id": rule.rule_id,
        "engine": ENGINES[rule.family],
        "check_name": rule.check,
        "dimension": rule.dimension,
        "indicator": rule.indicator,
        "severity": rule.severity,
        "columns": ",".join(rule.columns),
        "tolerance": json.dumps(rule.options, sort_keys=True),
        "contract_version": contract.version,
    }


def _contract_itself(department: str, dataset: str, version: str) -> dict[str, Any]:
    return {
        "department": department,
        "dataset": dataset,
        "rule_id": CONTRACT_RULE,
        "engine": "ledger",
        "check_name": CONTRACT_RULE,
        "dimension": "conformity",
        "indicator": CONTRACT_RULE_INDICATOR,
        "severity": "error",
        "columns": "",
        "tolerance": "{}",
        "contract_version": version,
    }
