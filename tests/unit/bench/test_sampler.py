"""To whom a moment of a program is put down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import FrameType

import pytest

from pipelines.bench.sampler import ENGINES, IMPORTS, LIBRARIES, WAITING, side_of


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


PROGRAM = """
import json, sys, threading, time
from pipelines.bench.sampler import Sampler
begun = time.perf_counter()
with Sampler() as sampler:
    sampler.stage = "loading"
    __import__("slow_module")
    loaded = time.perf_counter()
    sampler.stage = "idle"
    threading.Event().wait(0.3)
    ended = time.perf_counter()
seconds = {"/".join(key): value for key, value in sampler.seconds.items()}
print(json.dumps([loaded - begun, ended - loaded, seconds]))
"""


def test_seconds_are_put_down_stage_by_stage(tmp_path):
    """Prevents: a profile whose seconds do not add up to those that passed."""
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(0.3)\n")
    # In a process of its own: the test runner has threads that would be looked at too.
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loading, idle, seconds = json.loads(done.stdout)
    # A busy machine may let the sampler sleep through the change of a stage.
    assert seconds[f"loading/{IMPORTS}"] == pytest.approx(loading, abs=0.2)
    assert seconds[f"idle/{WAITING}"] == pytest.approx(idle, abs=0.2)
    assert sum(seconds.values()) == pytest.approx(loading + idle, abs=0.2)
