"""Files of one dataset → a sample of their rows, and how they were read.

Belongs here: choosing rows, and holding files together. Does not belong here: reading one file
(`pipelines.ingest.parse`), or what its columns hold (`evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.ingest import parse
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import DOOR_COLUMNS, column_name, column_names
from pipelines.ingest.layout import Layout

SAMPLED_ROWS = 200_000
"""Rows that are looked at closely."""
READ_ROWS = 2_000_000
"""Rows that are read to take them from; what lies behind is not seen."""
FILE = "\0file"
"""Column of a sample: position of the file among those given. No header has a NUL."""


class DraftError(Exception):
    """Why no contract can be drafted; the message says what to do."""


@dataclass(frozen=True)
class Sample:
    """Rows of one dataset as texts, with the door's columns and `FILE`."""

    files: tuple[Path, ...]
    rows: pl.DataFrame
    headers: tuple[str, ...]
    """Of the columns that a contract can name, in the order of the file."""
    left_out: tuple[str, ...]
    """Headers that stand twice or cannot be named; blank for a column that has none."""
    findings: tuple[Findings, ...]
    """One a file."""
    rows_read: int
    is_whole: bool
    """Whether every row of every file is in the sample."""

    def texts(self, header: str) -> pl.Series:
        """What stands below a header."""
        return self.rows[column_name(header)]


def take(files: Sequence[Path], declared: Layout | None = None) -> Sample:
    """Read the files and keep at most `SAMPLED_ROWS` rows, spread evenly over what was read.

    Raises:
        RefusedError: a file that the door refuses.
        DraftError: no file, no such file, or files whose headers have little in common.
    """
    if not files:
        raise DraftError("name at least one file")
    for path in files:
        if not path.is_file():
            raise DraftError(f"no file {str(path)!r}")
    layout = declared or Layout()
    frames: list[pl.DataFrame] = []
    findings: list[Findings] = []
    read, is_whole = 0, True
    for position, path in enumerate(files):
        found = Findings()
        share = max(SAMPLED_ROWS // len(files), 1)
        rows, count, whole = _thinned(path, layout, found, share, READ_ROWS // len(files))
        if position and not _belongs(found.headers, findings[0].headers):
            raise DraftError(
                f"{path.name} has hardly a header of {files[0].name}; draft one dataset at a time"
            )
        frames.append(rows.with_columns(pl.lit(position, dtype=pl.Int32).alias(FILE)))
        findings.append(found)
        read, is_whole = read + count, is_whole and whole
    rows = pl.concat(frames, how="diagonal")
    every = list(dict.fromkeys(header for found in findings for header in found.headers))
    repeated = {name for found in findings for name in every if found.headers.count(name) > 1}
    named = tuple(
        name
        for name in every
        if column_name(name) in rows.columns and name not in repeated and _is_nameable(name)
    )
    if not named:
        raise DraftError(f"{files[0].name} has no column with a header of its own")
    left_out = tuple(name for name in every if name not in named)
    rows = rows.with_columns(rows[column_name(name)].fill_null("") for name in named)
    return Sample(tuple(files), rows, named, left_out, tuple(findings), read, is_whole)


def _is_nameable(header: str) -> bool:
    """Whether a contract can name it: not the door's own columns."""
    return bool(header) and header not in DOOR_COLUMNS


def _thinned(
    path: Path, layout: Layout, findings: Findings, keep: int, limit: int
) -> tuple[pl.DataFrame, int, bool]:
    """Rows of a file, how many were read, and whether these are all there are.

    Whenever there are twice too many, every other one goes and from then on only every other
    one is taken, so that memory is bounded and late rows count as much as early ones.
    """
    kept: list[pl.DataFrame] = []
    height, read, step = 0, 0, 1
    whole = True
    for frame in parse.read(path, layout, findings):
        if read >= limit:
            whole = False
            break
        kept.append(frame.gather_every(step, -read % step))
        read += frame.height
        height += kept[-1].height
        while height > 2 * keep:
            kept = [pl.concat(kept).gather_every(2)]
            height, step = kept[0].height, step * 2
    if not kept:
        names = column_names(findings.headers)
        empty = {name: pl.Series([], dtype=pl.String) for name in names}
        doors = zip(DOOR_COLUMNS, (pl.Int64, pl.Boolean, pl.String), strict=True)
        kept = [pl.DataFrame(empty | {name: pl.Series([], dtype=kind) for name, kind in doors})]
    rows = pl.concat(kept)
    if rows.height > keep:
        rows = rows.gather_every(2)
    return rows, read, whole and step == 1 and rows.height == read


def _belongs(headers: Sequence[str], first: Sequence[str]) -> bool:
    common = set(headers) & set(first) - {""}
    return 2 * len(common) > max(len(set(first)), 1)
