"""To whom a moment of a program is put down."""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType

import pytest

from pipelines.bench.sampler import ENGINES, IMPORTS, LIBRARIES, WAITING, Sampler, side_of


def frame(*modules: str) -> FrameType:
    """The frame of a function of the last module, called by the one before, and so on."""
    call = sys._getframe
    for name in reversed(modules):
        scope = {"__name__": name, "call": call}
        code = compile("def function():\n    return call()", f"/site/{name}.py", "exec")
        exec(code, scope)  # noqa: S102
        call = scope["function"]
    return call()


@pytest.mark.parametrize(
    ("modules", "side"),
    [
        (("dagster.core", "pipelines.assets.raw"), ENGINES),
        (("dagster.core", "pipelines.assets.raw", "polars.lazy"), ENGINES),
        (("pipelines.night", "dagster.core", "sqlalchemy.engine", "json.decoder"), "dagster"),
        (("quality.nightly", "great_expectations.x", "sqlalchemy.engine"), "great_expectations"),
        (("quality.nightly", "great_expectations.x", "duckdb_engine"), ENGINES),
        (("pipelines.dbt_run", "dbt.task", "mashumaro.core"), "dbt"),
        (("pipelines.warehouse", "yaml.reader"), LIBRARIES),
        (("pipelines.warehouse", "threading"), WAITING),
    ],
)
def test_a_moment_belongs_to_whoever_asked_for_it(modules, side):
    """Prevents: the event log's SQL being counted as work on the data, or an engine as overhead."""
    assert side_of(frame(*modules)) == side


def test_seconds_are_put_down_stage_by_stage(tmp_path, monkeypatch):
    """Prevents: a profile whose seconds do not add up to those that passed."""
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(0.3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    begun = time.perf_counter()
    with Sampler() as sampler:
        sampler.stage = "loading"
        __import__("slow_module")
        loaded = time.perf_counter()
        sampler.stage = "idle"
        threading.Event().wait(0.3)
        passed = time.perf_counter()
    # A busy machine may let the sampler sleep through the change of a stage.
    assert sampler.seconds["loading", IMPORTS] == pytest.approx(loaded - begun, abs=0.2)
    assert sampler.seconds["idle", WAITING] == pytest.approx(passed - loaded, abs=0.2)
    assert sum(sampler.seconds.values()) == pytest.approx(passed - begun, abs=0.2)
