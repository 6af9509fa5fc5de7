"""Publication: a version named by its content, an atomic switch, and the last gate."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines import publish as publishing
from pipelines.home import Home
from pipelines.publish import FILE, KEPT_VERSIONS, current
from pipelines.published_content import OWN_TABLES, published_columns
from pipelines.published_table import PublicationError
from tests.integration.publication import (
    COLUMNS,
    MOBILE,
    NIGHT,
    NUMBER,
    ROWS,
    Row,
    ask,
    build,
    manifest,
    model,
    publish,
)

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
