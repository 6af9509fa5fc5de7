"""The rows of deliveries, where they lie, as one query.

Belongs here: SQL over Parquet files of `raw/` and `quarantine/`. Does not belong here: which
deliveries count (`warehouse`), or who asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipelines.ingest import store
from pipelines.ingest.store import Receipt


def empty_columns(types: dict[str, str]) -> str:
    """The select list of columns (name → DuckDB type) without a value."""
    return ", ".join(f"cast(null as {kind}) as {name}" for name, kind in types.items())


def rows_query(root: Path, receipts: Iterable[Receipt], types: dict[str, str]) -> str:
    """The union of the deliveries' files by name, so that older contracts read too; or no rows.

    A column that no file has, because the contract grew, is null.
    """
    paths = [
        store.place(root, receipt.department, receipt.dataset, receipt.business_date)
        / f"{receipt.delivery_id}.parquet"
        for receipt in receipts
    ]
    files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths if path.exists())
    empty = empty_columns(types)
    if not files:
        return f"select {empty} where false"
    columns = ", ".join(types)
    typed = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
    return (
        f"select {typed} from ("
        f"select {columns} from (select {empty} where false) union all by name "
        f"select * from read_parquet([{files}], union_by_name = true, hive_partitioning = false))"
    )
