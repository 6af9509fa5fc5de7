"""A delivery on its way into landing: complete and on disk, or not there at all.

Belongs here: temporary name, fsync, rename; the CSV that rows are written as; the facts that go
with a delivery. Does not belong here: where the rows come from.

The facts of a fetch lie beside the file as `.<file name>.fetch.json` until the door has taken
the file up; then they move into its receipt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

PART = ".part"
_FACTS = ".fetch.json"


class RowFile:
    """UTF-8 CSV with the contract's headers; takes rows chunk by chunk, every value a text."""

    def __init__(self, file: BinaryIO, headers: Sequence[str]) -> None:
        self.rows = 0
        self.headers = list(headers)
        self._file = file
        pl.DataFrame(schema=dict.fromkeys(self.headers, pl.String)).write_csv(file)

    def append(self, rows: pl.DataFrame) -> None:
        """Write one chunk; its columns are the headers, its values texts or null."""
        chosen = rows[self.headers].cast(pl.String)
        chosen.write_csv(self._file, include_header=False)
        self.rows += rows.height

    def append_records(self, records: Sequence[Sequence[str | None]]) -> None:
        """Write one chunk given as records, each with one value a header."""
        if records:
            schema = dict.fromkeys(self.headers, pl.String)
            self.append(pl.DataFrame(list(records), schema=schema, orient="row"))


@contextmanager
def landing_file(path: Path) -> Iterator[Path]:
    """A temporary path to write to, which becomes `path` when the block ends well.

    Until then the name ends in `.part`, which the door leaves alone; after a failure nothing
    is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + PART)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def row_file(path: Path, headers: Sequence[str]) -> Iterator[RowFile]:
    """A `RowFile` that becomes `path` when the block ends well."""
    with landing_file(path) as temporary, temporary.open("wb") as file:
        yield RowFile(file, headers)
        file.flush()


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """Put what is known of a fetch beside the delivery that will land at `path`."""
    with landing_file(_facts_path(path)) as temporary:
        text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")


def take_facts(path: Path) -> dict[str, Any] | None:
    """The facts of the delivery that landed at `path`; None where it was not fetched."""
    place = _facts_path(path)
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else None


def forget_facts(path: Path) -> None:
    """Remove the facts from landing, once they stand in the receipt."""
    _facts_path(path).unlink(missing_ok=True)


def _facts_path(path: Path) -> Path:
    return path.with_name(f".{path.name}{_FACTS}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
