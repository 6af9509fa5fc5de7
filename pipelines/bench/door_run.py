"""One timed run, in a process of its own: `baseline FILE` or `door FILE`; prints JSON.

The time starts after the imports, which a night pays once, and ends when all is on disk.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import duckdb

from pipelines.bench.machine import Run, peak_memory_mb
from pipelines.bench.payments import contract
from pipelines.home import Home
from pipelines.ingest import arrive, door

NIGHT = date(2026, 6, 30)


def baseline(path: Path, folder: Path) -> Run:
    """DuckDB alone: the file as texts into Parquet, nothing checked."""
    reader = f"read_csv('{path}', all_varchar = true)"
    begun = time.perf_counter()
    with duckdb.connect() as connection:
        rows = connection.execute(f"copy (from {reader}) to '{folder}/x.parquet'").fetchall()
    return _run(begun, int(rows[0][0]))


def through_the_door(path: Path, folder: Path) -> Run:
    """The door with all row rules: archived, judged, split, stored, with a receipt."""
    home = Home(folder).create()
    landing = home.landing / "bench"
    landing.mkdir()
    name = f"payment_{NIGHT:%Y%m%d}{path.suffix}"
    (landing / name).symlink_to(path.resolve())
    encoding = "gb18030" if "gb18030" in path.stem else "utf-8"
    formats = {".csv": "csv", ".xlsx": "xlsx", ".parquet": "parquet"}
    used = replace(contract(), encoding=encoding, file_format=formats[path.suffix])
    arrived = arrive.arrivals(home.landing, frozenset([used.name]))
    begun = time.perf_counter()
    (receipt,) = door.take_up(home, used, arrived, NIGHT)
    if receipt.status != "loaded":
        raise SystemExit(f"{path.name}: {receipt.reason}")
    return replace(_run(begun, receipt.rows_read), quarantined=receipt.rows_quarantined)


def _run(begun: float, rows: int) -> Run:
    return Run(round(time.perf_counter() - begun, 3), round(peak_memory_mb(), 1), rows)


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
