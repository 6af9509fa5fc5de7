"""One dataset's judgement on one night: its results, and the faults behind them.

Belongs here: the order of the steps for one dataset, and that its unreadable files stop no other.
Does not belong here: the steps; the datasets together (`nightly`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from quality.anomaly_results import anomaly_results, find_anomalies, rows_in_force
from quality.catalogue import Catalogue
from quality.causes import Fault
from quality.contract import Contract
from quality.defects import build_defects, drop_defects
from quality.delivery_counts import count_deliveries
from quality.disagreements import build_disagreements, drop_disagreements
from quality.fault_evidence import Evidence, gather
from quality.faults import recognise
from quality.ledger import read_ledger
from quality.results import ERROR, RuleResult, crash_message, result_of
from quality.row_results import ledger_results, row_results

_FAMILIES = ("row", "anomaly")
"""The rules that need the dataset's tables and are judged here."""


@dataclass(frozen=True)
class Judgement:
    """What was found of one dataset."""

    results: tuple[RuleResult, ...]
    """Of the rules on rows, deliveries and anomalies; without its tables of deliveries alone."""
    faults: tuple[Fault, ...] = ()


def judge_dataset(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    contract: Contract,
    business_date: date,
    relations: Sequence[RuleResult],
) -> Judgement:
    """Judge one dataset, whose relation rules were judged before.

    Writes its part of `quality.defect`, `quality.disagreement` and `quality.profile`.
    """
    if not _has_tables(connection, contract):
        _drop_findings(connection, contract)
        ledger = read_ledger(connection, contract)
        faults = recognise(Evidence(contract, ledger))
        return Judgement(tuple(ledger_results(ledger, contract, business_date)), tuple(faults))
    connection.begin()
    try:
        found = _judge(connection, catalogue, contract, business_date, relations)
        connection.commit()
        return found
    except duckdb.Error as error:  # one dataset's unreadable files must not stop the others
        connection.rollback()
        _drop_findings(connection, contract)
        reason = crash_message(type(error).__name__)
    crashed = [
        result_of(contract, rule, business_date, ERROR, message=reason)
        for family in _FAMILIES
        for rule in contract.rules_of(family)
    ]
    ledger = read_ledger(connection, contract)
    return Judgement((*crashed, *ledger_results(ledger, contract, business_date)))


def _judge(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    contract: Contract,
    business_date: date,
    relations: Sequence[RuleResult],
) -> Judgement:
    count_deliveries(connection, contract)
    in_force = build_defects(connection, contract, relations)
    build_disagreements(connection, contract, catalogue.contracts, relations)
    standing = rows_in_force(connection, contract)
    ledger = read_ledger(connection, contract)
    anomalies = find_anomalies(connection, contract, standing)
    results = [
        *row_results(connection, contract, business_date, in_force),
        *ledger_results(ledger, contract, business_date),
        *anomaly_results(contract, business_date, anomalies),
    ]
    return Judgement(
        tuple(results), tuple(recognise(gather(connection, contract, ledger, anomalies)))
    )


def _drop_findings(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Nothing is known of a dataset that cannot be judged: last night's findings may be gone."""
    drop_defects(connection, contract)
    drop_disagreements(connection, contract)


def _has_tables(connection: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    found = connection.execute(
        "select count(*) from information_schema.tables where (table_schema, table_name) in "
        "(('raw', $table), ('quarantine', $table), ('staging', $staging))",
        {"table": contract.table, "staging": contract.staging_model},
    ).fetchone()
    return found == (3,)
