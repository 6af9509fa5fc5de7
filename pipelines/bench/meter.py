"""What a program costs, by the stages that it passes: time, processor, memory, bytes.

Belongs here: the marks that a measured program sets, and the watch over it and its children.
Does not belong here: which programs are measured, and what they do.

The watch is a process of its own, so that measuring costs the measured nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

_INTERVAL = 0.1
"""Seconds between two looks at the memory."""

_TAIL = 2000


class MeasuredProgramError(Exception):
    """A measured program ended with an error; says which, and the end of what it wrote."""


@dataclass(frozen=True)
class Usage:
    """What one stage cost.

    `cpu_seconds` counts the program and its finished children; `peak_mb` is the most resident
    memory of program and children together; bytes are those passed by read and write calls,
    whether or not they reached the disk; None where the system does not count them.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    read_mb: float | None
    written_mb: float | None


class Marks:
    """The file into which a measured program writes where one stage ends and the next begins."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self, stage: str) -> None:
        """From here on, costs are those of `stage`."""
        process = psutil.Process()
        times = os.times()
        moved = process.io_counters() if hasattr(process, "io_counters") else None
        mark = {
            "stage": stage,
            "at": time.monotonic(),
            "cpu": times.user + times.system + times.children_user + times.children_system,
            "read": getattr(moved, "read_chars", None),
            "written": getattr(moved, "write_chars", None),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(mark) + "\n")


def watch(
    arguments: Sequence[str], marks: Path, environment: Mapping[str, str]
) -> dict[str, Usage]:
    """Run `python -m <arguments>` to its end; what each stage cost, in the order of the marks.

    Before the first mark comes the stage `start-up`. The program's last mark must be `end`; a
    stage that comes twice is added up.

    Args:
        arguments: module and arguments; the program gets the path of `marks` by itself.
        marks: the file of its `Marks`; replaced.
        environment: added to this process's own.

    Raises:
        MeasuredProgramError: the program failed, or ended without its last mark.
    """
    marks.unlink(missing_ok=True)
    log = marks.with_suffix(".log")
    memory: list[tuple[float, float]] = []
    with log.open("w", encoding="utf-8") as output:
        begun = time.monotonic()
        process = psutil.Popen(
            [sys.executable, "-m", *arguments],
            stdout=output, stderr=subprocess.STDOUT, env=_environment(environment),
        )  # fmt: skip
        while process.poll() is None:
            memory.append((time.monotonic(), _resident_mb(process)))
            time.sleep(_INTERVAL)
    written = (
        [json.loads(line) for line in marks.read_text().splitlines()] if marks.exists() else []
    )
    if process.returncode != 0 or not written or written[-1]["stage"] != "end":
        raise MeasuredProgramError(
            f"{' '.join(arguments)} ended with {process.returncode}; the end of {log}:\n"
            + log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]
        )
    first = {"stage": "start-up", "at": begun, "cpu": 0.0, "read": 0, "written": 0}
    return _usages([first, *written], memory)


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    """This process's own and what is added; modules are compiled once, as everywhere.

    Where bytecode may not be kept, as in many containers, every measured program and each of its
    children would compile the project's modules anew.
    """
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **added}


def _resident_mb(process: psutil.Process) -> float:
    total = 0
    try:
        for member in (process, *process.children(recursive=True)):
            total += member.memory_info().rss
    except psutil.NoSuchProcess:
        pass  # it has just ended; what was counted of the others stands
    return total / 1e6


def _usages(marks: list[dict], memory: list[tuple[float, float]]) -> dict[str, Usage]:
    usages: dict[str, Usage] = {}
    moments = [at for at, _ in memory]
    for mark, after in pairwise(marks):
        low, high = bisect_left(moments, mark["at"]), bisect_left(moments, after["at"])
        # a stage shorter than the interval has the sample that follows it
        within = memory[low:high] or memory[high : high + 1]
        peak = max((size for _, size in within), default=0.0)
        usage = Usage(
            seconds=after["at"] - mark["at"],
            cpu_seconds=after["cpu"] - mark["cpu"],
            peak_mb=peak,
            read_mb=_megabytes(after["read"], mark["read"]),
            written_mb=_megabytes(after["written"], mark["written"]),
        )
        known = usages.get(mark["stage"])
        usages[mark["stage"]] = usage if known is None else total([known, usage])
    return usages


def _megabytes(after: int | None, before: int | None) -> float | None:
    return None if after is None or before is None else (after - before) / 1e6


def total(usages: Sequence[Usage]) -> Usage:
    """Several stages together: sums, and the largest of the peaks."""

    def summed(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    return Usage(
        seconds=sum(usage.seconds for usage in usages),
        cpu_seconds=sum(usage.cpu_seconds for usage in usages),
        peak_mb=max((usage.peak_mb for usage in usages), default=0.0),
        read_mb=summed([usage.read_mb for usage in usages]),
        written_mb=summed([usage.written_mb for usage in usages]),
    )
