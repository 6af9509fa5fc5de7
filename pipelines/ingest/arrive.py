"""What lies in landing, and which delivery of which dataset each file is.

Belongs here: file names. Does not belong here: opening a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
"""Endings under which file transfer programs write; such files are left alone."""

_NAME = re.compile(
    r"^(?P<dataset>.+?)_(?P<date>\d{8})(_(?P<part>\d+))?(?P<confirmed>_confirmed)?"
    r"\.(?P<extension>[^.]+(\.(gz|zip))?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Arrival:
    """One file in landing; `business_date` is None where the name does not give a date."""

    path: Path
    department: str
    dataset: str
    business_date: date | None
    part: int = 0
    """Number behind the date, where a dataset sends several files a day; 0 without."""

    @property
    def name(self) -> str:
        """`department/dataset`."""
        return f"{self.department}/{self.dataset}"


def arrivals(landing: Path, known: frozenset[str]) -> list[Arrival]:
    """Every finished file in landing, in the order of business date, dataset and part.

    Args:
        landing: the landing folder; one folder a department below it.
        known: `department/dataset` of every contract, usable or broken. A file whose name
            starts with a known dataset but gives no date is that dataset's, so that the
            department hears of it.
    """
    found = []
    for path in sorted(landing.glob("*/*")):
        if (
            path.is_file()
            and not path.name.startswith((".", "~$"))
            and path.suffix.lower() not in UNFINISHED
        ):
            found.append(_arrival(path, known))
    return sorted(found, key=_order)


@dataclass(frozen=True)
class Waiting:
    """A file that stays in landing after a night, and why (Chinese)."""

    name: str
    """`department/file`."""
    reason: str


def waiting(left: Sequence[Arrival], night: date) -> tuple[Waiting, ...]:
    """What the files of known datasets that a night has left in landing wait for."""
    return tuple(
        Waiting(
            f"{arrival.department}/{arrival.path.name}",
            f"业务日期晚于 {night}，届时装载"
            if arrival.business_date and arrival.business_date > night
            else "留待下一次作业（分片不齐、合同有误或在本夜之后到达）",
        )
        for arrival in left
    )


def part_of(file_name: str) -> int:
    """The number behind the date in the name of a delivered file; 0 without."""
    match = _NAME.match(file_name)
    return int(match["part"] or 0) if match else 0


def is_dated(file_name: str) -> bool:
    """Whether the name is that of a delivery: dataset and date."""
    match = _NAME.match(file_name)
    return match is not None and _day(match["date"]) is not None


def is_confirmed(file_name: str) -> bool:
    """Whether the department says that the file is meant as it is: `…_confirmed.csv`."""
    match = _NAME.match(file_name)
    return match is not None and match["confirmed"] is not None


def plain_name(file_name: str) -> str:
    """The name without `_confirmed`: files with one plain name replace each other."""
    match = _NAME.match(file_name)
    if match is None or match["confirmed"] is None:
        return file_name
    return file_name[: match.start("confirmed")] + file_name[match.end("confirmed") :]


def _order(arrival: Arrival) -> tuple[date, str, int, str]:
    return arrival.business_date or date.min, arrival.name, arrival.part, arrival.path.name


def _arrival(path: Path, known: frozenset[str]) -> Arrival:
    department = path.parent.name
    match = _NAME.match(path.name)
    if match:
        day = _day(match["date"])
        if day or f"{department}/{match['dataset']}" in known:
            return Arrival(path, department, match["dataset"], day, int(match["part"] or 0))
    candidates = [
        name.split("/")[1]
        for name in known
        if name.startswith(f"{department}/") and path.name.startswith(name.split("/")[1])
    ]
    return Arrival(path, department, max(candidates, key=len, default=path.stem), None)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
