"""Publishing: a file of the marts without personal data, then an atomic switch.

Belongs here: versions, and which of them is current. Does not belong here: what a file holds
(`published_content`), the marts (dbt) or what analysts may ask (`query`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines import engine
from pipelines.home import Home, file_date
from pipelines.published_content import fill
from pipelines.published_table import PublishedTable

KEPT_VERSIONS = 7
FILE = "marts.duckdb"


@dataclass(frozen=True)
class Publication:
    """One published version."""

    version: str
    path: Path
    tables: tuple[PublishedTable, ...]
    is_new: bool


def publish(home: Home, manifest: Mapping[str, Any], business_date: date) -> Publication:
    """Copy the marts, look for personal data in clear, and switch `current`.

    A version's name holds the checksum of its content, so that the same night again gives the
    same version and nothing is written twice.

    Raises:
        PublicationError: a table is missing, or a text holds a resident or phone number.
    """
    home.published.mkdir(parents=True, exist_ok=True)
    temporary = home.published / f".incoming-{os.getpid()}.duckdb"
    temporary.unlink(missing_ok=True)
    try:
        tables = fill(
            temporary, home.warehouse, manifest, business_date, current(home), engine.settings()
        )
        version = f"{file_date(business_date)}-{_combined(tables)}"
        folder = home.published / version
        is_new = not (folder / FILE).exists()
        if is_new:
            folder.mkdir(exist_ok=True)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(folder / FILE)
        _switch(home.published, version)
    finally:
        temporary.unlink(missing_ok=True)
        Path(f"{temporary}.wal").unlink(missing_ok=True)
    _forget_old(home.published)
    return Publication(version, home.published / version / FILE, tables, is_new)


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
