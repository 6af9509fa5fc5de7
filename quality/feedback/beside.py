"""Writing large workbooks beside one another: one in a process of its own, the others here.

Belongs here: which workbook goes where. Does not belong here: what one says (`workbook`).

Writing a workbook is Python's work from cell to cell, and threads would wait for one another. The
other process takes a second to start, so that it pays from some thousand lines on.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Self

from quality.feedback.contents import Contents
from quality.feedback.workbook import write_workbook
from quality.work_orders import Policy

LARGE = 5_000
"""Lines from which on a workbook is given away: half a second's work."""
GIVEN = 2
"""Workbooks given away and not yet written, at most: one that is written, and one that waits while
the next department is read here."""


class BesideWriter:
    """Writes workbooks; a large one in another process, unless that has enough of them.

    Args:
        policy: what the sheet for replies allows.
        alone: keep to this process, which has nothing else to do or no second core.
    """

    def __init__(self, policy: Policy, *, alone: bool = False) -> None:
        self._policy = policy
        self._alone = alone or (os.cpu_count() or 1) < 2
        self._pool: ProcessPoolExecutor | None = None
        self._given: list[Future[Path]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def write(self, contents: Contents, folder: Path) -> Callable[[], Path]:
        """Begin to write a department's workbook; the answer waits for it and gives its path."""
        self._given = [given for given in self._given if not given.done()]
        is_busy = len(self._given) >= GIVEN
        if len(contents.defects) < LARGE or is_busy or self._alone:
            path = write_workbook(contents, folder, self._policy)
            return lambda: path
        if self._pool is None:
            # Not a fork: DuckDB's threads, and Dagster's, are not to be copied.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context)
        running = self._pool.submit(write_workbook, contents, folder, self._policy)
        self._given.append(running)

        def finished() -> Path:
            try:
                return running.result()
            except BrokenProcessPool:  # it could not start, or was ended: this one can do it
                return write_workbook(contents, folder, self._policy)

        return finished
