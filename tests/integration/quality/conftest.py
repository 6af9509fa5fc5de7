"""Tiny warehouses, filled by hand as the door and dbt would fill them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from quality.catalogue import Catalogue, read_catalogue
from quality.contract import META_COLUMNS, QUARANTINE_COLUMNS, Contract

PROJECT = Path(__file__).resolve().parents[3]
FIRST_NIGHT = date(2026, 6, 28)


class City:
    """A warehouse whose deliveries are written row by row; `as_of` sets the night."""

    @staticmethod
    def night(number: int) -> date:
        """Business date of the nth night, counted from 1."""
        return FIRST_NIGHT + timedelta(days=number - 1)

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self.path = path
        self.catalogue = catalogue
        with duckdb.connect(str(path)) as connection:
            for schema in ("raw", "quarantine", "staging", "meta", "quality"):
                connection.execute(f"create schema {schema}")
            connection.execute(
                "create table meta.delivery (delivery_id varchar, department varchar, "
                "dataset varchar, business_date date, night date, sequence bigint, "
                "file_name varchar, sm3 varchar, bytes bigint, rows_read bigint, "
                "rows_accepted bigint, rows_quarantined bigint, status varchar, reason varchar, "
                "superseded_by varchar, contract_version varchar, part bigint, findings varchar)"
            )
            for contract in catalogue.contracts:
                self._create(connection, contract)

    def _create(self, connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
        columns = {column.name: column.sql_type for column in contract.columns}
        for schema, extra in (("raw", META_COLUMNS), ("quarantine", QUARANTINE_COLUMNS)):
            described = ", ".join(f"{n} {t}" for n, t in {**columns, **extra}.items())
            connection.execute(f"create table {schema}.{contract.table} ({described})")
        newest = f"(select max(_business_date) from raw.{contract.table})"
        connection.execute(
            f"create view staging.{contract.staging_model} as "
            f"select {', '.join(columns)}, _delivery_id, _business_date, _line_number, _flags "
            f"from raw.{contract.table} "
            + (f"where _business_date = {newest} " if contract.delivery == "full" else "")
            + f"qualify row_number() over (partition by {', '.join(contract.key)} "
            "order by _business_date desc, _sequence desc, _line_number desc) = 1"
        )

    def deliver(
        self,
        name: str,
        number: int,
        rows: list[dict[str, Any]] | None = None,
        *,
        status: str = "loaded",
    ) -> str:
        """One delivery on the nth night. A row with `_rules` is refused; `_flags` may be set.

        `_as_delivered` may hold texts that differ from the values (column → text).
        """
        contract = self.catalogue.by_name[name]
        delivery = f"{contract.dataset}-{number}"
        file_name = f"{contract.dataset}_{self.night(number):%Y%m%d}.csv"
        reason = "文件无法读取" if status == "refused" else None
        rows = rows or []
        with duckdb.connect(str(self.path)) as connection:
            for line, row in enumerate(rows, start=2):
                self._store(connection, contract, delivery, number, line, row)
            refused = sum("_rules" in row for row in rows)
            connection.execute(
                "insert into meta.delivery "
                "values ($1, $2, $3, $4, $4, 1, $5, 'sm3', 1, $6, $7, $8, $9, $10, null, '1.0.0', "
                "0, '{}')",
                [delivery, contract.department, contract.dataset, self.night(number), file_name,
                 len(rows), len(rows) - refused, refused, status, reason],
            )  # fmt: skip
        return delivery

    def _store(
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        delivery: str,
        number: int,
        line: int,
        row: dict[str, Any],
    ) -> None:
        values = {k: v for k, v in row.items() if not k.startswith("_")}
        held = "_rules" in row
        texts = {k: str(v) for k, v in values.items() if v is not None} if held else {}
        texts |= row.get("_as_delivered", {})
        values |= {
            "_delivery_id": delivery,
            "_business_date": self.night(number),
            "_sequence": 1,
            "_line_number": line,
            "_flags": row.get("_flags", ""),
            "_original": json.dumps(texts, ensure_ascii=False) if texts else None,
        }
        if held:
            values |= {"_rules": row["_rules"], "_columns": row.get("_columns", "")}
        table = f"{'quarantine' if held else 'raw'}.{contract.table}"
        marks = ", ".join("?" for _ in values)
        statement = f"insert into {table} ({', '.join(values)}) values ({marks})"
        connection.execute(statement, list(values.values()))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the warehouse."""
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Two departments: the register of enterprises (increment) and credit records (full)."""
    whole = read_catalogue(PROJECT / "pipelines" / "sources")
    names = ("market_regulation/enterprise", "development_reform/credit_record")
    return Catalogue(tuple(c for c in whole.contracts if c.name in names), ())


@pytest.fixture
def city(tmp_path: Path, catalogue: Catalogue) -> Iterator[City]:
    """An empty warehouse of the two departments."""
    return City(tmp_path / "warehouse.duckdb", catalogue)


ENTERPRISE: dict[str, Any] = {
    "unified_code": "91371302MA3C000001",
    "enterprise_name": "临沂沂河商贸有限公司",
    "enterprise_kind": "有限责任公司",
    "legal_representative": "张建国",
    "legal_representative_id_number": "371302199003071237",
    "registered_capital": 50,
    "established_on": date(2015, 3, 5),
    "enterprise_status": "在营",
    "industry_code": "5101",
    "division_code": "371302",
    "registered_address": "临沂市兰山区沂蒙路12号",
    "phone": "13954911234",
}
CREDIT: dict[str, Any] = {
    "record_number": "XY2026000001",
    "unified_code": "91371302MA3C000001",
    "enterprise_name": "临沂沂河商贸有限公司",
    "record_kind": "行政处罚",
    "severity_grade": "一般",
    "decided_on": date(2026, 1, 5),
    "published_until": date(2027, 1, 5),
    "deciding_body": "临沂市市场监督管理局",
    "reason": "未按期公示年报",
}


@pytest.fixture
def enterprise() -> Callable[..., dict[str, Any]]:
    """A good enterprise row, with the given values changed."""
    return lambda **changed: {**ENTERPRISE, **changed}


@pytest.fixture
def credit() -> Callable[..., dict[str, Any]]:
    """A good credit record, with the given values changed."""
    return lambda **changed: {**CREDIT, **changed}
