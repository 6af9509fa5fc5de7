"""Where the seconds of a program go: which package it is in, looked at every few milliseconds.

Belongs here: the sampling thread, and to whom a moment is put down.
Does not belong here: which program is looked at.

A moment is put down to one side:

- `imports`: a module is being loaded;
- `engines`: DuckDB, Polars, Arrow, workbooks and their adapters, and the project's own code,
  which does little but call them;
- `dagster`, `dbt`, `great_expectations`: what the conveniences cost, with the libraries that work
  for them;
- `libraries`: what works for the project itself, such as the reading of YAML;
- `waiting`: no thread does anything.

The engines' own threads are not seen, and need not be: somebody waits for them.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from types import FrameType, TracebackType

_INTERVAL = 0.005

ENGINES, IMPORTS, LIBRARIES, WAITING = "engines", "imports", "libraries", "waiting"
_SIDES = {
    **dict.fromkeys(
        ("duckdb", "_duckdb", "duckdb_engine", "polars", "pandera", "pyarrow", "numpy",
         "python_calamine", "xlsxwriter"), ENGINES),
    **dict.fromkeys(("dagster", "dagster_dbt", "dagster_shared", "dagster_pipes"), "dagster"),
    **dict.fromkeys(("dbt", "dbt_common", "dbt_adapters", "dbt_semantic_interfaces"), "dbt"),
    "great_expectations": "great_expectations",
}  # fmt: skip
_OWN = frozenset(("pipelines", "quality", "scenarios"))
_ADAPTER = "dbt/adapters/duckdb/"
_WAITING = frozenset(("threading", "queue", "selectors", "concurrent", "multiprocessing"))


class Sampler:
    """Looks at all threads while its context lasts; `stage` may be set at any time."""

    def __init__(self) -> None:
        self.stage = "start-up"
        self.seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        """(stage, side) → seconds."""
        self.cpu_seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        """(stage, side) → processor seconds of the process, its engines' threads included."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="sampler", daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        main, own = threading.main_thread().ident, threading.get_ident()
        last, last_cpu = time.perf_counter(), time.process_time()
        while not self._ended.wait(_INTERVAL):
            frames = sys._current_frames()
            main_frame = frames.pop(main or 0, None)
            frames.pop(own, None)
            sides = [side_of(frame) for frame in (main_frame, *frames.values()) if frame]
            # the main thread, or whom it waits for
            side = next((side for side in sides if side != WAITING), WAITING)
            now, cpu = time.perf_counter(), time.process_time()
            self.seconds[self.stage, side] += now - last
            self.cpu_seconds[self.stage, side] += cpu - last_cpu
            last, last_cpu = now, cpu


def side_of(frame: FrameType) -> str:
    """To which side a thread's moment is put down."""
    if any(_is_import(outer) for outer in _outward(frame)):
        return IMPORTS
    through_a_library = False
    for outer in _outward(frame):
        package = _package(outer)
        if package in _WAITING:
            return LIBRARIES if through_a_library else WAITING
        if package in _OWN:
            return LIBRARIES if through_a_library else ENGINES
        if _ADAPTER in outer.f_code.co_filename:
            return ENGINES
        if package in _SIDES:
            return _SIDES[package]
        through_a_library = through_a_library or package is not None
    return LIBRARIES


def _outward(frame: FrameType) -> Iterator[FrameType]:
    current: FrameType | None = frame
    while current is not None:
        yield current
        current = current.f_back


def _is_import(frame: FrameType) -> bool:
    return frame.f_code.co_filename == "<frozen importlib._bootstrap>"


def _package(frame: FrameType) -> str | None:
    """Top-level package of a frame; None for the standard library, which works for its caller."""
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if name in _WAITING or name not in sys.stdlib_module_names:
        return name or None
    return None
