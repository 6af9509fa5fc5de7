"""Workbooks (XLSX, XLSM, XLS, ODS) → tables, one a sheet.

Belongs here: which sheets there are, and talking to the process that opens them
(`workbook_worker`). Does not belong here: header and merged cells (`grid`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl
import pyarrow as pa

from pipelines.ingest import grid, limits
from pipelines.ingest.container import Member
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import Table
from pipelines.ingest.grid import Grid, Merge
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError

_LARGE = 2 << 20
"""A workbook from which on the process that has read it is not kept for the next one."""
_MESSAGES = {
    "encrypted": "工作簿已加密，请去掉密码后报送。",
    "unreadable": "文件不是可读取的 Excel 工作簿，可能已损坏，请重新导出后报送。",
    "too_large": f"工作表超过上限 {limits.WORKBOOK_CELLS:,} 个单元格，请改报 CSV 或拆分后报送。",
}
_RULES = {"encrypted": "encrypted", "unreadable": "unreadable_file", "too_large": "too_large"}


def _refusal(error: str) -> RefusedError:
    return RefusedError(_RULES[error], _MESSAGES[error])


class _Worker:
    """The process; it answers one request after the other."""

    _idle: list[_Worker] = []  # noqa: RUF012 - shared by all, on purpose

    def __init__(self) -> None:
        command = [sys.executable, "-m", "pipelines.ingest.workbook_worker"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.out = cast(BinaryIO, self._process.stdout)
        self.is_free = True
        """Whether its last answer has been read to the end."""
        self._is_killed = False

    @classmethod
    def take(cls) -> _Worker:
        """One that waits, or a new one."""
        try:
            worker = cls._idle.pop()
        except IndexError:
            return cls()
        return worker if worker._process.poll() is None else cls.take()

    def ask(self, request: dict[str, str], seconds: float) -> dict[str, Any]:
        """The answer to a request, which must come within some seconds.

        Raises:
            RefusedError: an error is the answer, or none comes.
        """
        self.is_free = False
        timer = threading.Timer(seconds, self._kill)
        timer.start()
        try:
            stdin = cast(BinaryIO, self._process.stdin)
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            line = self.out.readline()
            answer = json.loads(line)
            self.is_free = not answer.get("rows")
        except (OSError, ValueError):
            answer = {"error": "unreadable"}
        finally:
            timer.cancel()
        if "error" in answer:
            raise _refusal(answer["error"])
        return answer

    def leave(self, keep: bool) -> None:
        """Let the next one use it, if it is to be kept and free; else stop it."""
        if keep and self.is_free and not self._is_killed:
            self._idle.append(self)
        else:
            self._kill()
            self._process.communicate()

    def _kill(self) -> None:
        self._is_killed = True
        self._process.kill()


def tables(member: Member, layout: Layout, findings: Findings) -> Iterator[Table]:
    """The tables of a workbook, in the order of its sheets; hidden sheets are noted and skipped.

    The frames of a table must be read before the next table is asked for.

    Raises:
        RefusedError: no workbook, encrypted, too large, blank, or without the sheet asked for.
    """
    with member.on_disk() as path:
        _check_size(path)
        size = path.stat().st_size
        seconds = limits.WORKBOOK_SECONDS + limits.WORKBOOK_SECONDS_PER_MB * size / (1 << 20)
        worker = _Worker.take()
        try:
            sheets = worker.ask({"path": str(path)}, seconds)["sheets"]
            chosen = _chosen(sheets, layout, findings)
            blank = True
            for position, name in chosen:
                answer = worker.ask({"sheet": name}, seconds)
                if not answer["rows"]:
                    continue
                blank = False
                cells = _Cells(worker.out)
                merges = [Merge(*merge) for merge in answer["merges"]]
                where = f"工作表「{name}」"
                found = grid.table(Grid(cells.frames(), merges), layout, findings, where)
                yield replace(found, sheet=name, position=position, member=member.name)
                cells.drain()
                worker.is_free = True
            if blank:
                names = "、".join(name for _, name in chosen)
                raise RefusedError("empty_file", f"工作表「{names}」没有内容，请重新导出后报送。")
        finally:
            worker.leave(keep=size < _LARGE)


class _Cells:
    """The Arrow stream of a sheet; a process that dies on the way is a refusal."""

    def __init__(self, out: BinaryIO) -> None:
        self._batches = self._read(out)

    def frames(self) -> Iterator[pl.DataFrame]:
        """What is left of the sheet."""
        for batch in self._batches:
            yield cast(pl.DataFrame, pl.from_arrow(batch))

    def drain(self) -> None:
        """Read to the end, so that the next request can be made."""
        for _ in self._batches:
            pass

    @staticmethod
    def _read(out: BinaryIO) -> Iterator[pa.RecordBatch]:
        try:
            with pa.ipc.open_stream(out) as stream:
                yield from stream
        except (pa.ArrowInvalid, OSError) as error:
            raise _refusal("unreadable") from error


def _check_size(path: Path) -> None:
    """What the parts of a workbook say they unpack to."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
        return  # an old .xls, or damaged: opening it will tell
    size = sum(entry.file_size for entry in entries)
    if size > limits.WORKBOOK_EXPANDED_BYTES or len(entries) > limits.MEMBERS * 10:
        raise _refusal("too_large")


def _chosen(sheets: list[list[Any]], layout: Layout, findings: Findings) -> list[tuple[int, str]]:
    """Position and name of the sheets to read."""
    if layout.sheet is not None:
        for position, (name, _) in enumerate(sheets):
            if name == layout.sheet:
                return [(position, name)]
        there = "、".join(name for name, _ in sheets)
        message = f"工作簿中没有工作表「{layout.sheet}」（现有：{there}）。"
        raise RefusedError("missing_sheet", message)
    hidden = [name for name, is_visible in sheets if not is_visible]
    for name in hidden:
        findings.skip(f"工作表「{name}」是隐藏的，未读取。")
    chosen = [(place, name) for place, (name, visible) in enumerate(sheets) if visible]
    if not chosen:
        raise RefusedError("empty_file", "工作簿没有可见的工作表，请取消隐藏后报送。")
    return chosen
