"""Measuring a program and its children from outside."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from pipelines.bench.meter import MeasuredProgramError, Usage, total, watch


@pytest.fixture
def program(tmp_path: Path):
    """Write a module; returns what `watch` needs to run it."""

    def write(body: str):
        marks = tmp_path / "marks.jsonl"
        start = (
            "import sys\nfrom pathlib import Path\nfrom pipelines.bench.meter import Marks\n"
            "marks = Marks(Path(sys.argv[1]))\n"
        )
        (tmp_path / "measured_program.py").write_text(start + textwrap.dedent(body))
        return ["measured_program", str(marks)], marks, {"PYTHONPATH": str(tmp_path)}

    return write


def test_each_stage_has_its_own_costs_children_included(program):
    """Prevents: a stage that is charged with another one's work, or a child that costs nothing."""
    usages = watch(*program("""
        import subprocess, time
        marks.set("thinking")
        ended = time.process_time() + 1
        while time.process_time() < ended:
            pass
        marks.set("holding")
        held = b"x" * 150_000_000
        time.sleep(0.4)
        del held
        marks.set("writing")
        with open(sys.argv[1] + ".data", "wb") as file:
            file.write(bytes(20_000_000))
        marks.set("delegating")
        subprocess.run([sys.executable, "-c", "x = b'x' * 120_000_000; "
            "import time; t = time.process_time() + 0.4\\nwhile time.process_time() < t: pass"])
        marks.set("end")
    """))  # fmt: skip
    assert list(usages) == ["start-up", "thinking", "holding", "writing", "delegating"]
    assert usages["thinking"].cpu_seconds > 0.9
    assert usages["holding"].cpu_seconds < 0.9  # to hold much takes some, on a busy machine more
    assert usages["holding"].seconds >= 0.4
    assert usages["holding"].peak_mb > usages["thinking"].peak_mb + 130
    assert usages["delegating"].cpu_seconds > 0.35
    assert usages["delegating"].peak_mb > usages["thinking"].peak_mb + 100
    written = usages["writing"].written_mb
    assert written is None or written >= 20  # not every system counts bytes


def test_a_program_may_keep_its_bytecode(program, monkeypatch: pytest.MonkeyPatch):
    """Prevents: measured processes that compile the project anew, as in some containers."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert watch(*program("assert not sys.dont_write_bytecode; marks.set('end')"))


def test_a_program_that_fails_is_no_measurement(program):
    """Prevents: a night that failed halfway and is shown as a fast one."""
    with pytest.raises(MeasuredProgramError, match=r"ended with 3(.|\n)*no such city"):
        watch(*program("marks.set('end'); print('no such city'); sys.exit(3)"))
    with pytest.raises(MeasuredProgramError):
        watch(*program("marks.set('ingest')"))  # ends well, but before its last mark


def test_a_stage_that_comes_twice_is_added_up(program):
    """Prevents: the first half of a stage that another one interrupts being forgotten."""
    usages = watch(*program("""
        import time
        for stage in ("models", "quality", "models"):
            marks.set(stage)
            time.sleep(0.2)
        marks.set("end")
    """))  # fmt: skip
    assert usages["models"].seconds >= 0.4
    assert 0.2 <= usages["quality"].seconds < usages["models"].seconds


def test_sums_say_unknown_where_a_part_is_unknown():
    """Prevents: bytes that a system does not count being shown as none."""
    known, unknown = Usage(1.0, 2.0, 30.0, 4.0, 5.0), Usage(1.0, 2.0, 10.0, None, 5.0)
    assert total([known, unknown]) == Usage(2.0, 4.0, 30.0, None, 10.0)
