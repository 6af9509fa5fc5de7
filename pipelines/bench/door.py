"""`yishu bench door`: the door with all row rules, beside DuckDB that only copies the file.

Belongs here: which runs are made, and how they are shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from statistics import median

from pipelines.bench import payments
from pipelines.bench.machine import Run, describe, measure

WORKBOOK_ROWS = 1_000_000
"""The most that a sheet holds, less its header and a little."""


_MAKERS: dict[str, Callable[[Path], Path]] = {
    "utf-8": lambda text: text,
    "gb18030": payments.as_gb18030,
    "parquet": payments.as_parquet,
    "xlsx": payments.as_xlsx,
}


@dataclass(frozen=True)
class Case:
    """One format: the median run of the door, and of the baseline between its runs."""

    name: str
    megabytes: float
    door: Run
    baseline: Run

    @property
    def ratio(self) -> float:
        """Seconds of the door to seconds of the baseline."""
        return self.door.seconds / self.baseline.seconds


def run(
    folder: Path, rows: int, formats: list[str], repeats: int, report: Callable[[str], None]
) -> list[Case]:
    """Make the files that are not there yet, and measure each format `repeats` times.

    Door and baseline take turns, so that both meet the same machine. The baseline always reads
    the UTF-8 CSV of the same rows: DuckDB alone reads neither GB18030 nor workbooks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for name in formats:
        size = min(rows, WORKBOOK_ROWS) if name == "xlsx" else rows
        text = payments.make_csv(folder, size)
        path = _MAKERS[name](text)
        doors, baselines = [], []
        for _ in range(repeats):
            baselines.append(measure("baseline", str(text)))
            doors.append(measure("door", str(path)))
        case = Case(name, path.stat().st_size / 1e6, _middle(doors), _middle(baselines))
        report(f"{name}: {case.door.seconds:.1f} s, {case.ratio:.2f} x, {case.door.peak_mb:.0f} MB")
        cases.append(case)
    return cases


def _middle(runs: list[Run]) -> Run:
    seconds = median(run.seconds for run in runs)
    nearest = min(runs, key=lambda run: abs(run.seconds - seconds))
    return replace(nearest, peak_mb=max(run.peak_mb for run in runs))


def table(cases: list[Case], repeats: int) -> str:
    """The result as Markdown, with machine and date."""
    lines = [
        f"Machine: {describe()}. {date.today():%Y-%m-%d}. Median of {repeats} runs, door and",
        "baseline in turn; peak memory is the largest. Imports (about 3 s, once a night) excluded.",
        "",
        "| format | rows | MB | door s | cpu s | peak MB | quarantined "
        "| baseline s | cpu s | peak MB | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {c.name} | {c.door.rows:,} | {c.megabytes:,.0f} | {c.door.seconds:.2f} | "
        f"{c.door.cpu_seconds:.2f} | {c.door.peak_mb:,.0f} | {c.door.quarantined:,} | "
        f"{c.baseline.seconds:.2f} | {c.baseline.cpu_seconds:.2f} | {c.baseline.peak_mb:,.0f} | "
        f"{c.ratio:.2f} |"
        for c in cases
    ]
    return "\n".join(lines) + "\n"


def as_json(cases: list[Case], repeats: int) -> str:
    """The result for programs: machine, date, and of each format both runs and their ratio."""
    found = {
        "machine": describe(),
        "date": f"{date.today():%Y-%m-%d}",
        "repeats": repeats,
        "cases": [asdict(case) | {"ratio": round(case.ratio, 3)} for case in cases],
    }
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
