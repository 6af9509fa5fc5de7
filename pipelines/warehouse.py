"""The warehouse as of one night: raw and quarantine views, the ledger, the catalogue.

Belongs here: what stands in `warehouse.duckdb` before dbt runs.
Does not belong here: Parquet and receipts (`ingest.store`), marts (dbt), judgements (quality).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipelines import engine, last_build, replies, standing
from pipelines.delivery_rows import empty_columns, rows_query
from pipelines.home import Home
from pipelines.ingest import semantics, store
from pipelines.ingest.arrive import part_of
from pipelines.ingest.store import Receipt
from quality.catalogue import Catalogue
from quality.contract import Contract
from quality.results import insert_rows

SCHEMAS = ("raw", "quarantine", "meta", "governance", "quality")


@contextmanager
def open_warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writing connection; closed, and with it the file free, when the block ends.

    Raises:
        duckdb.IOException: another process has the file open.
    """
    connection = engine.connect(home)
    try:
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class Ledger:
    """All deliveries that count on a night, and which of them a corrected file replaces."""

    receipts: tuple[Receipt, ...]
    superseded_by: dict[str, str]

    def loaded(self, contract: Contract) -> list[Receipt]:
        """The deliveries whose rows are in force, in the order of their sequence."""
        return [
            receipt
            for receipt in self.receipts
            if (receipt.department, receipt.dataset) == (contract.department, contract.dataset)
            and receipt.status == "loaded"
            and receipt.delivery_id not in self.superseded_by
        ]


def read_ledger(home: Home, night: date) -> Ledger:
    """The receipts with business date and night up to `night`.

    A loaded file replaces an earlier loaded one of the same dataset and plain file name.
    """
    receipts: list[Receipt] = []
    for folder in sorted(home.raw.glob("*/*")):
        receipts += [
            receipt
            for receipt in store.read_receipts(home.raw, folder.parent.name, folder.name)
            if receipt.business_date <= night and receipt.night <= night
        ]
    return Ledger(tuple(receipts), semantics.superseded(receipts))


def prepare(home: Home, catalogue: Catalogue, night: date) -> Ledger:
    """Set the warehouse to one night: views over the deliveries in force, ledger, catalogue.

    Everything written here is replaced, so that a night can be run again, in any order. Where the
    warehouse stands at the same night with the same inputs, nothing is written.
    """
    ledger = read_ledger(home, night)
    code = _code(home, catalogue)
    fingerprint = _fingerprint(home, code, ledger, night)
    with open_warehouse(home) as connection:
        if standing.recorded(connection) == fingerprint:
            return ledger
        from pipelines.ingest import reload  # takes seconds to import: only where something is new

        connection.begin()
        for schema in SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(
            "create or replace table meta.night as select ? as business_date", [night]
        )
        _write_deliveries(connection, ledger)
        _write_catalogue(connection, catalogue)
        obstacles: list[tuple[str, str, str]] = []
        for contract in catalogue.contracts:
            obstacle = reload.need(contract, ledger.loaded(contract), home)
            _create_views(connection, home, contract, ledger, obstacle)
            if obstacle:
                obstacles.append((contract.department, contract.dataset, obstacle))
        _write_obstacles(connection, obstacles)
        replies.create_views(connection, home, ledger.receipts)
        last_build.write_in_force(connection, code, _in_force(home, ledger))
        standing.note(connection, standing.WAREHOUSE, fingerprint)
        connection.commit()
    return ledger


def _code(home: Home, catalogue: Catalogue) -> str:
    """Code, contracts, and where the files lie, which the views name."""
    contracts = [contract.path for contract in catalogue.contracts]
    contracts += [entry.path for entry in catalogue.broken]
    return standing.combined(
        [
            str(home.root),
            standing.code_fingerprint(home),
            *(f"{path.parent.name}/{path.name}" for path in contracts),
            *(path.read_text(encoding="utf-8", errors="replace") for path in contracts),
        ]
    )


def _fingerprint(home: Home, code: str, ledger: Ledger, night: date) -> str:
    """All that the warehouse, and whatever is made of it, depends on."""
    receipts = [f"{receipt!r} {_content(home, receipt)}" for receipt in ledger.receipts]
    return standing.combined([code, night.isoformat(), *receipts])


def _content(home: Home, receipt: Receipt) -> str:
    """What tells the rows of a delivery from others that were loaded under its name."""
    return " ".join(standing.file_fingerprint(path) for path in _files(home, receipt))


