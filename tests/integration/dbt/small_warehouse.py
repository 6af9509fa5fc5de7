"""A warehouse as the door leaves it, from a few typed rows: for tests of the dbt project.

Belongs here: the tables that dbt reads (`raw`, `meta`), made from the contracts, and one
in-process run of dbt. Tables stand in for the views over Parquet; dbt sees no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import pytest

from pipelines.dbt_sources import write_sources
from pipelines.home import PROJECT, sources_folder
from quality.catalogue import Catalogue, read_catalogue
from quality.contract import META_COLUMNS

Row = dict[str, Any]


@dataclass(frozen=True)
class DbtRun:
    """What one invocation of dbt said, and the warehouse that it left."""

    statuses: dict[str, str]
    messages: dict[str, str]
    warehouse: Path
    seconds: float

    @property
    def broken(self) -> dict[str, str]:
        """Nodes that did not succeed → message."""
        good = {"success", "pass", "no-op"}  # an exposure is a no-op
        return {n: self.messages[n] for n, status in self.statuses.items() if status not in good}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The answer to a query, read only."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()


class SmallWarehouse:
    """All raw tables of the catalogue, empty, and ways to fill them."""

    def __init__(self, root: Path, business_date: date, catalogue: Catalogue | None = None) -> None:
        self.root = root
        self.path = root / "warehouse.duckdb"
        self.business_date = business_date
        self.catalogue = catalogue or read_catalogue(sources_folder())
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("create schema raw; create schema meta")
            connection.execute("create table meta.night (business_date date)")
            connection.execute("insert into meta.night values (?)", [business_date])
            connection.execute(
                "create table meta.delivery (delivery_id varchar, department varchar, "
                "dataset varchar, business_date date, night date, sequence bigint, "
                "file_name varchar, sm3 varchar, bytes bigint, rows_read bigint, "
                "rows_accepted bigint, rows_quarantined bigint, status varchar, reason varchar, "
                "superseded_by varchar, contract_version varchar, part bigint, findings varchar)"
            )
            for contract in self.catalogue.contracts:
                columns = {c.name: c.sql_type for c in contract.columns} | META_COLUMNS
                definition = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                connection.execute(f"create table raw.{contract.table} ({definition})")

    def deliver(self, dataset: str, rows: Sequence[Row], *, on: date | None = None) -> None:
        """One delivery of `department/dataset`; columns left out are null."""
        contract = self.catalogue.by_name[dataset]
        day = on or self.business_date
        delivery = f"{contract.table}_{day:%Y%m%d}"
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(
                "insert into meta.delivery (delivery_id, department, dataset, business_date, "
                "night, sequence, status) values (?, ?, ?, ?, ?, 1, 'loaded')",
                [delivery, contract.department, contract.dataset, day, day],
            )
            for line, row in enumerate(rows, start=2):
                full = row | {
                    "_delivery_id": delivery,
                    "_business_date": day,
                    "_sequence": 1,
                    "_line_number": line,
                }
                names = ", ".join(full)
                marks = ", ".join("?" for _ in full)
                connection.execute(
                    f"insert into raw.{contract.table} ({names}) values ({marks})",
                    list(full.values()),
                )

    def build(self, *arguments: str) -> DbtRun:
        """A whole `dbt build` in this process; what it writes lies under `root`."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        write_sources(self.catalogue, PROJECT / "dbt_project")
        started = perf_counter()
        with _environment(self.root, self.path):
            try:
                result = dbtRunner().invoke(
                    ["build", "--quiet", "--full-refresh",
                     "--project-dir", str(PROJECT / "dbt_project"),
                     "--profiles-dir", str(PROJECT / "dbt_project"),
                     "--target-path", str(self.root / "target"),
                     "--log-path", str(self.root / "logs"),
                     *arguments]
                )  # fmt: skip
            finally:
                DuckDBConnectionManager.close_all_connections()
        if result.exception is not None:
            raise result.exception
        nodes = [(entry.node.name, entry) for entry in result.result]
        return DbtRun(
            {name: str(entry.status) for name, entry in nodes},
            {name: str(entry.message) for name, entry in nodes},
            self.path,
            perf_counter() - started,
        )


@contextmanager
def _environment(home: Path, warehouse: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YISHU_HOME", str(home))
        patch.setenv("YISHU_WAREHOUSE", str(warehouse))
        yield
