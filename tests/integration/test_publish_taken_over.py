"""The file before is taken over with the changes of the night, where it may be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import published_content, published_table
from pipelines.home import Home
from pipelines.publish import current
from pipelines.published_table import PublicationError
from tests.integration.publication import (
    COLUMNS,
    MOBILE,
    NIGHT,
    ROWS,
    Row,
    ask,
    build,
    manifest,
    model,
    publish,
)

CHANGED: Sequence[Row] = (("a" * 32, "李四", "兰山区金雀山路1号"), ("c" * 32, "王五", None))


def incremental() -> dict[str, Any]:
    node = model(COLUMNS)
    node["config"] = {
        "materialized": "incremental",
        "incremental_strategy": "changed_keys",
        "unique_key": ["person_token"],
    }
    return manifest(node)


def note_build(home: Home, built_from: str, went_on_from: str | None) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(
            "create table meta.built_night as select true as is_whole, ? as built_from, "
            "?::varchar as went_on_from",
            [built_from, went_on_from],
        )


def went_on(home: Home, rows: Sequence[Row] = CHANGED, went_on_from: str = "first") -> None:
    """A second build of other rows, with what differs from `ROWS` in the schema `changes`."""
    build(home, rows)
    note_build(home, "second", went_on_from)
    tokens = sorted({row[0] for row in set(ROWS) ^ set(rows)})
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema changes")
        connection.execute(
            "create table changes.person as select unnest(?) as person_token", [tokens]
        )
        leave_new_rows(connection)


def leave_new_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """As the strategy `changed_keys` leaves the rows of the changed keys."""
    connection.execute(
        "create or replace table changes.person__new as "
        "select * from population.person semi join changes.person using (person_token)"
    )


def first_publication(home: Home) -> Path:
    build(home)
    note_build(home, "first", None)
    return publish(home, incremental(), NIGHT).path


def test_what_is_taken_over_with_its_changes_is_what_would_be_written_anew(home: Home) -> None:
    first_publication(home)
    unchanged = ("b" * 32, "赵六", None)  # a change that `changes` does not tell of
    went_on(home)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from population.person where person_token like 'c%'")
        connection.execute(
            "insert into population.person values (?, ?, ?, null), (?, ?, ?, null)",
            [*CHANGED[1], *unchanged],
        )
        connection.execute("delete from changes.person where person_token like 'b%'")
        leave_new_rows(connection)
    taken_over = publish(home, incremental(), NIGHT)
    rows = ask(taken_over.path, "from population.person order by 1")
    assert rows == [
        ("a" * 32, "李*", "兰山区金雀山***"),
        ("b" * 32, None, None),
        ("c" * 32, "王*", None),
    ], "the rows that did not change were not taken over"
    went_on(home, [*CHANGED, ROWS[1]])
    (home.published / "current").unlink()
    anew = publish(home, incremental(), NIGHT)
    assert ask(anew.path, "from population.person order by 1") == rows
    assert anew.version == taken_over.version


def test_a_row_that_went_is_not_taken_over(home: Home) -> None:
    first_publication(home)
    went_on(home)
    path = publish(home, incremental(), NIGHT).path
    assert ask(path, "select left(person_token, 1) from population.person order by 1") == [
        ("a",),
        ("c",),
    ]


def test_a_file_of_another_build_is_not_taken_over(home: Home) -> None:
    """Else a night that was not published would leave its changes out for ever."""
    first_publication(home)
    went_on(home, went_on_from="a build that was not published")
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from changes.person")
        leave_new_rows(connection)
    path = publish(home, incremental(), NIGHT).path
    assert len(ask(path, "from population.person")) == len(CHANGED)
    assert ask(path, "select count(*) from population.person where full_name = '王*'") == [(1,)]


def test_a_file_with_many_holes_is_written_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that went leave holes; followed for ever, a file would be holes in the end, and every
    question would read them."""

    def rows_of(name: str) -> Sequence[Row]:
        """Forty rows, of which the first never changes."""
        return [(f"{i:032}", name if i else "张三", None) for i in range(40)]

    def next_build(name: str, built_from: str, went_on_from: str, changed: Sequence[str]) -> None:
        build(home, rows_of(name))
        note_build(home, built_from, went_on_from)
        with duckdb.connect(str(home.warehouse)) as connection:
            connection.execute("create schema changes")
            connection.execute(
                "create table changes.person as select unnest(?::varchar[]) as person_token",
                [list(changed)],
            )
            leave_new_rows(connection)

    monkeypatch.setattr(published_content, "MOST_FREE", 1.0)  # a small file has few blocks
    build(home, rows_of("张三"))
    note_build(home, "first", None)
    publish(home, incremental(), NIGHT)
    next_build("李四", "second", "first", [f"{i:032}" for i in range(1, 40)])
    followed = publish(home, incremental(), NIGHT)
    places = "select estimated_size from duckdb_tables() where table_name = 'person'"
    assert ask(followed.path, places) == [(79,)], "closing the holes would rewrite what stays"
    next_build("王五", "third", "second", [])  # a change that `changes` does not tell of
    anew = publish(home, incremental(), NIGHT)
    assert ask(anew.path, places) == [(40,)]
    assert ask(anew.path, "select count(*) from population.person where full_name = '王*'") == [
        (39,)
    ]


def test_personal_data_in_a_row_that_came_is_refused(home: Home) -> None:
    before = first_publication(home)
    went_on(home, [*ROWS, (MOBILE, None, None)])
    with pytest.raises(PublicationError, match=r"population\.person\.person_token holds 1 text"):
        publish(home, incremental(), NIGHT)
    assert current(home) == before.resolve()


def test_new_rows_that_an_earlier_build_left_are_not_taken(home: Home) -> None:
    """A model that has another strategy since then leaves none: those that lie there are old."""
    first_publication(home)
    went_on(home)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update changes.person__new set full_name = '旧'")
    since_then = incremental()
    for node in since_then["nodes"].values():
        if "config" in node:
            node["config"]["incremental_strategy"] = "changed_rows"
    path = publish(home, since_then, NIGHT).path
    assert set(ask(path, "select full_name from population.person")) == {("李*",), ("王*",)}


def test_a_large_table_that_is_compared_is_what_would_be_written_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compared as it leaves: masked, without the columns that stay here."""
    monkeypatch.setattr(published_table, "WORTH_COMPARING", 1)
    monkeypatch.setattr(published_table, "MOST_DIFFERENT", 10)
    first_publication(home)
    build(home, CHANGED, own="y")
    note_build(home, "second", "first")
    followed = publish(home, manifest(), NIGHT)
    (home.published / "current").unlink()
    anew = publish(home, manifest(), NIGHT)
    assert followed.version == anew.version
    assert followed.tables == anew.tables
    assert ask(followed.path, "from population.person order by 1") == [
        ("a" * 32, "李*", "兰山区金雀山***"),
        ("c" * 32, "王*", None),
    ]
    assert ask(followed.path, "from meta.night") == [("y",)]
