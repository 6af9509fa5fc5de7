"""A night's files through the door, several datasets at once.

Belongs here: which datasets go side by side, and in which order. Does not belong here: the way of
one dataset (`door`), or where the files come from (`fetch`).

Datasets share nothing but the archive, whose files are named by their content. One door keeps
about one and a half cores busy, and a workbook, read by a process of its own, just one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date

from pipelines.home import Home
from pipelines.ingest import door
from pipelines.ingest.arrive import Arrival
from pipelines.ingest.store import Receipt
from quality.catalogue import Entry
from quality.contract import Contract

MOST_DOORS = 4
"""Each may hold three quarters of a gigabyte."""

_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".et")
_OF_A_WORKBOOK = 60
"""A byte of a zipped workbook takes as long as so many of a delimited text."""


def take_up(
    home: Home, arrived: Sequence[tuple[Entry, Sequence[Arrival]]], night: date
) -> Iterator[tuple[Entry, list[Receipt]]]:
    """Take up the arrived files of several datasets, those that take longest first.

    Args:
        home: where things lie.
        arrived: contracts and their files in landing, as `door.take_up` wants them.
        night: business date of the night that runs.

    Yields:
        Each contract with its receipts, as soon as it is done.

    Raises:
        Exception: what a dataset's door raised, the first of them, after all others are done.
    """
    failures: list[BaseException] = []
    with ThreadPoolExecutor(_doors(), thread_name_prefix="door") as pool:
        running = {
            pool.submit(_through_the_door, home, entry, files, night): entry
            for entry, files in sorted(arrived, key=lambda each: -_weight(each[1]))
        }
        try:
            for done in as_completed(running):
                failure = done.exception()
                if failure is None:
                    yield running[done], done.result()
                else:
                    failures.append(failure)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)  # whoever stops early takes up no more
    if failures:
        raise failures[0]


def _through_the_door(
    home: Home, entry: Entry, arrived: Sequence[Arrival], night: date
) -> list[Receipt]:
    if isinstance(entry, Contract):
        return door.take_up(home, entry, arrived, night)
    return door.refuse_all(home, entry, arrived, night)


def _doors() -> int:
    return min(MOST_DOORS, os.cpu_count() or 1)


def _weight(arrived: Sequence[Arrival]) -> int:
    """About how long its files take, in bytes of delimited text."""
    return sum(
        arrival.path.stat().st_size
        * (_OF_A_WORKBOOK if arrival.path.suffix.lower() in _WORKBOOKS else 1)
        for arrival in arrived
    )
