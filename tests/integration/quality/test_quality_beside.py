"""Workbooks written beside one another are those written one after the other."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from quality import nightly
from quality.feedback import beside
from quality.feedback.contents import Contents, read_contents
from quality.work_orders import read_policy

DEPARTMENTS = ["market_regulation", "development_reform"]


@pytest.fixture
def ordered(city: Any, enterprise: Any, credit: Any) -> Any:
    """A night on which both departments have a line to correct."""
    city.deliver("market_regulation/enterprise", 1, [
        enterprise(_rules="phone_format", _columns="phone", phone=None),
    ])  # fmt: skip
    city.deliver("development_reform/credit_record", 1, [credit()])
    night = city.night(1)
    nightly.judge(city.path, city.catalogue, night)
    nightly.score(city.path, night)
    nightly.order(city.path, night, city.catalogue)
    return city


def workbooks(city: Any, outbox: Path) -> list[bytes]:
    sent = nightly.send_all_home(city.path, city.catalogue, DEPARTMENTS, city.night(1), outbox)
    return [summary.path.read_bytes() for _, summary in sent]


def test_the_other_process_writes_the_same_bytes(ordered, tmp_path, monkeypatch):
    here = workbooks(ordered, tmp_path / "here")
    started = []
    submit = ProcessPoolExecutor.submit

    def noted(pool: Any, *arguments: Any) -> Any:
        started.append(arguments[0].__name__)
        return submit(pool, *arguments)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", noted)
    monkeypatch.setattr(beside, "LARGE", 1)
    assert workbooks(ordered, tmp_path / "there") == here
    assert started[:1] == ["write_workbook"]


def test_a_workbook_is_written_here_where_the_other_process_ends(ordered, tmp_path, monkeypatch):
    """A night must not lose a department's feedback because a helper was killed."""
    monkeypatch.setattr(beside, "LARGE", 1)
    monkeypatch.setattr(beside, "write_workbook", _ends_elsewhere)
    monkeypatch.setenv("YISHU_TEST_PROCESS", str(os.getpid()))
    with duckdb.connect(str(ordered.path), read_only=True) as connection:
        contents = read_contents(connection, ordered.catalogue, DEPARTMENTS[0], ordered.night(1))
    with beside.BesideWriter(read_policy()) as writer:
        assert writer.write(contents, tmp_path)() == tmp_path / str(os.getpid())


def test_no_more_is_given_away_than_is_written_meanwhile(ordered, tmp_path, monkeypatch):
    """What waits there lies in memory twice, and in the end this process would wait for all."""
    monkeypatch.setattr(beside, "LARGE", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    given: list[Future[Path]] = []

    def never_ends(*_: Any) -> Future[Path]:
        given.append(Future())
        return given[-1]

    monkeypatch.setattr(ProcessPoolExecutor, "submit", never_ends)
    with duckdb.connect(str(ordered.path), read_only=True) as connection:
        contents = read_contents(connection, ordered.catalogue, DEPARTMENTS[0], ordered.night(1))
    with beside.BesideWriter(read_policy()) as writer:
        for turn in range(beside.GIVEN):
            writer.write(contents, tmp_path / f"given{turn}")
        here = writer.write(contents, tmp_path / "here")
        assert len(given) == beside.GIVEN
        assert here().parent == tmp_path / "here"
        given[0].set_result(tmp_path)
        writer.write(contents, tmp_path / "given again")
        assert len(given) == beside.GIVEN + 1
    assert not (tmp_path / "given again").exists()


def _ends_elsewhere(_: Contents, folder: Path, __: Any) -> Path:
    """Ends every process but the one that the test runs in."""
    if os.getpid() != int(os.environ.get("YISHU_TEST_PROCESS", "0")):
        os.kill(os.getpid(), signal.SIGKILL)
    return folder / str(os.getpid())
