"""What is known of a file before it is opened.

Belongs here: the layout that a contract or a command line declares. Does not belong here:
finding out what they leave open (`sniff`, `header`), or reading (`parse`).
"""

from __future__ import annotations

from dataclasses import dataclass

from quality.contract import Contract

FORMATS = {
    "csv": "csv", "tsv": "csv", "txt": "csv",
    "fixed": "fixed",
    "workbook": "workbook", "xlsx": "workbook", "xlsm": "workbook", "xls": "workbook",
    "ods": "workbook",
    "json": "json", "geojson": "geojson", "ndjson": "ndjson", "jsonl": "ndjson",
    "xml": "xml", "html": "html", "parquet": "parquet",
}  # fmt: skip
"""Spelling of a format → the reader that reads it."""


@dataclass(frozen=True)
class Layout:
    """How a file is laid out; what is None or empty is found by evidence."""

    file_format: str | None = None
    """csv, fixed, workbook, json, ndjson, geojson, xml, html or parquet."""
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    headers: tuple[str, ...] = ()
    """Expected headers: evidence for header row, sheet, encoding and delimiter."""
    header_rows: int | None = None
    """0 where the file has no header (then `headers` name its columns), 1 or 2."""
    widths: tuple[int, ...] = ()
    """Widths of the fields of a fixed-width file, in columns (a Chinese character takes two)."""
    record: str | None = None
    """Element (XML) or key (JSON) that holds one record, or the list of them."""


def layout_of(contract: Contract) -> Layout:
    """The layout that a contract declares."""
    return Layout(
        file_format=FORMATS.get(contract.file_format or ""),
        encoding=contract.encoding,
        delimiter=contract.delimiter,
        sheet=contract.sheet,
        headers=contract.headers,
        header_rows=contract.header_rows,
        widths=contract.widths,
        record=contract.record,
    )
