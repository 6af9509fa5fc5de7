"""Publication: a version named by its content, an atomic switch, and the last gate."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import publish as publishing
from pipelines import published_content, published_table
from pipelines.home import Home
from pipelines.publish import FILE, KEPT_VERSIONS, Publication, Publishing, current
from pipelines.published_content import OWN_TABLES, published_columns
from pipelines.published_table import PublicationError

NIGHT = date(2026, 6, 30)
Row = tuple[str | None, str | None, str | None]
ROWS: Sequence[Row] = (("a" * 32, "张三", "兰山区金雀山路1号"), ("b" * 32, None, None))
NUMBER, MOBILE = "11010519491231002X", "13812345678"


def publish(home: Home, project: dict[str, Any], night: date) -> Publication:
    return Publishing(home, project).finish(night)


def model(columns: dict[str, dict[str, str]], name: str = "person") -> dict[str, Any]:
    """A model of dbt's manifest, as small as publishing needs it."""
    return {
        "resource_type": "model",
        "schema": "population",
        "name": name,
        "columns": {
            column: {"name": column, "config": {"meta": meta}} for column, meta in columns.items()
        },
    }


COLUMNS = {
    "person_token": {"level": "L2"},
    "full_name": {"level": "L3", "publish": "mask_name"},
    "address": {"level": "L3", "publish": "mask_text"},
    "id_number": {"level": "L3"},
}


def manifest(*models: dict[str, Any]) -> dict[str, Any]:
    ephemeral = {"resource_type": "model", "schema": "staging", "name": "stg", "columns": {}}
    test = {"resource_type": "test", "schema": "population", "name": "t", "columns": {}}
    nodes = [ephemeral, test, *(models or (model(COLUMNS),))]
    return {"nodes": {f"node{i}": node for i, node in enumerate(nodes)}}


def build(home: Home, rows: Sequence[Row] = ROWS, own: str = "x") -> None:
    """A warehouse with one mart and the platform's own tables."""
    home.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(home.warehouse)) as connection:
        for schema in ("population", "staging", *sorted({schema for schema, _ in OWN_TABLES})):
            connection.execute(f"create schema {schema}")
        for schema, name in OWN_TABLES:
            connection.execute(f"create table {schema}.{name} as select '{own}' as remark")
        connection.execute(
            "create table population.person "
            "(person_token varchar, full_name varchar, address varchar, id_number varchar)"
        )
        for token, name, address in rows:
            connection.execute(
                "insert into population.person values (?, ?, ?, ?)", [token, name, address, NUMBER]
            )


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


# -- what leaves -------------------------------------------------------------------------


def test_columns_leave_as_their_models_say(home: Home) -> None:
    build(home)
    path = publish(home, manifest(), NIGHT).path
    assert ask(path, "from population.person order by 1") == [
        ("a" * 32, "张*", "兰山区金雀山***"),
        ("b" * 32, None, None),
    ]
    names = {
        f"{s}.{t}" for s, t in ask(path, "select schema_name, table_name from duckdb_tables()")
    }
    own = {f"{schema}.{name}" for schema, name in OWN_TABLES}
    assert names == own | {"population.person", "meta.published_table", "meta.publication"}


def test_a_personal_column_in_clear_is_refused() -> None:
    for how in ("clear", "token"):
        with pytest.raises(PublicationError, match=r"person.full_name is L3 and must not leave"):
            published_columns(model({"full_name": {"level": "L3", "publish": how}}))
    with pytest.raises(PublicationError, match="is L4 and must not leave"):
        published_columns(model({"illness": {"level": "L4", "publish": "clear"}}))


@pytest.mark.parametrize("meta", [{}, {"level": "L5"}, {"publish": "clear"}])
def test_a_column_without_a_level_is_refused(meta: dict[str, str]) -> None:
    """A new column must be classified before it leaves, not after."""
    with pytest.raises(PublicationError, match=r"person.note has no level; set meta.level"):
        published_columns(model({"note": meta}))


