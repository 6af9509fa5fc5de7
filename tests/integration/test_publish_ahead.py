"""The marts are copied while the rest of the night goes on; if that fails, nothing of it stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from pipelines import engine
from pipelines.home import Home
from pipelines.publish import Publishing, current
from pipelines.published_content import Filling
from pipelines.published_table import PublicationError
from tests.integration.publication import (
    COLUMNS,
    MOBILE,
    NIGHT,
    ask,
    build,
    manifest,
    model,
    publish,
)


@pytest.fixture
def begun(home: Home) -> Iterator[Publishing]:
    """Begun on a warehouse of one person."""
    build(home, [("a" * 32, "张三", "兰山区金雀山路1号")])
    publishing = Publishing(home, manifest())
    publishing.begin()
    yield publishing
    publishing.abandon()


def _later(home: Home, statements: str) -> None:
    """What another stage of the night does meanwhile."""
    with engine.connect(home) as connection:
        connection.execute(statements)


def test_what_the_night_writes_meanwhile_is_published(home: Home, begun: Publishing) -> None:
    _later(home, "update quality.work_order set remark = 'judged'")
    _later(home, "create or replace table quality.cause as select 'found' as remark")
    path = begun.finish(NIGHT).path
    assert ask(path, "from quality.work_order") == [("judged",)]
    assert ask(path, "from quality.cause") == [("found",)]
    assert ask(path, "select full_name, address from population.person") == [
        ("张*", "兰山区金雀山***")
    ]


def test_it_is_what_is_published_without_haste(home: Home, begun: Publishing) -> None:
    _later(home, "update quality.work_order set remark = 'judged'")
    ahead = begun.finish(NIGHT)
    assert ahead.is_new
    at_the_end = publish(home, manifest(), NIGHT)
    assert not at_the_end.is_new
    assert (at_the_end.version, at_the_end.tables) == (ahead.version, ahead.tables)


def test_another_stage_may_be_amid_a_transaction(home: Home) -> None:
    build(home, [("a" * 32, "张三", "兰山区金雀山路1号")])
    target = home.published / "ahead.duckdb"
    home.published.mkdir(parents=True, exist_ok=True)
    filling = Filling(engine.connect(home))
    with engine.connect(home) as judging:
        judging.begin()
        judging.execute("update quality.work_order set remark = 'judged'")
        filling.put_marts(target, None, manifest())
        judging.commit()
    filling.finish(NIGHT)
    filling.close()
    assert ask(target, "from quality.work_order") == [("judged",)]
    assert ask(target, "select full_name from population.person") == [("张*",)]


def test_a_text_that_must_not_leave_fails_the_end_not_the_night(home: Home) -> None:
    build(home)
    before = publish(home, manifest(), NIGHT)
    build(home, [("c" * 32, "李四", MOBILE)])
    leaking = manifest(model({**COLUMNS, "address": {"level": "L2"}}))
    publishing = Publishing(home, leaking)
    publishing.begin()
    _later(home, "update quality.work_order set remark = 'judged'")
    with pytest.raises(PublicationError, match="address holds 1 texts"):
        publishing.finish(date(2026, 7, 1))
    _nothing_is_left(home)
    assert current(home) == before.path


def test_a_night_that_ends_early_leaves_nothing(home: Home, begun: Publishing) -> None:
    begun.abandon()
    _nothing_is_left(home)
    assert current(home) is None
    begun.abandon()  # again, as at every end of a run


def test_what_a_killed_night_left_is_removed(home: Home) -> None:
    build(home)
    home.published.mkdir(exist_ok=True)
    (home.published / ".incoming-1.duckdb").write_bytes(b"half")
    (home.published / ".incoming-1.duckdb.wal").write_bytes(b"half")
    publish(home, manifest(), NIGHT)
    _nothing_is_left(home)


def test_a_copy_that_takes_long_is_stopped(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statement runs for minutes; that the test ends at all is the point."""
    build(home)
    runs = threading.Event()

    def slowly(filling: Filling, *_: object) -> None:
        runs.set()
        filling._connection.execute("select sum(a.range * b.range) from range(1e7) a, range(1e7) b")

    monkeypatch.setattr(Filling, "_put_mart", slowly)
    publishing = Publishing(home, manifest())
    publishing.begin()
    assert runs.wait(60)
    publishing.abandon()
    _nothing_is_left(home)


def test_begun_again_it_begins_anew(home: Home, begun: Publishing) -> None:
    _later(home, "update population.person set full_name = '王五'")
    begun.begin()
    assert ask(begun.finish(NIGHT).path, "select full_name from population.person") == [("王*",)]


def _nothing_is_left(home: Home) -> None:
    assert not list(home.published.glob(".*"))
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:  # nobody holds it
        assert connection.execute("select count(*) from population.person").fetchone()
