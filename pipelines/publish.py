"""Publishing: a file of the marts without personal data, then an atomic switch.

Belongs here: versions, and which of them is current. Does not belong here: what a file holds
(`published_content`), the marts (dbt) or what analysts may ask (`query`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines import engine
from pipelines.home import Home, file_date
from pipelines.published_content import Filling
from pipelines.published_table import PublishedTable

KEPT_VERSIONS = 7
FILE = "marts.duckdb"
_A_MOMENT = 0.1
"""Seconds after which a copy that was told to stop is told again: DuckDB forgets it between two
statements."""


@dataclass(frozen=True)
class Publication:
    """One published version."""

    version: str
    path: Path
    tables: tuple[PublishedTable, ...]
    is_new: bool


class Publishing:
    """One night's publication, which may begin when the models stand and ends with the night.

    Once begun it keeps the warehouse open in this process, with `engine.settings()`: whoever opens
    it with others meets an error.
    """

    def __init__(self, home: Home, manifest: Mapping[str, Any]) -> None:
        self._home = home
        self._manifest = manifest
        self._temporary = home.published / f".incoming-{os.getpid()}.duckdb"
        self._begun: tuple[Filling, Future[None]] | None = None

    def begin(self) -> None:
        """Begin to copy the marts, in a thread of its own."""
        self.abandon()
        self._begun = self._begin()

    def finish(self, business_date: date) -> Publication:
        """Copy the marts unless that was begun, and what else is published; look for personal data
        in clear, and switch `current`.

        A version's name holds the checksum of its content, so that the same night again gives the
        same version and nothing is written twice.

        Raises:
            PublicationError: a table is missing, or a text holds a resident or phone number.
        """
        try:
            filling, marts = self._begun = self._begun or self._begin()
            marts.result()
            tables = filling.finish(business_date)
            version, is_new = self._put_in_place(business_date, tables)
        finally:
            self.abandon()
        _forget_old(self._home.published)
        return Publication(version, self._home.published / version / FILE, tables, is_new)

    def abandon(self) -> None:
        """Stop what was begun, and leave nothing of it; without effect after the end."""
        if self._begun is not None:
            filling, marts = self._begun
            while not marts.done():
                filling.stop()
                wait([marts], _A_MOMENT)
            filling.close()
            self._begun = None
        self._temporary.unlink(missing_ok=True)
        Path(f"{self._temporary}.wal").unlink(missing_ok=True)

    def _begin(self) -> tuple[Filling, Future[None]]:
        self._home.published.mkdir(parents=True, exist_ok=True)
        for left in self._home.published.glob(".incoming-*"):  # by a night that was killed
            left.unlink()
        filling = Filling(engine.connect(self._home))
        pool = ThreadPoolExecutor(1, thread_name_prefix="publish")
        former = current(self._home)
        marts = pool.submit(filling.put_marts, self._temporary, former, self._manifest)
        pool.shutdown(wait=False)
        return filling, marts

    def _put_in_place(
        self, business_date: date, tables: Iterable[PublishedTable]
    ) -> tuple[str, bool]:
        version = f"{file_date(business_date)}-{_combined(tables)}"
        folder = self._home.published / version
        is_new = not (folder / FILE).exists()
        if is_new:
            folder.mkdir(exist_ok=True)
            with self._temporary.open("rb") as file:
                os.fsync(file.fileno())
            self._temporary.replace(folder / FILE)
        _switch(self._home.published, version)
        return version, is_new


def current(home: Home) -> Path | None:
    """The file behind `current`, by its real name; None before the first publication."""
    link = home.published / "current"
    path = (link / FILE).resolve()
    return path if path.exists() else None


def _combined(tables: Iterable[PublishedTable]) -> str:
    total = 0
    for table in tables:
        total = (total * 1_000_003 + int(table.checksum, 16) + table.rows) % (1 << 64)
    return f"{total:016x}"[:12]


def _switch(published: Path, version: str) -> None:
    temporary = published / f".current-{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(version)
    temporary.replace(published / "current")


def _forget_old(published: Path) -> None:
    """Keep the newest versions; the current one always stays."""
    now = (published / "current").resolve()
    versions = sorted(
        (path for path in published.iterdir() if (path / FILE).exists() and not path.is_symlink()),
        key=lambda path: (path / FILE).stat().st_mtime,
        reverse=True,
    )
    for old in versions[KEPT_VERSIONS:]:
        if old != now:
            shutil.rmtree(old)
