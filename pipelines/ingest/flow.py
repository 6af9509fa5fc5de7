"""Letting the steps of the door overlap: read ahead, write behind.

Belongs here: two threads' worth of plumbing. The work is in Arrow, Polars and OpenSSL, which let
go of the interpreter, so that two cores are used; order and results stay as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items in the same order, each made while the one before it is used.

    An error of the iterator is raised where its item would have come; when the reader stops
    early, at most one more item is made.
    """
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        coming: Future[object] = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


class Behind:
    """Runs calls one after the other in a thread, at most one waiting.

    Leaving the block waits for the last call; an error of a call is raised by the next one, or
    on leaving.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._pending: Future[None] | None = None

    def call(self, function: Callable[[], None]) -> None:
        """Wait for the call before, then start this one."""
        self.wait()
        self._pending = self._pool.submit(function)

    def wait(self) -> None:
        """Wait until all calls are done; raises what one of them raised."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def __enter__(self) -> Behind:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._pool.shutdown(wait=True)
