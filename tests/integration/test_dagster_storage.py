"""Runs and events are stored as Dagster stores them, through connections that stay open."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest

from pipelines.home import Home
from pipelines.night import prepare_dagster

ASSETS = [f"asset_{number}" for number in range(3)]


@dg.multi_asset(specs=[dg.AssetSpec(name) for name in ASSETS])
def several() -> Iterator[dg.MaterializeResult]:
    for number, name in enumerate(ASSETS):
        yield dg.MaterializeResult(asset_key=name, metadata={"number": number})


@dg.asset_check(asset="asset_0")
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True, metadata={"looked": "yes"})


def _run(instance: dg.DagsterInstance) -> str:
    return dg.materialize([several, holds], instance=instance).run_id


@pytest.fixture(autouse=True)
def prepared(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")  # put back afterwards
    monkeypatch.setenv("YISHU_HOME", "")
    prepare_dagster(home)


@pytest.fixture
def kept(prepared: None) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def shipped(home: Home, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Another process's view of the same files, with the storage that Dagster ships."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "dagster.yaml").write_text(
        f"storage:\n  sqlite:\n    base_dir: {home.dagster}\n", encoding="utf-8"
    )
    with dg.DagsterInstance.from_config(str(beside)) as instance:
        yield instance


def _told(instance: dg.DagsterInstance, run_id: str) -> list[tuple[str, str]]:
    return [(str(entry.dagster_event_type), entry.message) for entry in instance.all_logs(run_id)]


def _numbers(instance: dg.DagsterInstance) -> dict[str, object]:
    latest = {name: instance.get_latest_materialization_event(dg.AssetKey(name)) for name in ASSETS}
    return {
        name: event.asset_materialization.metadata["number"].value
        for name, event in latest.items()
        if event is not None and event.asset_materialization is not None
    }


def test_a_home_uses_it() -> None:
    with dg.DagsterInstance.get() as instance:
        assert type(instance.event_log_storage).__name__ == "KeptEventLogStorage"
        assert type(instance.run_storage).__name__ == "KeptRunStorage"


def test_the_shipped_storage_reads_what_it_wrote(
    kept: dg.DagsterInstance, shipped: dg.DagsterInstance
) -> None:
    run_id = _run(kept)
    told = _told(kept, run_id)
    assert sum(kind == "DagsterEventType.ASSET_MATERIALIZATION" for kind, _ in told) == len(ASSETS)
    assert _told(shipped, run_id) == told
    assert _numbers(shipped) == _numbers(kept) == {"asset_0": 0, "asset_1": 1, "asset_2": 2}
    run = shipped.get_run_by_id(run_id)
    assert run is not None
    assert run.is_success


def test_it_reads_what_the_shipped_storage_wrote(
    kept: dg.DagsterInstance, shipped: dg.DagsterInstance
) -> None:
    first = _run(kept)
    second = _run(shipped)
    assert _told(kept, second) == _told(shipped, second)
    assert {run.run_id for run in kept.get_runs()} == {first, second}


def test_who_watches_a_run_is_told_while_it_runs(
    kept: dg.DagsterInstance, shipped: dg.DagsterInstance
) -> None:
    """As the UI does, which is another process: it looks at a run's file when that changes."""
    run_id = _run(kept)
    heard = threading.Event()
    shipped.watch_event_logs(
        run_id, None, lambda entry, _: heard.set() if entry.message == "news" else None
    )
    kept.report_engine_event("news", kept.get_run_by_id(run_id))
    assert heard.wait(30)


def test_who_reads_a_run_tells_nobody(kept: dg.DagsterInstance, home: Home) -> None:
    """Or the UI, which reads when the file changes, would read for ever."""
    run_id = _run(kept)
    file = home.dagster / "history" / "runs" / f"{run_id}.db"
    before = file.stat().st_mtime_ns
    assert _told(kept, run_id)
    assert file.stat().st_mtime_ns == before


def test_of_many_runs_one_file_stays_open(kept: dg.DagsterInstance) -> None:
    run_ids = [_run(kept) for _ in range(4)]
    for run_id in run_ids:
        assert _told(kept, run_id)
    names = {Path(file.path).name for file in psutil.Process().open_files()}
    assert {f"{run_id}.db" for run_id in run_ids} & names == {f"{run_ids[-1]}.db"}


def test_nothing_is_left_open(home: Home) -> None:
    with dg.DagsterInstance.get() as instance:
        _run(instance)
    left = [file.path for file in psutil.Process().open_files() if str(home.dagster) in file.path]
    assert left == []


def test_a_storage_that_was_wiped_goes_on(kept: dg.DagsterInstance) -> None:
    first = _run(kept)
    kept.wipe()
    assert kept.get_runs() == []
    assert _told(kept, first) == []
    second = _run(kept)
    assert _told(kept, second)
