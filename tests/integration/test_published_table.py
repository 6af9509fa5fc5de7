"""How a table follows: whatever was exchanged, it is the table that would be written anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import published_table
from pipelines.published_table import PublicationError, RowSum, TableWriter

Row = tuple[str | None, int | None]
MOBILE = "13812345678"

# Few values, so that rows are there more than once, and keys meet.
ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([1, 2, None])), max_size=12
)
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def compares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compares tables however small, and exchanges rows however many differ."""
    monkeypatch.setattr(published_table, "WORTH_COMPARING", 0)
    monkeypatch.setattr(published_table, "MOST_DIFFERENT", float("inf"))


def put(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    connection.execute("create schema if not exists mart; create schema if not exists source")
    connection.execute(f"create or replace table {table} (name varchar, amount integer)")
    if rows:
        connection.executemany(f"insert into {table} values (?, ?)", rows)


def written(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> RowSum:
    """`mart.t` written anew."""
    put(connection, "source.t", rows)
    return TableWriter(connection).write("mart.t", "from source.t", None)


def content(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f"from {table} order by all").fetchall()


@pytest.mark.usefixtures("compares")
@EXAMPLES
@given(before=ROWS, after=ROWS)
def test_exchanged_rows_give_the_table_and_the_sum_of_one_written_anew(
    connection: duckdb.DuckDBPyConnection, before: list[Row], after: list[Row]
) -> None:
    """Else two nights with the same rows would have two versions, or analysts lost or double
    rows: where a row is there more than once, its values alone do not tell what changed."""
    former = written(connection, before)
    put(connection, "source.t", after)
    found = TableWriter(connection).write("mart.t", "from source.t", former)
    assert content(connection, "mart.t") == content(connection, "source.t")
    assert found == written(connection, after)


@EXAMPLES
@given(before=ROWS, after=ROWS)
def test_replaced_keys_give_the_table_and_the_sum_of_one_written_anew(
    connection: duckdb.DuckDBPyConnection, before: list[Row], after: list[Row]
) -> None:
    """An empty key is a key as well: its rows would stand twice."""
    former = written(connection, before)
    put(connection, "source.t", after)
    names = {name for name, _ in {*before, *after}}
    put(connection, "source.changed", [(name, None) for name in names])
    found = TableWriter(connection).replace_keys(
        "mart.t", ["name"], "select name from source.changed", "from source.t", former
    )
    assert content(connection, "mart.t") == content(connection, "source.t")
    assert found == written(connection, after)


@pytest.mark.usefixtures("compares")
def test_rows_that_stand_are_not_written_again(connection: duckdb.DuckDBPyConnection) -> None:
    """A comparison that finds everything different would be right, and cost more than writing."""
    former = written(connection, [("a", 1), ("b", 2), ("c", 1)])
    places = dict(connection.execute("select name, rowid from mart.t").fetchall())
    put(connection, "source.t", [("c", 1), ("b", 1), ("a", 1)])
    TableWriter(connection).write("mart.t", "from source.t", former)
    now = dict(connection.execute("select name, rowid from mart.t").fetchall())
    assert (now["a"], now["c"]) == (places["a"], places["c"])
    assert now["b"] not in places.values()


@pytest.mark.parametrize(("changed", "stays"), [(1, True), (4, False)])
def test_a_table_in_which_much_differs_is_written_anew(
    connection: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    changed: int,
    stays: bool,
) -> None:
    """Exchanged night after night, it would be full of holes."""
    monkeypatch.setattr(published_table, "WORTH_COMPARING", 10)
    former = written(connection, [("x", amount) for amount in range(10)])
    put(connection, "source.t", [("y" if i < changed else "x", i) for i in range(10)][::-1])
    TableWriter(connection).write("mart.t", "from source.t", former)
    last = connection.execute("select rowid from mart.t where amount = 9").fetchone()
    assert last == (9 if stays else 0,)
    assert content(connection, "mart.t") == content(connection, "source.t")


@pytest.mark.usefixtures("compares")
def test_the_gate_looks_at_every_row_that_comes(connection: duckdb.DuckDBPyConnection) -> None:
    former = written(connection, [("a", 1), ("b", 2)])
    put(connection, "source.t", [("a", 1), (f"电话{MOBILE}", 2)])
    writer = TableWriter(connection)
    with pytest.raises(PublicationError, match=r"mart\.t\.name holds 1 text"):
        writer.write("mart.t", "from source.t", former)
    with pytest.raises(PublicationError, match=r"mart\.t\.name holds 1 text"):
        writer.replace_keys(
            "mart.t", ["name"], "select distinct name from source.t", "from source.t", former
        )


def test_rows_of_a_changed_key_that_stand_are_not_written_again(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """A person has a row of each department: one that changes is no reason to write all of them."""
    former = written(connection, [("a", 1), ("a", 2), ("b", 1)])
    put(connection, "source.t", [("a", 2), ("a", None)])
    put(connection, "source.changed", [("a", None)])
    TableWriter(connection).replace_keys(
        "mart.t", ["name"], "select name from source.changed", "from source.t", former
    )
    places = connection.execute("select rowid, name, amount from mart.t order by 1").fetchall()
    assert places == [(1, "a", 2), (2, "b", 1), (3, "a", None)]


def test_a_table_of_new_rows_is_not_compared(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the date stands in every row, a comparison of all of them would be for nothing."""
    monkeypatch.setattr(published_table, "WORTH_COMPARING", 0)
    monkeypatch.setattr(published_table, "_SAMPLED", 100)
    former = written(connection, [("a", 1), ("b", 1), ("c", 1)])
    put(connection, "source.t", [("a", 2), ("b", 2), ("c", 1)])
    monkeypatch.setattr(published_table, "MOST_DIFFERENT", 0.6)
    found = TableWriter(connection).write("mart.t", "from source.t", former)
    assert content(connection, "mart.t") == content(connection, "source.t")
    assert found.rows == 3
    compared = "select count(*) from duckdb_tables() where table_name = 'different'"
    assert connection.execute(compared).fetchone() == (0,)


@pytest.mark.parametrize("column", ["note", "token"])
def test_the_gate_finds_one_text_among_many_that_repeat_or_do_not(
    connection: duckdb.DuckDBPyConnection, column: str
) -> None:
    """Where texts repeat the gate looks at each once, and the last row's must be among them."""
    connection.execute("create schema mart")
    connection.execute(
        "create table source as select md5(i::varchar) as token, 'text ' || i % 9 as note "
        "from range(30000) as t(i)"
    )
    writer = TableWriter(connection)
    assert writer.write("mart.t", "from source", None).rows == 30_000
    connection.execute(f"update source set {column} = '电话{MOBILE}' where rowid = 29999")
    with pytest.raises(PublicationError, match=rf"mart\.t\.{column} holds 1 text"):
        writer.write("mart.t", "from source", None)
