"""The sensor: a file that comes after its night has run starts that night again."""

import hashlib
import time
from datetime import date

import dagster as dg

from pipelines.home import Home
from pipelines.ingest.arrive import Arrival, arrivals
from pipelines.jobs import NIGHTLY
from pipelines.publish import current
from quality.catalogue import Catalogue

SETTLED_SECONDS = 60
"""A file that changed more recently may still be on its way in."""


def late_file_sensor(home: Home, catalogue: Catalogue) -> dg.SensorDefinition:
    """Watches landing for files of nights that have already been published."""

    @dg.sensor(
        name="late_file",
        job_name=NIGHTLY,
        minimum_interval_seconds=60,
        description="迟到的文件：其业务日期的夜间作业已经运行过时，重新运行最近一夜。",
    )
    def late_file(_: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        night = last_night(home)
        if night is None:
            return dg.SkipReason("no night has been published yet; the schedule runs the first")
        late = late_files(home, catalogue, night, time.time() - SETTLED_SECONDS)
        if not late:
            return dg.SkipReason(f"landing holds no settled file dated {night} or earlier")
        return dg.RunRequest(run_key=run_key(night, late), partition_key=night.isoformat())

    return late_file


def last_night(home: Home) -> date | None:
    """Business date of the published version; None before the first."""
    path = current(home)
    if path is None:
        return None
    digits = path.parent.name.split("-")[0]
    return date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")


def late_files(home: Home, catalogue: Catalogue, night: date, settled: float) -> list[Arrival]:
    """Files of usable contracts in landing, dated `night` or earlier, unchanged since `settled`."""
    known = frozenset(catalogue.names)
    return [
        arrival
        for arrival in arrivals(home.landing, known)
        if arrival.name in catalogue.by_name
        and (arrival.business_date or night) <= night
        and arrival.path.stat().st_mtime <= settled
    ]


def run_key(night: date, late: list[Arrival]) -> str:
    """The same files give the same key, so that one arrival starts one run."""
    digest = hashlib.new("sm3")
    for arrival in late:
        stat = arrival.path.stat()
        digest.update(f"{arrival.path}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return f"{night.isoformat()}-{digest.hexdigest()[:16]}"
