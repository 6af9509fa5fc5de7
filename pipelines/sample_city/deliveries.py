"""Files as departments send them: format, encoding, delimiter, sheet and headers of the contract.

Belongs here: writing one query result to one delivery, in bounded memory, always the same bytes.
Does not belong here: which rows a delivery holds (`defects`).
"""

from __future__ import annotations

import csv
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType

import duckdb
import xlsxwriter

from pipelines.home import file_date
from quality.contract import Contract

ROWS_A_SHEET = 1_000_000
"""A sheet holds 1,048,576 lines; a delivery that is longer comes as several workbooks."""

_BLOCK = 1 << 20
_COMMA = ","
_CREATED = datetime(2026, 1, 1)  # a workbook's bytes must not depend on the clock


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery, and how many rows it holds below its line of headers."""

    name: str
    rows: int


def file_name(contract: Contract, business_date: date, part: int | None = None) -> str:
    """`<dataset>_<YYYYMMDD>[_<part>].<ext>`."""
    number = "" if part is None else f"_{part}"
    return f"{contract.dataset}_{file_date(business_date)}{number}.{contract.file_format}"


class Writer:
    """Writes deliveries below a landing folder; use it as a context.

    DuckDB writes a delivery as UTF-8 text. What Python has to make of it, a workbook or another
    encoding, a thread makes while DuckDB goes on; all is there when the context ends.
    """

    def __init__(self, landing: Path) -> None:
        self._landing = landing
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: list[Future[None]] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=error is not None)
        if error is None:
            for finished in self._pending:
                finished.result()

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        query: str,
        contract: Contract,
        business_date: date,
    ) -> list[DeliveredFile]:
        """Write the query's rows, all texts, in its order, as the contract promises.

        CSV fields are quoted only where they must be; GB18030 files have CRLF line ends, as the
        Windows programs that write them do, UTF-8 files LF.
        """
        folder = self._landing / contract.department
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file_name(contract, business_date)
        text = _text_of(contract, path)
        rows = _write_csv(connection, query, contract, text)
        if contract.file_format == "xlsx":
            files = _workbooks(contract, business_date, rows)
        else:
            files = [DeliveredFile(path.name, rows)]
        if text != path:
            self._pending.append(self._thread.submit(_finish, text, files, contract))
        return files


def write_file(
    connection: duckdb.DuckDBPyConnection, query: str, contract: Contract, path: Path
) -> None:
    """Write the query's rows to the one file `path`, at once, as `Writer.write` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _text_of(contract, path)
    rows = _write_csv(connection, query, contract, text)
    if text != path:
        _finish(text, [DeliveredFile(path.name, rows)], contract)


def _text_of(contract: Contract, path: Path) -> Path:
    """Where DuckDB writes: beside the file if Python has to make that from the text."""
    made = contract.file_format == "xlsx" or contract.encoding == "gb18030"
    return path.with_suffix(".text") if made else path


def _finish(text: Path, files: list[DeliveredFile], contract: Contract) -> None:
    if contract.file_format == "xlsx":
        _write_workbooks(text, files, contract)
    else:
        _transcode(text, text.with_name(files[0].name))
    text.unlink()


def _write_csv(
    connection: duckdb.DuckDBPyConnection, query: str, contract: Contract, path: Path
) -> int:
    target = str(path).replace("'", "''")
    options = f"format csv, header, delimiter '{contract.delimiter or _COMMA}'"
    (rows,) = connection.execute(f"copy ({query}) to '{target}' ({options})").fetchone() or (0,)
    return int(rows)


def _transcode(text: Path, path: Path) -> None:
    """The C library's iconv gains nothing on files that are mostly digits (measured)."""
    with (
        text.open(encoding="utf-8", newline="") as reader,
        path.open("w", encoding="gb18030", newline="\r\n") as writer,
    ):
        while block := reader.read(_BLOCK):
            writer.write(block)


def _workbooks(contract: Contract, business_date: date, rows: int) -> list[DeliveredFile]:
    if rows <= ROWS_A_SHEET:
        return [DeliveredFile(file_name(contract, business_date), rows)]
    return [
        DeliveredFile(file_name(contract, business_date, part), min(ROWS_A_SHEET, rows - passed))
        for part, passed in enumerate(range(0, rows, ROWS_A_SHEET), start=1)
    ]


def _write_workbooks(text: Path, files: list[DeliveredFile], contract: Contract) -> None:
    options = {"constant_memory": True, "strings_to_numbers": False}
    with text.open(encoding="utf-8", newline="") as source:
        lines = csv.reader(source, delimiter=contract.delimiter or _COMMA)
        headers = next(lines)
        for file in files:
            with xlsxwriter.Workbook(text.with_name(file.name), options) as workbook:
                workbook.set_properties({"created": _CREATED})
                sheet = workbook.add_worksheet(contract.sheet)
                sheet.write_row(0, 0, headers)
                for row, values in enumerate(islice(lines, file.rows), start=1):
                    for place, value in enumerate(values):
                        if value:
                            sheet.write_string(row, place, value)
