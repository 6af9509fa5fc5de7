"""Accepted and quarantined rows → Parquet, and the receipt that makes a delivery count.

Belongs here: what lies under `raw/` and `quarantine/`, written so that a crash leaves either
the whole delivery or nothing that counts. Does not belong here: DuckDB (`warehouse`).

The receipt is written last; files without a receipt are leftovers of a crash, and the next
night writes over them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from quality.contract import META_COLUMNS, QUARANTINE_COLUMNS, Contract
from quality.sql_types import polars_type


@dataclass(frozen=True)
class Receipt:
    """What became of one delivery; a row of `meta.delivery`."""

    delivery_id: str
    department: str
    dataset: str
    business_date: date
    night: date
    """Business date of the night that took the delivery up."""
    sequence: int
    """Position of the delivery among all of its dataset, 1-based; later ones win."""
    file_name: str
    sm3: str
    bytes: int
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    status: str
    reason: str | None
    contract_version: str | None
    findings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rows_read != self.rows_accepted + self.rows_quarantined:
            raise AssertionError(
                f"{self.department}/{self.dataset} {self.file_name}: {self.rows_read} rows read, "
                "but "
                f"{self.rows_accepted} accepted and {self.rows_quarantined} quarantined"
            )


def place(root: Path, department: str, dataset: str, business_date: date) -> Path:
    """The folder of one dataset's deliveries of one business date."""
    return root / department / dataset / f"business_date={business_date.isoformat()}"


def write_receipt(raw: Path, receipt: Receipt) -> Path:
    """Write the receipt; from here on the delivery counts."""
    folder = place(raw, receipt.department, receipt.dataset, receipt.business_date)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{receipt.delivery_id}.json"
    text = json.dumps(asdict(receipt), ensure_ascii=False, indent=1, default=str, sort_keys=True)
    temporary = path.with_suffix(".json.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return path


def discard(raw: Path, quarantine: Path, receipts: Iterable[Receipt]) -> None:
    """Remove the rows of deliveries that were read and shall not count."""
    for receipt in receipts:
        where = (receipt.department, receipt.dataset, receipt.business_date)
        for root in (raw, quarantine):
            (place(root, *where) / f"{receipt.delivery_id}.parquet").unlink(missing_ok=True)


def read_receipts(raw: Path, department: str, dataset: str) -> list[Receipt]:
    """All receipts of one dataset, in the order of their sequence."""
    folder = raw / department / dataset
    return sorted(
        (_receipt(path) for path in folder.glob("business_date=*/*.json")),
        key=lambda receipt: (receipt.sequence, receipt.delivery_id),
    )


def _receipt(path: Path) -> Receipt:
    data = json.loads(path.read_text(encoding="utf-8"))
    for name in ("business_date", "night"):
        data[name] = date.fromisoformat(data[name])
    return Receipt(**data)


def raw_types(contract: Contract) -> dict[str, str]:
    """Column → DuckDB type of the dataset's raw table."""
    return {c.name: c.sql_type for c in contract.columns} | META_COLUMNS


def quarantine_types(contract: Contract) -> dict[str, str]:
    """Column → DuckDB type of the dataset's quarantine table."""
    return {c.name: c.sql_type for c in contract.columns} | QUARANTINE_COLUMNS


_REPEATING = ("_delivery_id", "_business_date", "_sequence", "_flags", "_rules", "_columns")
_RISING = {"_line_number": "DELTA_BINARY_PACKED"}
_PAGE_ROWS = 1 << 20
"""More than a chunk has: pages end by their size, a megabyte."""


class RowWriter:
    """Appends chunks to one Parquet file under a temporary name.

    `repeating` names columns with few values.
    """

    def __init__(self, path: Path, types: dict[str, str], repeating: Sequence[str] = ()) -> None:
        self.path = path
        self.rows = 0
        self._types = {name: polars_type(kind) for name, kind in types.items()}
        schema = _arrow(pl.DataFrame(schema=self._types)).schema
        self._temporary = path.with_suffix(".parquet.tmp")
        self._temporary.parent.mkdir(parents=True, exist_ok=True)
        self._schema = schema
        self._writer = pq.ParquetWriter(
            self._temporary,
            schema,
            compression="zstd",
            compression_level=1,
            # A dictionary pays where values repeat; over codes and names it costs twice the time.
            use_dictionary=[*repeating, *(name for name in _REPEATING if name in types)],
            column_encoding={n: kind for n, kind in _RISING.items() if n in types},
            # The least and the greatest of a text helps no query here, and costs a fifth of it all.
            write_statistics=[n for n, kind in self._types.items() if kind != pl.String],
            store_decimal_as_integer=True,
            max_rows_per_page=_PAGE_ROWS,
            # How Arrow held the rows (texts as views) is nobody's business.
            store_schema=False,
        )

    def append(self, rows: pl.DataFrame) -> None:
        """Write one chunk as one row group."""
        if rows.height:
            typed = rows.select(pl.col(n).cast(t) for n, t in self._types.items())
            self._writer.write_table(_arrow(typed).cast(self._schema))
            self.rows += rows.height

    def finish(self) -> None:
        """Make the file whole and put it in its place; without rows there is no file."""
        self._writer.close()
        if not self.rows:
            self._temporary.unlink()
            self.path.unlink(missing_ok=True)
            return
        with self._temporary.open("rb") as file:
            os.fsync(file.fileno())
        self._temporary.replace(self.path)

    def abandon(self) -> None:
        """Throw away what was written."""
        self._writer.close()
        self._temporary.unlink(missing_ok=True)


def _arrow(rows: pl.DataFrame) -> pa.Table:
    """The rows as Polars holds them; older forms of texts would be copies."""
    return rows.to_arrow(compat_level=pl.CompatLevel.newest())


@contextmanager
def row_writers(
    files: Iterable[tuple[Path, dict[str, str], Sequence[str]]],
) -> Iterator[list[RowWriter]]:
    """Writers that finish together, or leave nothing behind where reading fails."""
    writers = [RowWriter(path, types, repeating) for path, types, repeating in files]
    try:
        yield writers
    except BaseException:
        for writer in writers:
            writer.abandon()
        raise
    for writer in writers:
        writer.finish()
