"""One timed run, in a process of its own: `baseline FILE` or `door FILE`; prints JSON.

The time starts after the imports, which a night pays once, and ends when all is on disk. Some
imports come late, with the first rows; so both first do a few rows of the same file.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import asdict, replace
from datetime import date
from itertools import islice
from pathlib import Path

import duckdb

from pipelines.bench.machine import Run, Stopwatch, peak_memory_mb
from pipelines.bench.payments import contract
from pipelines.home import Home
from pipelines.ingest import arrive, door
from pipelines.ingest.store import Receipt
from quality.contract import Contract

NIGHT = date(2026, 6, 30)
_FIRST_LINES = 200


def baseline(path: Path, folder: Path) -> Run:
    """DuckDB alone: the file as texts into Parquet, nothing checked."""
    _copy(_beginning(path, folder), folder / "first.parquet")
    watch = Stopwatch()
    rows = _copy(path, folder / "x.parquet")
    return _run(watch, rows)


def _copy(path: Path, target: Path) -> int:
    reader = f"read_csv('{path}', all_varchar = true)"
    with duckdb.connect() as connection:
        rows = connection.execute(f"copy (from {reader}) to '{target}'").fetchall()
    return int(rows[0][0])


def through_the_door(path: Path, folder: Path) -> Run:
    """The door with all row rules: archived, judged, split, stored, with a receipt."""
    encoding = "gb18030" if "gb18030" in path.stem else "utf-8"
    formats = {".csv": "csv", ".xlsx": "xlsx", ".parquet": "parquet"}
    used = replace(contract(), encoding=encoding, file_format=formats[path.suffix])
    if path.suffix == ".csv":
        _take_up(_beginning(path, folder), used, folder / "first")
    watch = Stopwatch()
    receipt = _take_up(path, used, folder / "home")
    run = _run(watch, receipt.rows_read)
    if receipt.status != "loaded":
        raise SystemExit(f"{path.name}: {receipt.reason}")
    return replace(run, quarantined=receipt.rows_quarantined)


def _take_up(path: Path, used: Contract, folder: Path) -> Receipt:
    home = Home(folder).create()
    landing = home.landing / "bench"
    landing.mkdir()
    (landing / f"payment_{NIGHT:%Y%m%d}{path.suffix}").symlink_to(path.resolve())
    arrived = arrive.arrivals(home.landing, frozenset([used.name]))
    (receipt,) = door.take_up(home, used, arrived, NIGHT)
    return receipt


def _beginning(path: Path, folder: Path) -> Path:
    """The first lines of a text file, as a file."""
    beginning = folder / f"beginning{path.suffix}"
    with path.open("rb") as file:
        beginning.write_bytes(b"".join(islice(file, _FIRST_LINES)))
    return beginning


def _run(watch: Stopwatch, rows: int) -> Run:
    return Run(*watch.read(), round(peak_memory_mb(), 1), rows)


def main() -> None:
    """Measure once and print one line of JSON."""
    what, path = sys.argv[1], Path(sys.argv[2])
    folder = Path(tempfile.mkdtemp(prefix="yishu-bench-", dir=path.parent))
    try:
        run = {"baseline": baseline, "door": through_the_door}[what](path, folder)
    finally:
        shutil.rmtree(folder)
    sys.stdout.write(json.dumps(asdict(run)) + "\n")


if __name__ == "__main__":
    main()
