"""Files as departments send them: format, encoding, delimiter, sheet and headers of the contract.

Belongs here: writing one query result to one file, in bounded memory, always the same bytes.
Does not belong here: which rows a delivery holds (`defects`).
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import xlsxwriter

from pipelines.home import file_date
from quality.contract import Contract

_BLOCK = 1 << 20
_ROWS_A_FETCH = 10_000
_CREATED = datetime(2026, 1, 1)  # a workbook's bytes must not depend on the clock


def file_name(contract: Contract, business_date: date) -> str:
    """`<dataset>_<YYYYMMDD>.<ext>`."""
    return f"{contract.dataset}_{file_date(business_date)}.{contract.file_format}"


def write(
    connection: duckdb.DuckDBPyConnection, query: str, contract: Contract, path: Path
) -> None:
    """Write the query's rows, all texts, to `path` as the contract promises.

    CSV fields are quoted only where they must be; GB18030 files have CRLF line ends, as the
    Windows programs that write them do, UTF-8 files LF.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if contract.file_format == "xlsx":
        _write_workbook(connection, query, contract, path)
    elif contract.encoding == "gb18030":
        unicode_file = path.with_suffix(".utf-8")
        _write_csv(connection, query, contract, unicode_file)
        _transcode(unicode_file, path)
        unicode_file.unlink()
    else:
        _write_csv(connection, query, contract, path)


def _write_csv(
    connection: duckdb.DuckDBPyConnection, query: str, contract: Contract, path: Path
) -> None:
    target = str(path).replace("'", "''")
    options = f"format csv, header, delimiter '{contract.delimiter}'"
    connection.execute(f"copy ({query}) to '{target}' ({options})")


def _transcode(source: Path, target: Path) -> None:
    with (
        source.open(encoding="utf-8", newline="") as reader,
        target.open("w", encoding="gb18030", newline="\r\n") as writer,
    ):
        while block := reader.read(_BLOCK):
            writer.write(block)


def _write_workbook(
    connection: duckdb.DuckDBPyConnection, query: str, contract: Contract, path: Path
) -> None:
    options = {"constant_memory": True, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties({"created": _CREATED})
        sheet = workbook.add_worksheet(contract.sheet)
        result = connection.execute(query)
        sheet.write_row(0, 0, [column[0] for column in result.description or ()])
        row = 0
        while rows := result.fetchmany(_ROWS_A_FETCH):
            for values in rows:
                row += 1
                for place, value in enumerate(values):
                    if value is not None:
                        sheet.write_string(row, place, value)