def test_a_way_of_publishing_that_nobody_knows_is_refused() -> None:
    with pytest.raises(PublicationError, match=r"person.note.*mask_nmae.*mask_name"):
        published_columns(model({"note": {"level": "L3", "publish": "mask_nmae"}}))


def test_without_a_word_public_and_internal_columns_leave_and_personal_ones_do_not() -> None:
    levels = {level.lower(): {"level": level} for level in ("L1", "L2", "L3", "L4")}
    assert published_columns(model(levels)) == {"l1": '"l1"', "l2": '"l2"'}


def test_a_model_of_which_nothing_may_leave_is_named(home: Home) -> None:
    build(home)
    with pytest.raises(PublicationError, match=r"population\.person"):
        publish(home, manifest(model({"id_number": {"level": "L3"}})), NIGHT)


# -- going on from the file before ----------------------------------------------------------

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


# -- the gate ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        NUMBER.lower(),
        MOBILE,
        f"电话{MOBILE}。",
        f"号码 {NUMBER}，核对",
        f"a_{MOBILE}_b",
        f'["{NUMBER}"]',
        f"x\n{MOBILE}\ny",
    ],
)
@pytest.mark.parametrize("place", ["mart", "own"])
def test_a_text_with_a_number_in_it_is_refused_and_what_was_published_stays(
    home: Home, text: str, place: str
) -> None:
    build(home)
    before = publish(home, manifest(), NIGHT)
    leaking = model(COLUMNS | {"address": {"level": "L2"}})
    if place == "mart":
        build(home, [*ROWS, ("c" * 32, "李四", text)])
    else:
        build(home, own=text)
    with pytest.raises(PublicationError, match="resident or mobile number") as refused:
        publish(home, manifest(leaking), date(2026, 7, 1))
    assert MOBILE not in str(refused.value)
    assert NUMBER[:17] not in str(refused.value)
    assert current(home) == before.path
    assert {p.name for p in home.published.iterdir()} == {before.version, "current"}


@pytest.mark.parametrize(
    "kind", ["varchar[]", "struct(a varchar)", "map(varchar, varchar)", "json"]
)
def test_a_number_inside_a_nested_value_is_found_too(home: Home, kind: str) -> None:
    build(home)
    value = {
        "varchar[]": f"['{MOBILE}']",
        "struct(a varchar)": f"{{'a': '{MOBILE}'}}",
        "map(varchar, varchar)": f"map {{'a': '{MOBILE}'}}",
        "json": f"'[\"{MOBILE}\"]'::json",
    }[kind]
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(f"alter table population.person add column note {kind}")
        connection.execute(f"update population.person set note = {value}")
    with pytest.raises(PublicationError, match=r"population\.person\.note"):
        publish(home, manifest(model(COLUMNS | {"note": {"level": "L2"}})), NIGHT)


@pytest.mark.parametrize(
    "text", ["91371300168264359C", "a" * 32, "2138123456789", "110105194913310021", "0539-8012345"]
)
def test_codes_that_only_look_alike_pass(home: Home, text: str) -> None:
    """A gate that cries wolf would be taken down; a unified code is public."""
    build(home, own=text)
    assert publish(home, manifest(), NIGHT).is_new


def test_a_table_that_was_not_built_is_named_and_what_was_published_stays(home: Home) -> None:
    build(home)
    before = publish(home, manifest(), NIGHT)
    with pytest.raises(PublicationError, match=r"population\.household was not built"):
        publish(home, manifest(model(COLUMNS), model(COLUMNS, "household")), NIGHT)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("drop table quality.defect")
    with pytest.raises(PublicationError, match=r"quality\.defect was not built"):
        publish(home, manifest(), NIGHT)
    assert current(home) == before.path


# -- versions ----------------------------------------------------------------------------


