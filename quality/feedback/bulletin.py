"""What the city's monthly bulletin says, read from the warehouse.

Belongs here: scores, ranks, overdue orders and campaigns of the whole city, as of one night.
Does not belong here: how it looks (`site`); a department's own page (`contents`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from quality.campaigns import CampaignProgress, read_progress
from quality.catalogue import Catalogue
from quality.contract import DIMENSIONS
from quality.feedback.history import (
    OrderMonth,
    TrendPoint,
    read_months,
    read_trend,
    score_before,
)
from quality.indicators import read_indicators
from quality.scoring import OVERALL
from quality.work_orders import Policy, WorkOrder, read_orders


@dataclass(frozen=True)
class DepartmentRank:
    """One line of the ranking."""

    rank: int | None
    """1 is best; departments whose scores read the same share a rank; None without a score."""
    department: str
    name: str
    score: float | None
    grade: str | None
    coverage: float
    change: float | None
    """Against the last night of the month before."""
    open_orders: int
    overdue: int
    month: OrderMonth


@dataclass(frozen=True)
class DatasetLine:
    """One dataset's scores: dimension → score."""

    department_name: str
    title: str
    overall: float | None
    grade: str | None
    coverage: float
    scores: dict[str, float | None]


@dataclass(frozen=True)
class IndicatorLine:
    """One sub-indicator of GB/T 36344 over the whole city."""

    code: str
    name: str
    dimension: str
    counts: str
    score: float | None
    """Mean of its datasets' scores."""
    datasets: int
    """How many were assessed."""
    failed: int
    total: int


@dataclass(frozen=True)
class OverdueLine:
    """One order past its due date."""

    order: WorkOrder
    department_name: str
    dataset_title: str
    days: int
    """Working days past the due date."""


@dataclass(frozen=True)
class Bulletin:
    """The city on one night, and its month so far."""

    business_date: date
    score: float | None
    grade: str | None
    coverage: float
    change: float | None
    dimensions: dict[str, float | None]
    dimensions_before: dict[str, float | None]
    trend: tuple[TrendPoint, ...]
    ranks: tuple[DepartmentRank, ...]
    datasets: tuple[DatasetLine, ...]
    indicators: tuple[IndicatorLine, ...]
    overdue: tuple[OverdueLine, ...]
    campaigns: tuple[CampaignProgress, ...]
    month: OrderMonth
    phases: dict[str, int]
    """Phase → open orders in it."""

    @property
    def open_orders(self) -> int:
        """All that stand."""
        return sum(self.phases.values())


def read_bulletin(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    business_date: date,
    policy: Policy,
) -> Bulletin:
    """Read the city's month; needs the tables that `quality.nightly` writes."""
    before = score_before(connection, business_date)
    months = read_months(connection, business_date)
    orders = read_orders(connection, "state = 'open' order by due_on, order_id", [])
    city = {
        dimension: (score, coverage, grade)
        for dimension, score, coverage, grade in connection.execute(
            "select dimension, score, coverage, grade from quality.city_score "
            "where business_date = ?",
            [business_date],
        ).fetchall()
    }
    score, coverage, grade = city.get(OVERALL, (None, 0.0, None))
    phases: dict[str, int] = {}
    for order in orders:
        phases[order.phase] = phases.get(order.phase, 0) + 1
    return Bulletin(
        business_date=business_date,
        score=score,
        grade=grade,
        coverage=coverage,
        change=_change(score, before.get("", {}).get(OVERALL)),
        dimensions={name: city.get(name, (None,))[0] for name in DIMENSIONS},
        dimensions_before={name: before.get("", {}).get(name) for name in DIMENSIONS},
        trend=read_trend(connection, business_date),
        ranks=_ranks(connection, catalogue, business_date, before, months, orders),
        datasets=_datasets(connection, catalogue, business_date),
        indicators=_indicators(connection, business_date),
        overdue=_overdue(catalogue, business_date, policy, orders),
        campaigns=tuple(read_progress(connection, business_date)),
        month=OrderMonth(
            sum(month.opened for month in months.values()),
            sum(month.closed for month in months.values()),
            sum(month.closed_in_time for month in months.values()),
        ),
        phases=phases,
    )


def _change(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _ranks(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    business_date: date,
    before: dict[str, dict[str, float]],
    months: dict[str, OrderMonth],
    orders: list[WorkOrder],
) -> tuple[DepartmentRank, ...]:
    rows = connection.execute(
        """
        select if(score is null, null,
            rank() over (order by floor(score * 100 + 1e-6) desc nulls last)),
            department, score, grade, coverage
        from quality.department_score where business_date = ? and dimension = 'overall'
        order by score desc nulls last, department
        """,
        [business_date],
    ).fetchall()
    return tuple(
        DepartmentRank(
            rank=rank,
            department=department,
            name=catalogue.departments.get(department, department),
            score=score,
            grade=grade,
            coverage=coverage,
            change=_change(score, before.get(department, {}).get(OVERALL)),
            open_orders=sum(order.department == department for order in orders),
            overdue=sum(o.department == department and o.is_overdue for o in orders),
            month=months.get(department, OrderMonth()),
        )
        for rank, department, score, grade, coverage in rows
    )


def _datasets(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, business_date: date
) -> tuple[DatasetLine, ...]:
    rows = connection.execute(
        "select department, dataset, dimension, score, coverage, grade "
        "from quality.dataset_score where business_date = ? order by department, dataset",
        [business_date],
    ).fetchall()
    found: dict[tuple[str, str], dict[str, tuple[float | None, float, str | None]]] = {}
    for department, dataset, dimension, *values in rows:
        found.setdefault((department, dataset), {})[dimension] = (values[0], values[1], values[2])
    lines = []
    for (department, dataset), scores in found.items():
        contract = catalogue.by_name.get(f"{department}/{dataset}")
        overall, coverage, grade = scores[OVERALL]
        lines.append(
            DatasetLine(
                catalogue.departments.get(department, department),
                contract.title if contract else dataset,
                overall,
                grade,
                coverage,
                {name: scores[name][0] for name in DIMENSIONS},
            )
        )
    return tuple(lines)


def _indicators(
    connection: duckdb.DuckDBPyConnection, business_date: date
) -> tuple[IndicatorLine, ...]:
    rows = connection.execute(
        "select indicator, avg(score), count(score), sum(failed)::bigint, sum(total)::bigint "
        "from quality.indicator_score where business_date = ? group by indicator",
        [business_date],
    ).fetchall()
    found = {code: values for code, *values in rows}
    return tuple(
        IndicatorLine(
            code, item.name, item.dimension, item.counts, *found.get(code, (None, 0, 0, 0))
        )
        for code, item in read_indicators().items()
    )


def _overdue(
    catalogue: Catalogue, business_date: date, policy: Policy, orders: list[WorkOrder]
) -> tuple[OverdueLine, ...]:
    lines = []
    for order in orders:
        if order.is_overdue:
            contract = catalogue.by_name.get(f"{order.department}/{order.dataset}")
            lines.append(
                OverdueLine(
                    order,
                    catalogue.departments.get(order.department, order.department),
                    contract.title if contract else order.dataset,
                    policy.calendar.between(order.due_on, business_date),
                )
            )
    return tuple(sorted(lines, key=lambda line: (-line.order.level, -line.days)))
