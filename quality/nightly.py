"""The quality part of a night, in the steps that the orchestrator calls.

Belongs here: opening and closing the warehouse, and the order of the steps.
Does not belong here: what a step does; Dagster.

Each function takes the path of the warehouse, opens it and lets go of it: Great Expectations
opens the same file through its own engine, and DuckDB refuses a second opening with other
settings. `settings` are DuckDB's (`memory_limit`, `threads`, `temp_directory`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from quality.campaigns import DEFAULT_PLANS, CampaignProgress, measure_all, read_plans
from quality.carried_findings import note_base
from quality.catalogue import Catalogue
from quality.causes import Fault, causes_of, write_causes
from quality.contract import Contract
from quality.dataset_judgement import judge_dataset
from quality.defects import open_defect_table
from quality.disagreements import keep_disagreements
from quality.expected_checks import write_expected
from quality.feedback.beside import BesideWriter
from quality.feedback.bulletin import read_bulletin
from quality.feedback.contents import Contents, read_contents
from quality.feedback.history import OrderMonth, read_months, read_trend, score_before
from quality.feedback.listing import write_listing
from quality.feedback.reply_sheet import write_decisions
from quality.feedback.site import PageHistory, write_bulletin, write_department_page
from quality.feedback.workbook import workbook_name
from quality.relation_findings import find_relations
from quality.results import (
    NOT_APPLICABLE,
    RuleResult,
    complete,
    read_rule_results,
    write_rule_results,
)
from quality.row_results import promises_nothing, sample_keys
from quality.score_tables import write_scores
from quality.scoring import Scores, score_night
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

    with _opened(warehouse, settings) as connection:
        found = find_relations(connection, catalogue.contracts)
        keep_disagreements(connection, found.carried_on)
        note_base(connection)
    relations = run_relation_rules(
        warehouse, catalogue.contracts, business_date, settings, found.looked_at
    )
    with _opened(warehouse, settings) as connection:
        open_defect_table(connection, catalogue.contracts)
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


@dataclass(frozen=True)
class FeedbackSummary:
    """What went home to one department."""

    path: Path
    """The workbook."""
    page: Path
    listing: Path | None
    """The places of all open defect rows, where the workbook holds too few."""
    open_orders: int
    new_orders: int
    closed_orders: int
    defects: int
    """All open defect rows of the open orders, listed or not."""
    score: float | None
    """The department's overall score; `None` where nothing was assessed."""


def send_home(
    warehouse: Path,
    catalogue: Catalogue,
    department: str,
    business_date: date,
    outbox: Path,
    *,
    settings: Settings = None,
) -> FeedbackSummary:
    """Write one department's workbook and page to `outbox/<department>/`.

    Raises:
        KeyError: the catalogue has no such department.
    """
    sent = send_all_home(
        warehouse, catalogue, [department], business_date, outbox, settings=settings
    )
    return dict(sent)[department]


def send_all_home(
    warehouse: Path,
    catalogue: Catalogue,
    departments: Sequence[str],
    business_date: date,
    outbox: Path,
    *,
    settings: Settings = None,
) -> Iterator[tuple[str, FeedbackSummary]]:
    """Write each department's workbook and page to `outbox/<department>/`, in their order; and a
    list of all defect rows where the workbook holds too few.

    Raises:
        KeyError: the catalogue has no such department.
    """
    begun: list[tuple[Contents, Callable[[], Path], Path, Path | None]] = []
    with BesideWriter(read_policy(), alone=len(departments) < 2) as writer:
        with _opened(warehouse, settings) as connection:
            for department in departments:
                contents = read_contents(connection, catalogue, department, business_date)
                folder = outbox / department
                listing = write_listing(connection, catalogue, contents, folder)
                history = PageHistory(
                    read_trend(connection, business_date, department),
                    read_months(connection, business_date).get(department, OrderMonth()),
                    score_before(connection, business_date).get(department, {}),
                )
                page = write_department_page(
                    contents, history, folder, workbook_name(business_date), listing
                )
                workbook = writer.write(contents, folder)
                begun.append((_without_lines(contents), workbook, page, listing))
        for contents, workbook, page, listing in begun:
            yield contents.department, _summary(contents, workbook(), page, listing)


def _summary(
    contents: Contents, workbook: Path, page: Path, listing: Path | None
) -> FeedbackSummary:
    return FeedbackSummary(
        path=workbook,
        page=page,
        listing=listing,
        open_orders=len(contents.open_orders),
        new_orders=contents.new,
        closed_orders=len(contents.orders) - len(contents.open_orders),
        defects=sum(contents.found.values()),
        score=contents.own.overall if contents.own else None,
    )


def _without_lines(contents: Contents) -> Contents:
    """Without the thousands of lines, which are not to wait for the other workbooks."""
    return replace(contents, defects=())


def run_campaigns(
    warehouse: Path,
    catalogue: Catalogue,
    business_date: date,
    plans: Path = DEFAULT_PLANS,
    *,
    settings: Settings = None,
) -> tuple[list[CampaignProgress], tuple[str, ...]]:
    """Measure every campaign and write `quality.campaign_progress`; also what is wrong with plans.

    Needs the night's scores and orders.
    """
    read = read_plans(plans, catalogue.names)
    with _opened(warehouse, settings) as connection:
        return measure_all(connection, read.campaigns, business_date, read_weights()), read.problems


def publish_bulletin(
    warehouse: Path,
    catalogue: Catalogue,
    business_date: date,
    folder: Path,
    *,
    settings: Settings = None,
) -> Path:
    """Write the month's bulletin, as of the night, into the folder."""
    with _opened(warehouse, settings) as connection:
        bulletin = read_bulletin(connection, catalogue, business_date, read_policy())
    return write_bulletin(bulletin, folder)


def send_decisions(
    warehouse: Path,
    catalogue: Catalogue,
    arbiter: str,
    business_date: date,
    outbox: Path,
    *,
    settings: Settings = None,
) -> Path | None:
    """Write the disputes that wait for a decision to `outbox/<arbiter>/`; None without any."""
    with _opened(warehouse, settings) as connection:
        return write_decisions(
            connection, catalogue, business_date, outbox / arbiter, read_policy()
        )


def _opened(warehouse: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    """Never read-only: the night may hold the file open, and DuckDB wants the same settings."""
    connection = duckdb.connect(str(warehouse), config=dict(settings or {}))
    # What a step writes goes into the file once, at its end: each time takes as long.
    connection.execute("set checkpoint_threshold = '1GB'")
    return connection


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
