"""`yishu bench city`: nights of a whole city, beside a script and checks made by hand.

Belongs here: the steps, their order, and what is kept of each between two commands.
Does not belong here: measuring (`meter`), the programs (`city_run`), the tables (`city_table`).

Every step runs in a process of its own and leaves its figures in `measured.json`, so that a city
whose night is longer than a command can be measured step by step.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pipelines.bench.city_run import STAGES
from pipelines.bench.machine import describe
from pipelines.bench.meter import MeasuredProgramError, Usage, watch
from pipelines.bench.places import Places
from pipelines.home import file_date

FIRST_NIGHT = date(2026, 6, 29)
SECOND_NIGHT = FIRST_NIGHT + timedelta(days=1)
CHANGE_RATE = 0.01
SEED = 1

STEPS = ("sample", "night", *STAGES, "again", "changed", "baseline", "pandas", "profile")
"""What `--only` knows, in the order in which it is done."""

ONE_BY_ONE = 5_000_000
"""From so many residents on, the first night is measured stage by stage."""

MOST_FOR_PANDAS = 1_100_000
"""A larger city does not fit into DataFrames of a machine with 24 GiB; `--only pandas` tries."""


@dataclass
class Measured:
    """All that is known of one city: its size, and each step's stages."""

    residents: int
    machine: str = ""
    rows: int = 0
    raw_mb: float = 0.0
    changed_rows: int = 0
    published_mb: float = 0.0
    steps: dict[str, dict[str, Usage]] = field(default_factory=dict)
    measured_on: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Step → why it has no figures."""
    pandas: dict[str, int] = field(default_factory=dict)
    profile: list[dict] = field(default_factory=list)

    @classmethod
    def read(cls, places: Places, residents: int) -> Measured:
        """What earlier commands have measured of this city."""
        if not places.state.exists():
            return cls(residents)
        kept = json.loads(places.state.read_text(encoding="utf-8"))
        kept["steps"] = {
            step: {stage: Usage(**usage) for stage, usage in stages.items()}
            for step, stages in kept["steps"].items()
        }
        return cls(**kept)

    def write(self, places: Places) -> None:
        """Keep it for the next command; whole or not at all."""
        temporary = places.state.with_suffix(".part")
        temporary.write_text(
            json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        temporary.replace(places.state)


def default_steps(residents: int) -> tuple[str, ...]:
    """What is measured where nothing is said."""
    first_night = STAGES if residents >= ONE_BY_ONE else ("night",)
    slow = ("pandas",) if residents <= MOST_FOR_PANDAS else ()
    return ("sample", *first_night, "again", "changed", "baseline", *slow, "profile")


def run(
    folder: Path, residents: int, steps: Iterable[str], report: Callable[[str], None]
) -> Measured:
    """Measure some steps of one city, in the order of `STEPS`; the figures of others stay.

    Args:
        folder: one folder a size is made below it.
        residents: size of the city.
        steps: of `STEPS`.
        report: called with a line for each step that is done.

    Raises:
        MeasuredProgramError: a night or the baseline failed.
        FileNotFoundError: a step needs what an earlier one has not made.
    """
    places = Places(folder.resolve() / str(residents))
    places.folder.mkdir(parents=True, exist_ok=True)
    measured = Measured.read(places, residents)
    measured.machine = describe()
    wanted = set(steps)
    for step in (step for step in STEPS if step in wanted):
        if step != "sample" and not places.deliveries(FIRST_NIGHT).exists():
            raise FileNotFoundError(f"{places.folder} holds no city; make it with --only sample")
        _measure(step, places, measured)
        measured.measured_on[step] = date.today().isoformat()
        measured.write(places)
        report(_line(step, measured))
    return measured


def _measure(step: str, places: Places, measured: Measured) -> None:
    measured.failed.pop(step, None)
    if step == "sample":
        _clear(places)
        measured.steps.clear()
    if step in ("night", "ingest"):
        _reset_home(places)
    night = SECOND_NIGHT if step == "changed" else FIRST_NIGHT
    if step == "changed":
        _land(places, SECOND_NIGHT)
    module, arguments = _program(step, places, measured.residents, night)
    try:
        measured.steps[step] = watch(
            [module, *arguments], places.folder / "marks.jsonl",
            {"YISHU_HOME": str(places.home.root)},
        )  # fmt: skip
    except MeasuredProgramError as error:
        measured.steps.pop(step, None)
        if step != "pandas":
            raise
        measured.failed[step] = str(error).splitlines()[0]
    if step == "sample":
        _set_aside(places, measured)
    if step in ("night", "publish"):
        measured.published_mb = _published_mb(places)
    if step == "pandas" and step in measured.steps:
        measured.pandas = json.loads((places.folder / "pandas_checks.json").read_text())
    if step == "profile":
        measured.profile = json.loads(places.profile.read_text(encoding="utf-8"))


def _program(step: str, places: Places, residents: int, night: date) -> tuple[str, list[str]]:
    marks = str(places.folder / "marks.jsonl")
    if step == "sample":
        return "pipelines.bench.make_city", [marks, str(residents), str(SEED),
                                             FIRST_NIGHT.isoformat(), str(CHANGE_RATE)]  # fmt: skip
    return "pipelines.bench.city_run", [marks, step, str(places.folder), night.isoformat()]


def _clear(places: Places) -> None:
    for path in (places.home.root, places.folder / "deliveries", places.work):
        shutil.rmtree(path, ignore_errors=True)


def _set_aside(places: Places, measured: Measured) -> None:
    """Link each night's files into a folder of its own, out of the nights' reach."""
    for night in (FIRST_NIGHT, SECOND_NIGHT):
        for path in sorted(places.home.landing.glob(f"*/*_{file_date(night)}*")):
            place = places.deliveries(night) / path.parent.name / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
    manifest = json.loads((places.home.sample_truth / "manifest.json").read_text("utf-8"))
    counts = [
        [rows for name, rows in entry["rows"].items() if f"_{file_date(night)}" in name]
        for night in (FIRST_NIGHT, SECOND_NIGHT)
        for entry in manifest["datasets"].values()
    ]
    datasets = len(manifest["datasets"])
    first, second = counts[:datasets], counts[datasets:]
    measured.rows = sum(map(sum, first))
    # a dataset that is delivered in full comes whole again; only what is more has changed
    measured.changed_rows = sum(
        sum(after) if sum(after) < sum(before) else sum(after) - sum(before)
        for before, after in zip(first, second, strict=True)
    )
    measured.raw_mb = sum(
        path.stat().st_size for path in places.deliveries(FIRST_NIGHT).rglob("*") if path.is_file()
    ) / 1e6  # fmt: skip


def _reset_home(places: Places) -> None:
    """A home in which no night has run, with the first night's files in landing."""
    shutil.rmtree(places.home.root, ignore_errors=True)
    places.home.create()
    _land(places, FIRST_NIGHT)


def _land(places: Places, night: date) -> None:
    source = places.deliveries(night)
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        place = places.home.landing / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        os.link(path, place)


def _published_mb(places: Places) -> float:
    current = (places.home.published / "current").resolve()
    return sum(path.stat().st_size for path in current.rglob("*") if path.is_file()) / 1e6


def _line(step: str, measured: Measured) -> str:
    if step in measured.failed:
        return f"{step}: {measured.failed[step]}"
    stages = measured.steps[step]
    seconds = sum(usage.seconds for usage in stages.values())
    cpu = sum(usage.cpu_seconds for usage in stages.values())
    peak = max(usage.peak_mb for usage in stages.values())
    return f"{step}: {seconds:.1f} s, {cpu:.1f} s of processor, {peak:,.0f} MB"
