"""Runs the relation rules of the contracts in the warehouse, through Great Expectations.

Belongs here: the GX context, and GX's answer → `RuleResult`.
Does not belong here: which expectation stands for which rule (`suites`); the failing rows
themselves, which never leave DuckDB (`defects`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

from quality.contract import Contract, Rule
from quality.expectations import tolerance
from quality.expectations.context import quiet_context
from quality.expectations.duckdb_dialect import connection_url
from quality.expectations.suites import expectations_of
from quality.results import ERROR, FAIL, NOT_APPLICABLE, PASS, RuleResult, crash_message, result_of

Place = tuple[str, str, str]
"""Department, dataset and rule."""

_ERROR_NAME = re.compile(r"\b(?:_?duckdb\.)?(\w+(?:Exception|Error))\b")


def run_relation_rules(
    warehouse: Path,
    contracts: Iterable[Contract],
    business_date: date,
    settings: Mapping[str, str] | None = None,
    counted: Collection[Place] = frozenset(),
) -> list[RuleResult]:
    """Judge every contract that has a staging table; the others have no result.

    Of the rules in `counted` the failing rows were looked for before (`relation_findings`).
    Opens the warehouse and lets go of it; whoever holds it open does so with the same settings.
    """
    settings = dict(settings or {})
    present = _staging_tables(warehouse, settings)
    runnable = [
        contract
        for contract in contracts
        if contract.staging_model in present and contract.rules_of("relation")
    ]
    if not runnable:
        return []
    context = quiet_context()
    source = context.data_sources.add_sql(
        "warehouse", connection_string=connection_url(warehouse, settings)
    )
    try:
        results: list[RuleResult] = []
        for contract in runnable:
            answers = _validate(context, source, contract, counted)
            results += _results(contract, business_date, answers)
        return results
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _staging_tables(warehouse: Path, settings: Mapping[str, str]) -> set[str]:
    with duckdb.connect(str(warehouse), config=dict(settings)) as connection:
        rows = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'staging'"
        ).fetchall()
    return {name for (name,) in rows}


def _validate(
    context: Any, source: SQLDatasource, contract: Contract, counted: Collection[Place]
) -> list[Any]:
    """GX's answers, one a relation rule."""
    own = {rule for *place, rule in counted if place == [contract.department, contract.dataset]}
    # A query asset: a table asset of another schema loses its schema when GX reads the columns.
    asset = source.add_query_asset(
        contract.table, query=f"select * from staging.{contract.staging_model}"
    )
    batch = asset.add_batch_definition_whole_table("as_of_the_night")
    suite = gx.ExpectationSuite(name=contract.table, expectations=expectations_of(contract, own))
    context.suites.add(suite)
    definition = gx.ValidationDefinition(name=contract.table, data=batch, suite=suite)
    answer = context.validation_definitions.add(definition).run(
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0}
    )
    return list(answer.results)


def _results(contract: Contract, business_date: date, answers: list[Any]) -> list[RuleResult]:
    rules = {rule.rule_id: rule for rule in contract.rules}
    return [
        _result(contract, rules[item.expectation_config.meta["rule_id"]], business_date, item)
        for item in answers
    ]


def _result(contract: Contract, rule: Rule, business_date: date, item: Any) -> RuleResult:
    if not item.result:
        reason = crash_message(_error_name(item.exception_info))
        return result_of(contract, rule, business_date, ERROR, message=reason)
    if rule.check == "rowCount":
        return _whole_table(contract, rule, business_date, int(item.result["observed_value"]), 0)
    if rule.check == "nullValues":
        failed, total = item.result["unexpected_count"], item.result["element_count"]
    else:
        failed, total = item.result["observed_value"], item.result["details"]["total"]
        if rule.check == "sql" and (tolerance.wants_more(rule.options) or failed is None):
            return _whole_table(contract, rule, business_date, failed, total)
    if total == 0:
        return result_of(contract, rule, business_date, NOT_APPLICABLE)
    status = PASS if tolerance.accepts(rule.options, failed, total) else FAIL
    return result_of(contract, rule, business_date, status, (int(failed), total))


def _whole_table(
    contract: Contract, rule: Rule, business_date: date, measured: float | None, total: int
) -> RuleResult:
    """One verdict on the table: one thing judged, which holds or not."""
    if measured is None:
        return result_of(contract, rule, business_date, NOT_APPLICABLE)
    holds = tolerance.accepts(rule.options, measured, total)
    return result_of(contract, rule, business_date, PASS if holds else FAIL, (int(not holds), 1))


def _error_name(exception_info: Mapping[str, Any]) -> str:
    """The kind of error alone: its text may quote a value."""
    whole = "raised_exception" in exception_info
    for detail in [exception_info] if whole else exception_info.values():
        found = _ERROR_NAME.search(str(detail.get("exception_message")))
        if found:
            return found.group(1)
    return "MetricError"
