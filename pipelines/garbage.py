"""Python's garbage collection in a process that runs a night and ends.

Belongs here: how often it looks for cycles. Does not belong here: which process runs a night.

dbt's manifest, Dagster's definitions and the libraries are some million objects that live to the
end. With Python's own settings every 700 new objects begin a look at the young ones, and the old
ones are gone through time and again: 4 of the 200 s of processor of a night that brings 1 %, and
still 2 of 125 with a look every 100,000.
"""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 1_000_000, 20, 20
"""New objects that begin a collection; collections that begin one of the next generation."""


def collect_seldom() -> None:
    """Let garbage lie longer; for a process whose memory is that of its tables."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
