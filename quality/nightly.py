"""The quality part of a night, in the four steps that the orchestrator calls.

Belongs here: opening and closing the warehouse, and the order of the steps.
Does not belong here: what a step does; Dagster.

Each function takes the path of the warehouse, opens it and lets go of it: Great Expectations
opens the same file through its own engine, and DuckDB refuses a second opening with other
settings. `settings` are DuckDB's (`memory_limit`, `threads`, `temp_directory`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from quality.catalogue import Catalogue
from quality.causes import Fault, causes_of, write_causes
from quality.contract import Contract
from quality.dataset_judgement import judge_dataset
from quality.defects import open_defect_table
from quality.disagreements import open_disagreement_table
from quality.expected_checks import write_expected
from quality.feedback.workbook import FeedbackSummary, write_workbook
from quality.results import (
    NOT_APPLICABLE,
    RuleResult,
    complete,
    read_rule_results,
    write_rule_results,
)
from quality.row_results import promises_nothing, sample_keys
from quality.scoring import Scores, score_night, write_scores
from quality.weights import Weights, read_weights
from quality.work_orders import (
    Orders,
    Policy,
    derive_orders,
    read_history,
    read_policy,
    write_orders,
)

Settings = Mapping[str, str] | None


def judge(
    warehouse: Path,
    catalogue: Catalogue,
    business_date: date,
    extra_results: Iterable[RuleResult] = (),
    *,
    settings: Settings = None,
) -> list[RuleResult]:
    """Judge relations, rows and deliveries; write `quality.defect`, `rule_result` and `cause`.

    Needs the schemas `meta`, `raw`, `quarantine` and `staging` as of the business date.
    `extra_results` (the door, dbt) are written with the others and win over them.
    """
    # Great Expectations takes seconds to import: only where it is needed.
    from quality.expectations.runner import run_relation_rules

    relations = run_relation_rules(warehouse, catalogue.contracts, business_date, settings)
    with _opened(warehouse, settings) as connection:
        open_defect_table(connection)
        open_disagreement_table(connection)
        judged: list[RuleResult] = []
        faults: list[Fault] = []
        for contract in catalogue.contracts:
            own = [r for r in relations if (r.department, r.dataset) == _place(contract)]
            if promises_nothing(connection, contract):
                own = [replace(r, status=NOT_APPLICABLE, failed=0, total=0) for r in own]
            judged += own
            judgement = judge_dataset(connection, catalogue, contract, business_date, own)
            judged += judgement.results
            faults += judgement.faults
        samples = _samples(connection, catalogue)
        results = [
            replace(result, sample_keys=samples.get(result.identity[:3], result.sample_keys))
            for result in complete(catalogue, business_date, judged, extra_results)
        ]
        write_expected(connection, business_date, catalogue)
        write_rule_results(connection, business_date, results)
        write_causes(connection, business_date, causes_of(results, faults))
    return results


def score(
    warehouse: Path,
    business_date: date,
    weights: Weights | None = None,
    *,
    settings: Settings = None,
) -> Scores:
    """Score the night's results; write `quality.dataset_score` and its sums."""
    with _opened(warehouse, settings) as connection:
        history = read_rule_results(connection, business_date, since=business_date)
        scores = score_night(business_date, history, weights or read_weights())
        write_scores(connection, business_date, scores)
    return scores


def order(
    warehouse: Path,
    business_date: date,
    catalogue: Catalogue | None = None,
    policy: Policy | None = None,
    *,
    settings: Settings = None,
) -> Orders:
    """Derive the work orders from all nights up to the date; rewrite `quality.work_order`,
    `quality.work_order_event` and `quality.reply`. The catalogue names the owners."""
    contracts = catalogue.contracts if catalogue else ()
    owners = {_place(contract): contract.owner for contract in contracts}
    with _opened(warehouse, settings) as connection:
        history = read_history(connection, business_date)
        derived = derive_orders(history, policy or read_policy(), owners)
        write_orders(connection, derived)
    return derived


def send_home(
    warehouse: Path,
    catalogue: Catalogue,
    department: str,
    business_date: date,
    outbox: Path,
    *,
    settings: Settings = None,
) -> FeedbackSummary:
    """Write one department's workbook to `outbox/<department>/`."""
    with _opened(warehouse, settings, read_only=True) as connection:
        return write_workbook(connection, catalogue, department, business_date, outbox / department)


def _opened(
    warehouse: Path, settings: Settings, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(warehouse), read_only=read_only, config=dict(settings or {}))


def _place(contract: Contract) -> tuple[str, str]:
    return contract.department, contract.dataset


def _samples(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue
) -> dict[tuple[str, str, str], tuple[str, ...]]:
    failing = connection.execute(
        "select distinct department, dataset from quality.defect where is_open"
    ).fetchall()
    return {
        (contract.department, contract.dataset, rule_id): keys
        for contract in catalogue.contracts
        if _place(contract) in failing
        for rule_id, keys in sample_keys(connection, contract).items()
    }
