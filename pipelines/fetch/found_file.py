"""Files that a department wrote somewhere else: which delivery each is, and whether it is new.

Belongs here: names, dates and sizes, of a folder and of an SFTP server alike.
Does not belong here: copying (`folder`, `sftp`).
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.fetch.delivery import landing_file
from pipelines.fetch.error import FetchError
from pipelines.home import Home, file_date
from pipelines.ingest import store
from pipelines.ingest.arrive import UNFINISHED
from pipelines.ingest.store import Receipt
from quality.contract import Contract
from quality.source import FileSource

_DATE = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)(?:_(\d{1,4})(?!\d))?")
_ENDING = re.compile(r"^\.[a-z0-9]{1,8}$")
_CLOCK_MARGIN = 86_400.0
"""Seconds by which the clocks of two machines may differ before a changed file is missed."""


@dataclass(frozen=True)
class FoundFile:
    """One file of the source: `modified` in seconds since 1970."""

    name: str
    size: int
    modified: float


@dataclass(frozen=True)
class Wanted:
    """A file to copy, and the path in landing that it gets."""

    file: FoundFile
    landing: Path
    business_date: date


def wanted(
    home: Home,
    contract: Contract,
    source: FileSource,
    found: Iterable[FoundFile],
    night: date,
    now: float,
) -> list[Wanted]:
    """The files dated at most `night` that may be new, in the order of their names.

    A file is dated by its name, or else by the day on which it was last changed. One whose
    name, size and time say that the door has had it is left out; where they leave a doubt, its
    content decides (`keep_if_new`).

    Raises:
        FetchError: two files would be the same delivery.
    """
    receipts = store.read_receipts(home.raw, contract.department, contract.dataset)
    chosen: dict[Path, Wanted] = {}
    for file in sorted(found, key=lambda file: file.name):
        if not _is_finished(file, source, now):
            continue
        day, part = _dated(file, source)
        ending = Path(file.name).suffix.lower()
        if not _ENDING.match(ending):
            ending = f".{contract.file_format}"
        name = f"{contract.dataset}_{file_date(day)}{part}{ending}"
        path = home.landing / contract.department / name
        if day > night or path.exists() or _is_old(home, file, path.name, day, receipts):
            continue
        if path in chosen:
            message = (
                f"文件 {chosen[path].file.name} 和 {file.name} 是同一天的，请各加序号 _1、_2。"
            )
            raise FetchError("ambiguous_files", message)
        chosen[path] = Wanted(file, path, day)
    return list(chosen.values())


@contextmanager
def scratch_file(item: Wanted) -> Iterator[Path]:
    """A path beside the file's place in landing, to copy to; nothing is left of it."""
    item.landing.parent.mkdir(parents=True, exist_ok=True)
    scratch = item.landing.with_name(f".{item.landing.name}.tmp")
    try:
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)


def keep_if_new(
    home: Home, contract: Contract, item: Wanted, scratch: Path, after: FoundFile
) -> bool:
    """Put a copy into landing, and say so; not if it changed meanwhile or the door has had it.

    Args:
        home: where things lie.
        contract: of the dataset.
        item: what was to be copied, as it was found.
        scratch: the copy.
        after: the original as it was when the copy was finished.
    """
    whole = after == item.file and scratch.stat().st_size == item.file.size
    if not whole or _is_known(home, contract, scratch, item.business_date):
        return False
    with landing_file(item.landing) as temporary:
        scratch.replace(temporary)
    return True


def _is_known(home: Home, contract: Contract, copy: Path, day: date) -> bool:
    """Whether the door has judged the same content of that date under the same contract."""
    with copy.open("rb") as file:
        sm3 = hashlib.file_digest(file, lambda: hashlib.new("sm3")).hexdigest()
    return any(
        receipt.sm3 == sm3
        and receipt.business_date == day
        and (receipt.status == "loaded" or receipt.contract_version == contract.version)
        for receipt in store.read_receipts(home.raw, contract.department, contract.dataset)
    )


def _is_finished(file: FoundFile, source: FileSource, now: float) -> bool:
    return (
        fnmatch.fnmatchcase(file.name, source.pattern)
        and not file.name.startswith((".", "~$"))
        and not file.name.lower().endswith(UNFINISHED)
        and file.modified <= now - source.settle_seconds
    )


def _dated(file: FoundFile, source: FileSource) -> tuple[date, str]:
    """Business date, and `_n` where the name has a number behind its date."""
    match = _DATE.search(file.name)
    if match:
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            pass
        else:
            return day, f"_{match[4]}" if match[4] else ""
    return datetime.fromtimestamp(file.modified, ZoneInfo(source.timezone)).date(), ""


def _is_old(home: Home, file: FoundFile, name: str, day: date, receipts: Sequence[Receipt]) -> bool:
    """Taken up long after it was last changed, in the same size: there is nothing new in it."""
    for receipt in receipts:
        if (receipt.file_name, receipt.business_date, receipt.bytes) == (name, day, file.size):
            folder = store.place(home.raw, receipt.department, receipt.dataset, day)
            taken = (folder / f"{receipt.delivery_id}.json").stat().st_mtime
            if receipt.status == "loaded" and file.modified < taken - _CLOCK_MARGIN:
                return True
    return False