def _in_force(home: Home, ledger: Ledger) -> Iterator[last_build.InForce]:
    for receipt in ledger.receipts:
        if receipt.status == "loaded" and receipt.delivery_id not in ledger.superseded_by:
            yield (
                receipt.delivery_id, receipt.department, receipt.dataset,
                receipt.business_date, _content(home, receipt),
            )  # fmt: skip


def _files(home: Home, receipt: Receipt) -> list[Path]:
    """Where the accepted and the quarantined rows of a delivery lie, if it has any."""
    return [
        store.place(root, receipt.department, receipt.dataset, receipt.business_date)
        / f"{receipt.delivery_id}.parquet"
        for root in (home.raw, home.quarantine)
    ]


def _create_views(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    ledger: Ledger,
    obstacle: str | None,
) -> None:
    """Views over the rows; with an obstacle, views that tell of it whoever reads them."""
    for schema, root, types in (
        ("raw", home.raw, store.raw_types(contract)),
        ("quarantine", home.quarantine, store.quarantine_types(contract)),
    ):
        query = (
            _telling_query(obstacle, types)
            if obstacle
            else rows_query(root, ledger.loaded(contract), types)
        )
        connection.execute(f"create or replace view {schema}.{contract.table} as {query}")


def _telling_query(obstacle: str, types: dict[str, str]) -> str:
    """The columns, and an error instead of rows: wrong values would be worse than none."""
    text = obstacle.replace("'", "''")
    return f"select {empty_columns(types)} where cast(error('{text}') as boolean) is null"


def _write_obstacles(
    connection: duckdb.DuckDBPyConnection, obstacles: list[tuple[str, str, str]]
) -> None:
    connection.execute(
        "create or replace table meta.reload_needed "
        "(department varchar, dataset varchar, reason varchar)"
    )
    if obstacles:
        connection.executemany("insert into meta.reload_needed values (?, ?, ?)", obstacles)


def _write_deliveries(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    connection.execute(
        """
        create or replace table meta.delivery (
            delivery_id varchar, department varchar, dataset varchar, business_date date,
            night date, sequence bigint, file_name varchar, sm3 varchar, bytes bigint,
            rows_read bigint, rows_accepted bigint, rows_quarantined bigint, status varchar,
            reason varchar, superseded_by varchar, contract_version varchar, part bigint,
            findings varchar
        )
        """
    )
    rows = [
        (r.delivery_id, r.department, r.dataset, r.business_date, r.night, r.sequence, r.file_name,
         r.sm3, r.bytes, r.rows_read, r.rows_accepted, r.rows_quarantined, r.status, r.reason,
         ledger.superseded_by.get(r.delivery_id), r.contract_version, part_of(r.file_name),
         json.dumps(r.findings, ensure_ascii=False, sort_keys=True, default=str))
        for r in ledger.receipts
    ]  # fmt: skip
    _fill(connection, "meta.delivery", rows)


def _fill(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert rows of all columns at once; row by row, a year of receipts would take seconds."""
    description = connection.execute(f"from {table} limit 0").description or ()
    names = [column[0] for column in description]
    insert_rows(connection, table, names, [dict(zip(names, row, strict=True)) for row in rows])


def _write_catalogue(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    connection.execute(
        """
        create or replace table governance.dataset (
            department varchar, department_name varchar, dataset varchar, title varchar,
            domain varchar, owner varchar, contract_id varchar, contract_version varchar,
            delivery varchar, cycle_hours double, latency_hours double, share_type varchar,
            share_condition varchar, open_type varchar, keep_days bigint
        );
        create or replace table governance.data_column (
            department varchar, dataset varchar, column_name varchar, header varchar,
            title varchar, sql_type varchar, level varchar, is_required boolean,
            key_position bigint
        )
        """
    )
    datasets = [
        (c.department, c.department_name, c.dataset, c.title, c.domain, c.owner, c.contract_id,
         c.version, c.delivery, c.cycle.total_seconds() / 3600 if c.cycle else None,
         c.latency.total_seconds() / 3600, c.share_type, c.share_condition, c.open_type,
         c.keep_days)
        for c in catalogue.contracts
    ]  # fmt: skip
    columns = [
        (c.department, c.dataset, column.name, column.header, column.title, column.sql_type,
         column.level, column.required, column.key_position)
        for c in catalogue.contracts
        for column in c.columns
    ]  # fmt: skip
    _fill(connection, "governance.dataset", datasets)
    _fill(connection, "governance.data_column", columns)
