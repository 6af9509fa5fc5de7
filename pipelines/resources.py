"""What the assets are handed: the city they work on, and who watches.

Belongs here: Dagster resources. Does not belong here: paths (`home`) or contracts.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipelines.home import Home
from pipelines.progress import Progress, Silent
from quality.catalogue import Catalogue


class NightRunningError(Exception):
    """Another night holds the home; two would write one warehouse."""


@dataclass(frozen=True)
class City:
    """One home with its contracts: what every asset works on."""

    home: Home
    catalogue: Catalogue
    progress: Progress = field(default_factory=Silent)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the home for one run.

        Raises:
            NightRunningError: another process holds it; names the process.
        """
        self.home.root.mkdir(parents=True, exist_ok=True)
        with self.home.lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise NightRunningError(
                    f"{self.home.root}: process {file.read().strip() or '?'} is running a night; "
                    "wait until it ends"
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
