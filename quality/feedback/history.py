"""What the pages tell of the nights before: trends, last month, orders opened and closed.

Belongs here: reading them from the warehouse. Does not belong here: tonight's own figures
(`contents`, `bulletin`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

TREND_DAYS = 90
"""How far back a trend goes."""


@dataclass(frozen=True)
class TrendPoint:
    """One night of a trend."""

    night: date
    city: float | None
    department: float | None
    """`None` on the city's own trend."""
    opened: int
    """Orders opened or reopened on that night, of the department or of the city."""
    closed: int


@dataclass(frozen=True)
class OrderMonth:
    """What became of the orders of a department, or of the city, from a month's first day on."""

    opened: int = 0
    closed: int = 0
    closed_in_time: int = 0

    @property
    def in_time_share(self) -> float | None:
        """Share of the closed orders that were closed by their due date; None without any."""
        return self.closed_in_time / self.closed if self.closed else None


def read_trend(
    connection: duckdb.DuckDBPyConnection, business_date: date, department: str | None = None
) -> tuple[TrendPoint, ...]:
    """The nights of the last `TREND_DAYS` days, oldest first."""
    rows = connection.execute(
        """
        with nights as (
            select city.business_date, any_value(city.score) as city,
                any_value(own.score) as department
            from quality.city_score as city
            left join quality.department_score as own
                on own.business_date = city.business_date and own.dimension = 'overall'
                and own.department = $department
            where city.dimension = 'overall'
                and city.business_date > $since and city.business_date <= $night
            group by city.business_date
        ),
        events as (
            select event.business_date,
                count(*) filter (where event.event in ('opened', 'reopened')) as opened,
                count(*) filter (where event.event = 'closed') as closed
            from quality.work_order_event as event
            inner join quality.work_order as own using (order_id)
            where $department is null or own.department = $department
            group by event.business_date
        )
        select business_date, nights.city, nights.department, coalesce(events.opened, 0),
            coalesce(events.closed, 0)
        from nights left join events using (business_date)
        order by business_date
        """,
        {
            "department": department,
            "since": business_date - timedelta(days=TREND_DAYS),
            "night": business_date,
        },
    ).fetchall()
    return tuple(TrendPoint(*row) for row in rows)


def read_months(
    connection: duckdb.DuckDBPyConnection, business_date: date
) -> dict[str, OrderMonth]:
    """Department → its orders since the first of the month; a department without any is not in."""
    rows = connection.execute(
        """
        select own.department,
            count(*) filter (where event.event in ('opened', 'reopened')),
            count(*) filter (where event.event = 'closed'),
            count(*) filter (
                where event.event = 'closed' and event.business_date <= own.due_on
            )
        from quality.work_order_event as event
        inner join quality.work_order as own using (order_id)
        where event.business_date >= $first and event.business_date <= $night
        group by own.department
        """,
        {"first": business_date.replace(day=1), "night": business_date},
    ).fetchall()
    return {department: OrderMonth(*counts) for department, *counts in rows}


def score_before(
    connection: duckdb.DuckDBPyConnection, business_date: date
) -> dict[str, dict[str, float]]:
    """Department (`""` for the city) → dimension → score on the last night of an earlier month."""
    first = business_date.replace(day=1)
    rows = connection.execute(
        """
        with scores as (
            select business_date, '' as department, dimension, score from quality.city_score
            union all
            select business_date, department, dimension, score from quality.department_score
        )
        select department, dimension, score from scores
        where score is not null and business_date = (
            select max(business_date) from quality.city_score where business_date < $first
        )
        """,
        {"first": first},
    ).fetchall()
    found: dict[str, dict[str, float]] = {}
    for department, dimension, score in rows:
        found.setdefault(department, {})[dimension] = score
    return found
