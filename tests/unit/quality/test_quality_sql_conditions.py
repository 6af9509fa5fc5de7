"""A condition is let pass only if it can say nothing else of the same two rows on another night."""

from __future__ import annotations

import duckdb
import pytest

from quality.sql_conditions import columns_of


@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        ("true", set()),
        ("there.state = '在营'", {("there", "state")}),
        (
            "there.state in ('a', 'b') or strftime(there.ended, '%Y-%m') >= here.month",
            {("there", "state"), ("there", "ended"), ("here", "month")},
        ),
        ("here.since::date > date '2020-01-01'", {("here", "since")}),
        (
            "case when here.a is null then there.b like 'x%' else not here.c end",
            {("here", "a"), ("there", "b"), ("here", "c")},
        ),
        ("here.a between 1 and there.b + 2", {("here", "a"), ("there", "b")}),
    ],
)
def test_columns_of_plain_conditions(condition: str, columns: set[tuple[str, str]]) -> None:
    with duckdb.connect() as connection:
        assert columns_of(connection, condition) == columns


@pytest.mark.parametrize(
    "condition",
    [
        "here.until > current_date",
        "here.until > today()",
        "here.until > now()",
        "age(here.born) > interval 18 year",  # of one date it counts up to today
        "random() < 0.5",
        "here.a in (select b from other)",
        "exists (select 1)",
        "a = 1",  # of either row
        "here.* is not null",
        "here is not null",
        "here.a.b = 1",
        "here.a = 1) or (random() < 1",
        "list_has(here.a, 1)",
        "here.since::timestamptz > there.since",
        "here.a, there.b",
        "sum(here.a) over () > 1",
        "here.a =",
    ],
)
def test_conditions_that_may_hang_on_anything_else(condition: str) -> None:
    with duckdb.connect() as connection:
        assert columns_of(connection, condition) is None
