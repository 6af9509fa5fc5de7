"""How DuckDB runs on this machine: the one place that says how much memory a night may take.

Belongs here: DuckDB's settings for every connection of a night and for making a sample city, and
opening the warehouse with them. Does not belong here: what is done with a connection.

What does not fit spills to `<database>.tmp`, beside the database, as is DuckDB's way; each
database has a folder of its own, because two would take each other's files.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from pipelines.home import Home

_SHARE, _MOST = 0.4, 5 * 2**30
"""Of the machine's memory, and at most: Python, dbt and pages of the file cache need theirs."""
_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")
"""What a container may take (cgroup v2); a number, or `max`."""


def settings() -> dict[str, str]:
    """DuckDB's settings; what is not here is as DuckDB has it (a thread for each core).

    The memory limit is 40 % of the machine's or the container's memory, 5 GiB at most, unless
    `YISHU_MEMORY_LIMIT` says another (`8GB`). Holes are not closed while a night works
    (`table_rows`).
    """
    limit = os.environ.get("YISHU_MEMORY_LIMIT") or f"{memory_limit(memory()) // 2**20}MiB"
    return {"memory_limit": limit, "max_vacuum_tasks": "0"}


def connect(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the warehouse of a home for writing.

    Raises:
        duckdb.IOException: another process has the file open.
    """
    return duckdb.connect(str(home.warehouse), config=dict(settings()))


def memory() -> int:
    """Bytes of memory that this process may hope for: the machine's, or its container's."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        group = _CONTROL_GROUP.read_text(encoding="ascii").strip()
    except OSError:
        return machine
    return min(machine, int(group)) if group.isdigit() else machine


def memory_limit(available: int) -> int:
    """Bytes for DuckDB out of those available."""
    return min(int(available * _SHARE), _MOST)
