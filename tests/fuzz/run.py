"""`python -m tests.fuzz.run --files 100000 --seed 1`: the bounded run behind docs/formats.md.

Each file goes through the door of a home of its own. What breaks is kept in a folder, to become
a case of the regression corpus. A number names a file for ever: `--first 40000 --files 20000`
runs a slice, and slices may run one after the other or side by side.
"""

from __future__ import annotations

import argparse
import json
import os
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
CPU_SECONDS_PER_FILE = 20
SECONDS_PER_FILE = 180
"""By the clock, for what waits without using the processor; on a busy machine a file that hangs
nowhere may take far longer than its processor time."""
PEAK_MB = 1_500
"""What a process may hold at its peak, the interpreter and all libraries included."""
DISK_FACTOR = 40
_MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - Linux' RAM disk; what is tested is not the disk


class HangError(Exception):
    """A file took longer than its time."""


@dataclass
class Outcome:
    """What a run came to."""

    files: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    """Statuses by the format of the sound file: `xml loaded`."""
    mutations: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    """Seconds, and which file took them."""
    peak_mb: float = 0.0
    """Of the process and, apart from it, of the largest process that it started."""

    def add(self, other: Outcome) -> None:
        self.files += other.files
        self.statuses += other.statuses
        self.mutations += other.mutations
        self.rules += other.rules
        self.broken += other.broken
        self.slowest = max(self.slowest, other.slowest)
        self.peak_mb = max(self.peak_mb, other.peak_mb)

    def count(self, status: str) -> int:
        """Files of one status, whatever their format."""
        return sum(n for name, n in self.statuses.items() if name.endswith(f" {status}"))


def run(numbers: range, seed: int, keep: Path | None = None) -> Outcome:
    """Put the files of these numbers through the door, in this process."""
    outcome = Outcome()
    for limit in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(limit, _hang)
    place = _MEMORY_DISK if os.access(_MEMORY_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="yishu-fuzz-", dir=place) as folder:
        sound = seeds.seeds(Path(folder))
        for number in numbers:
            chance = Random(f"{seed}/{number}")  # noqa: S311
            chosen = chance.choice(sound)
            data, names = mutations.mutate(chance, chosen.content)
            name = f"{number} {chosen.name} {'+'.join(names)}"
            begun = time.perf_counter()
            signal.alarm(SECONDS_PER_FILE)
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS_PER_FILE)
            try:
                status = one(Path(folder) / "home", chosen, data)
            except Exception:  # noqa: BLE001  (whatever it is, the fuzzer reports it)
                outcome.broken.append(f"{name}: {traceback.format_exc(limit=-3)}")
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{seed}_{number}.{chosen.extension}").write_bytes(data)
                status = "broken"
            finally:
                signal.alarm(0)
                signal.setitimer(signal.ITIMER_PROF, 0)
                shutil.rmtree(Path(folder) / "home", ignore_errors=True)
            outcome.files += 1
            outcome.slowest = max(outcome.slowest, (time.perf_counter() - begun, name))
            word, _, rule = status.partition(":")
            outcome.statuses[f"{chosen.name} {word}"] += 1
            outcome.mutations.update(names)
            if rule:
                outcome.rules[rule] += 1
    outcome.peak_mb = max(
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
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


def _hang(limit: int, _: object) -> None:
    if limit == signal.SIGPROF:
        raise HangError(f"more than {CPU_SECONDS_PER_FILE} s of the processor")
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
    os.environ["POLARS_MAX_THREADS"] = "1"  # for the processes below: tables of a dozen rows
    with get_context("spawn").Pool(options.processes) as pool:
        for outcome in pool.imap_unordered(_part, parts):
            total.add(outcome)
            sys.stderr.write(f"\r{total.files} files, {len(total.broken)} broken")
    print(
        json.dumps(
            {
                "files": total.files,
                "seconds": round(time.monotonic() - begun),
                "loaded": total.count("loaded"),
                "refused": total.count("refused"),
                "by_format": dict(sorted(total.statuses.items())),
                "by_mutation": dict(total.mutations.most_common()),
                "refused_by": dict(total.rules.most_common()),
                "slowest_s": round(total.slowest[0], 2),
                "slowest": total.slowest[1],
                "peak_mb": round(total.peak_mb),
                "broken": total.broken[:20],
            },
            ensure_ascii=False,
            indent=1,
        )
    )
    sys.exit(1 if total.broken or total.peak_mb > PEAK_MB else 0)


if __name__ == "__main__":
    main()
