"""Rows and holes of the warehouse: a night leaves holes, and closes them once they are many."""

from __future__ import annotations

import pytest

from pipelines import table_rows
from pipelines.home import Home
from pipelines.table_rows import MOST_HOLES, TableRows
from pipelines.warehouse import open_warehouse

ROWS = 500_000
GROUPS_OF_ROWS = "select count(distinct row_group_id) from pragma_storage_info('numbers')"


@pytest.fixture
def numbers(home: Home) -> Home:
    """A warehouse with one table of some groups of rows, and an empty one."""
    with open_warehouse(home) as connection:
        connection.execute(f"create table numbers as select range as n from range({ROWS})")
        connection.execute("create schema other; create table other.nothing (n integer)")
    return home


def take_away(home: Home, share: float) -> int:
    """Delete a share of all rows, spread over the table; how many are left."""
    with open_warehouse(home) as connection:
        connection.execute(f"delete from numbers where n % 100 < {share * 100}")
        return table_rows.count_rows(connection)[0].rows


def count(home: Home) -> TableRows:
    with open_warehouse(home) as connection:
        return table_rows.count_rows(connection)[0]


def test_a_night_leaves_holes_and_counts_rows_without_them(numbers: Home) -> None:
    left = take_away(numbers, 0.4)
    assert left == ROWS * 0.6
    with open_warehouse(numbers) as connection:
        connection.execute("insert into numbers values (1)")  # another night, another checkpoint
    assert count(numbers) == TableRows("main", "numbers", left + 1, ROWS + 1)


def test_every_table_is_counted_and_no_view(numbers: Home) -> None:
    with open_warehouse(numbers) as connection:
        connection.execute(
            "create view seen as from numbers; create temp table passing as select 1"
        )
        assert table_rows.count_rows(connection) == [
            TableRows("main", "numbers", ROWS, ROWS),
            TableRows("other", "nothing", 0, 0),
        ]


def test_an_empty_warehouse_has_no_tables_and_no_holes(home: Home) -> None:
    with open_warehouse(home) as connection:
        assert table_rows.count_rows(connection) == []
        assert not table_rows.close_holes(connection, table_rows.count_rows(connection))


def test_few_holes_stay(numbers: Home) -> None:
    left = take_away(numbers, MOST_HOLES - 0.01)
    with open_warehouse(numbers) as connection:
        connection.execute("insert into other.nothing values (1)")
        assert not table_rows.close_holes(connection, table_rows.count_rows(connection))
    assert count(numbers) == TableRows("main", "numbers", left, ROWS)


def test_many_holes_are_closed_and_every_row_stays(numbers: Home) -> None:
    left = take_away(numbers, 0.4)
    with open_warehouse(numbers) as connection:
        before = connection.execute(GROUPS_OF_ROWS).fetchone()
        connection.execute("insert into other.nothing values (1)")
        assert table_rows.close_holes(connection, table_rows.count_rows(connection))
    found = count(numbers)
    assert found.rows == left
    assert found.places < ROWS * 0.75
    with open_warehouse(numbers) as connection:
        assert connection.execute(GROUPS_OF_ROWS).fetchone() < before
        assert connection.execute("select sum(n) from numbers").fetchone() == (
            sum(n for n in range(ROWS) if n % 100 >= 40),
        )
        assert connection.execute("select current_setting('max_vacuum_tasks')").fetchone() == (0,)
