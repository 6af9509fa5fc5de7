"""One night from the command line: the same job that the UI and the schedule run.

Belongs here: starting the job in this process, and what a person wants to know afterwards.
Does not belong here: printing (`cli`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date

import duckdb

from pipelines import last_build, standing
from pipelines.home import Home
from pipelines.ingest.arrive import Waiting, arrivals, waiting
from pipelines.progress import Progress
from pipelines.replies import is_reply
from pipelines.resources import City
from pipelines.warehouse import open_warehouse
from quality.catalogue import Catalogue

_DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    max_concurrent_runs: 1
storage:
  custom:
    module: pipelines.dagster_storage
    class: KeptSqliteStorage
    config:
      base_dir:
        env: DAGSTER_HOME
"""


@dataclass(frozen=True)
class Department:
    """A department's line in the closing summary."""

    department: str
    name: str
    deliveries: int
    rows_read: int
    rows_quarantined: int
    score: float | None
    open_orders: int


@dataclass(frozen=True)
class Trouble:
    """Something that the exit code reports: a refused, missing or unreadable delivery."""

    name: str
    rule: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """How a night ended."""

    business_date: date
    succeeded: bool
    failed_steps: tuple[str, ...]
    error: str | None
    departments: tuple[Department, ...]
    city_score: float | None
    city_grade: str | None
    troubles: tuple[Trouble, ...]
    unclaimed: tuple[str, ...]
    """Files in landing that belong to no contract."""
    waiting: tuple[Waiting, ...]
    """Files in landing that a later night will take up."""
    run_id: str

    @property
    def exit_code(self) -> int:
        """0 where all is well, 1 where a stage or a delivery failed."""
        return 0 if self.succeeded and not self.troubles else 1


def newest_business_date(home: Home, catalogue: Catalogue) -> date | None:
    """The newest date that any delivery of a known dataset carries; None without deliveries."""
    known = frozenset(catalogue.names)
    waiting = [
        arrival.business_date
        for arrival in arrivals(home.landing, known)
        if arrival.business_date and arrival.name in known
    ]
    taken = [
        date.fromisoformat(path.parent.name.removeprefix("business_date="))
        for path in home.raw.glob("*/*/business_date=*/*.json")
    ]
    return max([*waiting, *taken], default=None)


def prepare_dagster(home: Home) -> None:
    """Make DAGSTER_HOME usable: no telemetry, no newsletter to sign up for, one run at a time."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    settings = home.dagster / "dagster.yaml"
    if not settings.exists():
        settings.write_text(_DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["YISHU_HOME"] = str(home.root)


def run_night(
    home: Home,
    catalogue: Catalogue,
    business_date: date,
    progress: Progress,
    *,
    rebuild: bool = False,
) -> Summary:
    """Run one night to its end; failures are in the summary, not raised.

    With `rebuild`, what stands is built again from the deliveries, every row of it.
    """
    prepare_dagster(home)
    import dagster as dg

    from pipelines.assets.raw import STAGE
    from pipelines.definitions import build_defs
    from pipelines.jobs import NIGHTLY

    city = City(home.create(), catalogue, progress)
    if rebuild:
        with city.exclusive():
            standing.begin(home, standing.WAREHOUSE)
            last_build.begin(home)  # so that the models do not go on from it
    job = build_defs(city).resolve_job_def(NIGHTLY)
    progress.stage(STAGE, len(catalogue.names) + 2)  # and the replies and the ledger
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            partition_key=business_date.isoformat(),
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags={"yishu/started_by": "command line"},
        )
        failed = tuple(
            str(event.step_key or "run") for event in result.all_events if event.is_failure
        )
        errors = [_error_text(event) for event in result.all_events if event.is_failure]
    return _summary(city, business_date, result.success, failed, errors, result.run_id)


def _error_text(event: object) -> str:
    data = getattr(event, "event_specific_data", None)
    failure = getattr(data, "user_failure_data", None)
    if failure is not None and failure.description:
        return str(failure.description)
    error = getattr(data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    return str(error.message).strip().splitlines()[0] if error else ""


def _summary(
    city: City,
    business_date: date,
    succeeded: bool,
    failed: tuple[str, ...],
    errors: list[str],
    run_id: str,
) -> Summary:
    departments: tuple[Department, ...] = ()
    score: tuple[float | None, str | None] = (None, None)
    troubles: tuple[Trouble, ...] = ()
    if city.home.warehouse.exists():
        with open_warehouse(city.home) as connection:
            tables = {
                f"{schema}.{name}"
                for schema, name in connection.execute(
                    "select schema_name, table_name from duckdb_tables()"
                ).fetchall()
            }
            if {"meta.delivery", "quality.work_order", "quality.city_score"} <= tables:
                departments = _departments(connection, city.catalogue, business_date)
                score = connection.execute(
                    "select score, grade from quality.city_score "
                    "where business_date = ? and dimension = 'overall'",
                    [business_date],
                ).fetchone() or (None, None)
                troubles = _troubles(connection, business_date)
    left = arrivals(city.home.landing, frozenset(city.catalogue.names))
    names = frozenset(city.catalogue.names)
    known = [arrival for arrival in left if arrival.name in names or is_reply(arrival.path)]
    unclaimed = tuple(arrival.path.name for arrival in left if arrival not in known)
    return Summary(
        business_date=business_date,
        succeeded=succeeded,
        failed_steps=failed,
        error=next((text for text in errors if text), None),
        departments=departments,
        city_score=score[0],
        city_grade=score[1],
        troubles=troubles,
        unclaimed=unclaimed,
        waiting=waiting(known, business_date),
        run_id=run_id,
    )


def _departments(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, business_date: date
) -> tuple[Department, ...]:
    rows = connection.execute(
        """
        with deliveries as (
            select department, count(*) as deliveries, sum(rows_read)::bigint as rows_read,
                sum(rows_quarantined)::bigint as rows_quarantined
            from meta.delivery where night = $night group by department
        ), orders as (
            select department, count(*) as orders from quality.work_order
            where state = 'open' group by department
        ), scores as (
            select department, score from quality.department_score
            where business_date = $night and dimension = 'overall'
        )
        select department, coalesce(deliveries, 0), coalesce(rows_read, 0),
            coalesce(rows_quarantined, 0), score, coalesce(orders, 0)
        from deliveries full join orders using (department) full join scores using (department)
        order by department
        """,
        {"night": business_date},
    ).fetchall()
    names = catalogue.departments
    return tuple(Department(row[0], names.get(row[0], row[0]), *row[1:]) for row in rows)


def _troubles(connection: duckdb.DuckDBPyConnection, business_date: date) -> tuple[Trouble, ...]:
    """Warnings, such as a new column, are in the work orders; they are no trouble of the night."""
    rows = connection.execute(
        """
        select department || '/' || dataset, rule_id, message
        from quality.rule_result
        where business_date = ? and engine = 'ledger' and severity = 'error'
            and status in ('fail', 'error')
        order by all
        """,
        [business_date],
    ).fetchall()
    stale = connection.execute(
        "select department || '/' || dataset, 'reload_needed', reason from meta.reload_needed "
        "order by all"
    ).fetchall()
    return tuple(Trouble(*row) for row in (*rows, *stale))
