"""`python -m tests.fuzz.run --files 100000 --seed 1`: the bounded run behind docs/formats.md.

Each file goes through the door of a home of its own. What breaks is kept in a folder, to become
a case of the regression corpus.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from random import Random

import polars as pl

from pipelines.home import Home
from pipelines.ingest import arrive, door
from tests.fuzz import mutations, seeds

NIGHT = date(2026, 6, 30)
SECONDS_PER_FILE = 20
MEMORY_BYTES = 6 << 30
DISK_FACTOR = 40


class HangError(Exception):
    """A file took longer than its time."""


@dataclass
class Outcome:
    """What a run came to."""

    files: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak_mb: float = 0.0

    def add(self, other: Outcome) -> None:
        self.files += other.files
        self.statuses += other.statuses
        self.rules += other.rules
        self.broken += other.broken
        self.slowest = max(self.slowest, other.slowest)
        self.peak_mb = max(self.peak_mb, other.peak_mb)


def run(numbers: range, seed: int, keep: Path | None = None) -> Outcome:
    """Put the files of these numbers through the door, in this process."""
    outcome = Outcome()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES * 4, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, _hang)
    with tempfile.TemporaryDirectory(prefix="yishu-fuzz-") as folder:
        sound = seeds.seeds(Path(folder))
        for number in numbers:
            chance = Random(f"{seed}/{number}")  # noqa: S311
            chosen = chance.choice(sound)
            data, names = mutations.mutate(chance, chosen.content)
            begun = time.perf_counter()
            signal.alarm(SECONDS_PER_FILE)
            try:
                status = one(Path(folder) / "home", chosen, data)
            except Exception:  # noqa: BLE001  (whatever it is, the fuzzer reports it)
                what = f"{number} {chosen.name} {'+'.join(names)}: {traceback.format_exc(limit=-3)}"
                outcome.broken.append(what)
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{seed}_{number}.{chosen.extension}").write_bytes(data)
                status = "broken"
            finally:
                signal.alarm(0)
                shutil.rmtree(Path(folder) / "home", ignore_errors=True)
            outcome.files += 1
            outcome.slowest = max(outcome.slowest, time.perf_counter() - begun)
            outcome.statuses[status.split(":")[0]] += 1
            if ":" in status:
                outcome.rules[status.split(":")[1]] += 1
    outcome.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return outcome


def one(folder: Path, seed: seeds.Seed, data: bytes) -> str:
    """One file through the door; asserts what must hold of every file."""
    home = Home(folder).create()
    landing = home.landing / seed.contract.department
    landing.mkdir(parents=True)
    path = landing / f"{seed.contract.dataset}_{NIGHT:%Y%m%d}.{seed.extension}"
    path.write_bytes(data)
    arrived = arrive.arrivals(home.landing, frozenset([seed.contract.name]))
    (receipt,) = door.take_up(home, seed.contract, arrived, NIGHT)
    assert not path.exists(), "the file is still in landing"
    assert list(home.archive.glob("*/*")), "the original is not in the archive"
    assert receipt.rows_read == receipt.rows_accepted + receipt.rows_quarantined
    assert _rows(home.raw) == receipt.rows_accepted
    assert _rows(home.quarantine) == receipt.rows_quarantined
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert size <= DISK_FACTOR * (len(data) + 100_000), f"{size} bytes on disk of {len(data)}"
    if receipt.status == "refused":
        rule, message = (receipt.reason or "").split(": ", 1)
        assert rule.isidentifier(), "a refusal without a rule"
        assert len(message) > 5, "a refusal that says nothing"
        return f"refused:{rule}"
    assert receipt.status == "loaded"
    return "loaded"


def _rows(root: Path) -> int:
    return sum(
        pl.scan_parquet(p).select(pl.len()).collect().item() for p in root.rglob("*.parquet")
    )


def _hang(_: int, __: object) -> None:
    raise HangError(f"longer than {SECONDS_PER_FILE} s")


def _part(arguments: tuple[int, int, int, str]) -> Outcome:
    start, stop, seed, keep = arguments
    return run(range(start, stop), seed, Path(keep))


def main() -> None:
    """Run the files on both cores and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", default="fuzz-broken")
    options = parser.parse_args()
    last = options.first + options.files
    parts = [(i, min(i + 500, last), options.seed, options.keep)
             for i in range(options.first, last, 500)]  # fmt: skip
    total = Outcome()
    begun = time.monotonic()
    with get_context("spawn").Pool(options.processes) as pool:
        for outcome in pool.imap_unordered(_part, parts):
            total.add(outcome)
            sys.stderr.write(f"\r{total.files} files, {len(total.broken)} broken")
    print(
        json.dumps(
            {
                "files": total.files,
                "seconds": round(time.monotonic() - begun),
                "statuses": dict(total.statuses),
                "refused_by": dict(total.rules.most_common()),
                "slowest_s": round(total.slowest, 2),
                "peak_mb": round(total.peak_mb),
                "broken": total.broken[:20],
            },
            ensure_ascii=False,
            indent=1,
        )
    )
    sys.exit(1 if total.broken else 0)


if __name__ == "__main__":
    main()
