"""Which rows an incremental query asks for, derived from the deliveries themselves.

Belongs here: the watermark, a pure function of what lies under `raw/` for earlier business
dates. Nothing is remembered on the side, so a night that runs again asks the same question.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.ingest import store
from pipelines.ingest.store import Receipt
from quality.contract import Column, Contract


@dataclass(frozen=True)
class Window:
    """The rows from `since` on (None: from the beginning), and of a time column those before
    `before`.

    Of a column of times `since` itself is asked for again, since more rows may have come with
    the same time; they replace by key. Rows without a value are asked for every time.
    """

    column: Column
    since: int | date | datetime | None
    before: date | None

    def condition(self, name: str) -> str:
        """The window as SQL over the quoted column `name`; true for rows without a value."""
        bounds = []
        if self.since is not None:
            bounds.append(f"{name} {'>' if self.before is None else '>='} {_literal(self.since)}")
        if self.before is not None:
            bounds.append(f"{name} < {_literal(self.before)}")
        return f"({' and '.join(bounds)}) or {name} is null" if bounds else "1 = 1"


def window(raw: Path, contract: Contract, name: str, business_date: date) -> Window:
    """The window of one business date.

    Args:
        raw: the raw zone of the home.
        contract: of the dataset.
        name: the column that grows with each change.
        business_date: only deliveries of earlier dates count.
    """
    column = contract.column(name)
    before = None if column.logical_type == "integer" else business_date + timedelta(days=1)
    paths = [
        path
        for receipt in _in_force(raw, contract, business_date)
        for path in [
            store.place(raw, contract.department, contract.dataset, receipt.business_date)
            / f"{receipt.delivery_id}.parquet"
        ]
        if path.exists() and name in pl.read_parquet_schema(path)
    ]
    highest = [pl.scan_parquet(path).select(pl.col(name).max()).collect().item() for path in paths]
    return Window(column, max((v for v in highest if v is not None), default=None), before)


def _in_force(raw: Path, contract: Contract, business_date: date) -> list[Receipt]:
    """Loaded deliveries of earlier dates, the last of each file name."""
    receipts = store.read_receipts(raw, contract.department, contract.dataset)
    last = {
        receipt.file_name: receipt
        for receipt in receipts
        if receipt.status == "loaded" and receipt.business_date < business_date
    }
    return list(last.values())


def _literal(value: int | date | datetime) -> str:
    """A value of one of three types, none of which can carry SQL of its own."""
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return str(int(value))
