"""The machine that a figure was measured on, and processes of their own to measure in."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT_SOURCES = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Run:
    """One measured run, without imports: seconds, processor seconds, peak resident MB, rows."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    rows: int
    quarantined: int = 0


def describe() -> str:
    """Cores, memory, processor, system and Python of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc").exists() else []:
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {processor}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def peak_memory_mb() -> float:
    """The most resident memory that this process has had.

    Read from the kernel's own count since the program began: `ru_maxrss` also counts what the
    parent held when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Stopwatch:
    """Seconds and processor seconds (of all threads, in and for the process) since it was made."""

    def __init__(self) -> None:
        self._seconds = time.perf_counter()
        self._cpu = time.process_time()

    def read(self) -> tuple[float, float]:
        """Both, to the millisecond."""
        seconds, cpu = time.perf_counter() - self._seconds, time.process_time() - self._cpu
        return round(seconds, 3), round(cpu, 3)


def measure(*arguments: str, module: str = "pipelines.bench.door_run") -> Run:
    """Run `python -m MODULE …` in a process of its own and read what it prints.

    Raises:
        subprocess.CalledProcessError: the run failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return Run(**json.loads(output.splitlines()[-1]))
