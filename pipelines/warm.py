"""Importing beside the door what the later stages of a night need.

Belongs here: that one thread. Does not belong here: what is imported.

dbt and Great Expectations take seconds to import, and the door leaves a core free while it reads
and writes. Whoever needs a module first waits for it, because an import holds the module's lock.
"""

from __future__ import annotations

import importlib
import threading
from functools import cache

_MODULES = ("dbt.cli.main", "dbt.adapters.duckdb", "quality.expectations.runner")


@cache
def start() -> threading.Thread:
    """Import the modules in the background; once a process."""
    thread = threading.Thread(target=_import, name="warm", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    for name in _MODULES:
        try:
            importlib.import_module(name)
        except ImportError:  # whoever needs the module meets the error, and tells of it
            return