def test_the_same_content_has_the_same_checksum_in_any_order(home: Home) -> None:
    build(home)
    first = publish(home, manifest(), NIGHT)
    build(home, list(reversed(ROWS)))
    second = publish(home, manifest(), NIGHT)
    assert (second.version, second.tables, second.is_new) == (first.version, first.tables, False)


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:1],
        [*ROWS, ROWS[0]],
        [ROWS[0], ("b" * 32, "", None)],
        [ROWS[0], ("b" * 32, None, "兰")],
        [("b" * 32, "张三", "兰山区金雀山路1号"), ("a" * 32, None, None)],
    ],
    ids=["fewer", "twice", "empty is not null", "one value", "swapped"],
)
def test_other_content_has_another_checksum(home: Home, rows: Sequence[Row]) -> None:
    build(home)
    first = publish(home, manifest(), NIGHT)
    build(home, rows)
    second = publish(home, manifest(), NIGHT)
    assert second.version != first.version
    assert second.is_new


def test_the_published_checksums_are_those_of_the_file(home: Home) -> None:
    """An analyst can verify what lies there."""
    build(home)
    publication = publish(home, manifest(), NIGHT)
    listed = ask(publication.path, "from meta.published_table")
    assert {(t.schema, t.name, t.rows, t.checksum) for t in publication.tables} == set(listed)
    for schema, name, rows, checksum in listed:
        sql = f"select count(*), sum(hash(t)::hugeint) % (1::hugeint << 64) from {schema}.{name} t"
        count, total = ask(publication.path, sql)[0]
        assert (count, f"{int(total or 0):016x}") == (rows, checksum)


def test_nothing_is_current_before_the_first_publication(home: Home) -> None:
    assert current(home) is None


def test_old_versions_go_by_count_and_the_current_never(home: Home) -> None:
    build(home)
    oldest = publish(home, manifest(), date(2026, 1, 1))
    os.utime(oldest.path, (0, 0))
    days = [date(2026, 2, day) for day in range(1, KEPT_VERSIONS + 4)]
    versions = []
    for position, day in enumerate(days):
        publication = publish(home, manifest(), day)
        os.utime(publication.path, (1_000 + position, 1_000 + position))
        versions.append(publication)
    kept = {p.name for p in home.published.iterdir()} - {"current"}
    assert kept == {p.version for p in versions[-KEPT_VERSIONS:]}
    again = publish(home, manifest(), days[-KEPT_VERSIONS])
    os.utime(again.path, (0, 0))
    assert not again.is_new
    newer = publish(home, manifest(), date(2026, 3, 1))
    os.utime(newer.path, (2_000, 2_000))
    publish(home, manifest(), days[-KEPT_VERSIONS])
    assert (current(home) or Path()).parent.name == f"20260204-{again.version.split('-')[1]}"


def test_a_failure_while_writing_leaves_no_half_version(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(home)
    before = publish(home, manifest(), NIGHT)

    def crash(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_switch", crash)
        with pytest.raises(OSError, match="disk full"):
            publish(home, manifest(), date(2026, 7, 1))
    assert current(home) == before.path
    assert not list(home.published.glob(".*"))


def test_readers_never_fail_while_versions_are_switched(home: Home) -> None:
    failures: list[str] = []
    seen: set[str] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            path = current(home)
            try:
                assert path is not None
                rows = ask(path, "select remark from meta.night")
                assert len(rows) == 1
                seen.add(rows[0][0])
            except (AssertionError, OSError, duckdb.Error) as error:
                failures.append(repr(error))

    build(home, own="0")
    publish(home, manifest(), NIGHT)
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, 13):
            build(home, own=str(number))
            publish(home, manifest(), NIGHT)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert failures == []
    assert len(seen) > 1
    assert (ask(current(home) or Path(), "from meta.night")) == [("12",)]


def test_the_version_names_date_and_content(home: Home) -> None:
    build(home)
    version = publish(home, manifest(), NIGHT).version
    day, checksum = version.split("-")
    assert day == "20260630"
    assert len(checksum) == 12
    assert (home.published / "current").readlink() == Path(version)
    assert (home.published / version / FILE).exists()
