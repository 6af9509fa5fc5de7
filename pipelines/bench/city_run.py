"""One measured program of the city benchmark: `MARKS WHAT FOLDER DATE`; see `WORK`.

Belongs here: what runs in the process that is measured. Does not belong here: the measuring
(`meter`), the order of the programs and the tables (`city`).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pipelines import garbage
from pipelines.bench.meter import Marks
from pipelines.bench.places import Places


class MarkingProgress:
    """A night's progress as marks: a stage begins where the night says so."""

    def __init__(self, begin: Callable[[str], None]) -> None:
        self._begin = begin

    def stage(self, name: str, total: int) -> None:  # noqa: ARG002
        """Begin a stage; of its two names, the English one."""
        self._begin(name.rsplit(maxsplit=1)[-1])

    def advance(self, name: str, step: str) -> None:
        """Steps are not measured."""


def night(marks: Marks, places: Places, business_date: date) -> None:
    """One whole night, as `yishu nightly` runs it."""
    _run_night(marks.set, places, business_date)


def _run_night(begin: Callable[[str], None], places: Places, business_date: date) -> None:
    from pipelines.home import sources_folder
    from pipelines.night import run_night
    from quality.catalogue import read_catalogue

    begin("preparation")
    catalogue = read_catalogue(sources_folder())
    summary = run_night(places.home, catalogue, business_date, MarkingProgress(begin))
    if not summary.succeeded:
        raise SystemExit(f"the night failed: {summary.failed_steps} {summary.error}")


def stage(name: str) -> Callable[[Marks, Places, date], None]:
    """One stage of a night through Dagster, with what the stages before it have left on disk."""

    def run(marks: Marks, places: Places, business_date: date) -> None:
        from pipelines.bench.night_stages import run_stage

        run_stage(name, marks, places, business_date)

    return run


def baseline(marks: Marks, places: Places, business_date: date) -> None:
    """The hand-written script: files to UTF-8 text, text to tables, tables to marts."""
    from pipelines.bench.baseline import run

    run(marks, places, business_date)


def pandas(marks: Marks, places: Places, business_date: date) -> None:
    """The contracts' checks with Great Expectations on pandas DataFrames."""
    from pipelines.bench.pandas_checks import run

    run(marks, places, business_date)


def profile(marks: Marks, places: Places, business_date: date) -> None:
    """A first night in a home of its own, looked at by the sampler."""
    from pipelines.bench.sampler import Sampler

    own = Places(places.folder / "profiled")
    if own.folder.exists():
        shutil.rmtree(own.folder)
    shutil.copytree(places.deliveries(business_date), own.home.create().landing, dirs_exist_ok=True)
    os.environ["YISHU_HOME"] = str(own.home.root)
    with Sampler() as sampler:

        def begin(name: str) -> None:
            sampler.stage = name
            marks.set(name)

        _run_night(begin, own, business_date)
    found = [
        {"stage": name, "side": side, "seconds": round(seconds, 3),
         "cpu_seconds": round(sampler.cpu_seconds[name, side], 3)}
        for (name, side), seconds in sampler.seconds.items()
    ]  # fmt: skip
    places.profile.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(own.folder)


STAGES = ("ingest", "models", "quality", "feedback", "publish")
WORK: dict[str, Callable[[Marks, Places, date], None]] = {
    "night": night,
    "again": night,
    "changed": night,
    **{name: stage(name) for name in STAGES},
    "baseline": baseline,
    "pandas": pandas,
    "profile": profile,
}


def main() -> None:
    """Do one piece of work and mark its stages."""
    path, what, folder, day = sys.argv[1:]
    garbage.collect_seldom()  # as `yishu nightly` does, for stages alone as well
    marks = Marks(Path(path))
    WORK[what](marks, Places(Path(folder)), date.fromisoformat(day))
    marks.set("end")


if __name__ == "__main__":
    main()
