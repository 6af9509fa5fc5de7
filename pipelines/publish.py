"""Publishing: a copy of the marts without personal data, then an atomic switch.

Belongs here: what leaves the warehouse for analysts, and the gate before it.
Does not belong here: the marts (dbt) or what analysts may ask (`query`).

Each column leaves as its model says (`publish` in the column's meta): as it is, masked, or
not at all. Without a word, levels L1 and L2 leave as they are and L3 and L4 do not leave.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines.home import Home, file_date

SCHEMAS = ("population", "legal_entity", "credit", "scenario")
OWN_TABLES = (
    ("governance", "dataset"),
    ("governance", "data_column"),
    ("meta", "delivery"),
    ("meta", "night"),
    ("quality", "expected_check"),
    ("quality", "rule_result"),
    ("quality", "cause"),
    ("quality", "defect"),
    ("quality", "disagreement"),
    ("quality", "indicator_score"),
    ("quality", "dataset_score"),
    ("quality", "department_score"),
    ("quality", "city_score"),
    ("quality", "work_order"),
    ("quality", "work_order_event"),
    ("quality", "reply"),
    ("quality", "campaign_progress"),
)
"""Tables that the platform itself writes; they hold no personal data by construction, and
the gate looks all the same."""

KEPT_VERSIONS = 7
FILE = "marts.duckdb"

_MASKS = {
    "clear": "{column}",
    "token": "{column}",
    "mask_name": "case when {column} is not null then left({column}, 1) || '*' end",
    "mask_text": "case when {column} is not null then left({column}, 6) || '***' end",
}
_PERSONAL = (
    r"(^|[^0-9A-Za-z])([1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"|1[3-9]\d{9})($|[^0-9A-Za-z])"
)
"""A resident number or a mobile number standing by itself in a text."""


class PublicationError(Exception):
    """Nothing was published, and what was published before stays; says why."""


@dataclass(frozen=True)
class PublishedTable:
    """One published table; `checksum` does not depend on the order of its rows."""

    schema: str
    name: str
    rows: int
    checksum: str


@dataclass(frozen=True)
class Publication:
    """One published version."""

    version: str
    path: Path
    tables: tuple[PublishedTable, ...]
    is_new: bool


def publish(home: Home, manifest: Mapping[str, Any], business_date: date) -> Publication:
    """Copy the marts, look for personal data in clear, and switch `current`.

    A version's name holds the checksum of its content, so that the same night again gives the
    same version and nothing is written twice.

    Raises:
        PublicationError: a table is missing, or a text holds a resident or phone number.
    """
    home.published.mkdir(parents=True, exist_ok=True)
    temporary = home.published / f".incoming-{os.getpid()}.duckdb"
    temporary.unlink(missing_ok=True)
    try:
        tables = _copy(home, manifest, business_date, temporary)
        version = f"{file_date(business_date)}-{_combined(tables)}"
        folder = home.published / version
        is_new = not (folder / FILE).exists()
        if is_new:
            folder.mkdir(exist_ok=True)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(folder / FILE)
        _switch(home.published, version)
    finally:
        temporary.unlink(missing_ok=True)
        Path(f"{temporary}.wal").unlink(missing_ok=True)
    _forget_old(home.published)
    return Publication(version, home.published / version / FILE, tables, is_new)


def current(home: Home) -> Path | None:
    """The file behind `current`, by its real name; None before the first publication."""
    link = home.published / "current"
    path = (link / FILE).resolve()
    return path if path.exists() else None


def published_columns(node: Mapping[str, Any]) -> dict[str, str]:
    """Column → SQL expression of what leaves of one model, in the model's order.

    Raises:
        PublicationError: a column has no level or an unknown `publish`, an L3 or L4 column would
            leave in clear, or nothing would leave.
    """
    expressions = {}
    for name, column in node["columns"].items():
        meta = (column.get("config") or {}).get("meta") or column.get("meta") or {}
        level, how = meta.get("level"), meta.get("publish")
        if level not in ("L1", "L2", "L3", "L4"):
            raise PublicationError(f"{node['name']}.{name} has no level; set meta.level to L1 … L4")
        how = how or ("clear" if level in ("L1", "L2") else "drop")
        if how not in (*_MASKS, "drop"):
            known = ", ".join((*_MASKS, "drop"))
            raise PublicationError(f"{node['name']}.{name}: publish {how!r} is none of {known}")
        if level in ("L3", "L4") and how in ("clear", "token"):
            raise PublicationError(f"{node['name']}.{name} is {level} and must not leave in clear")
        if how != "drop":
            expressions[name] = _MASKS[how].format(column=f'"{name}"')
    if not expressions:
        table = f"{node['schema']}.{node['name']}"
        raise PublicationError(f"no column of {table} may leave; set publish on one")
    return expressions


def _copy(
    home: Home, manifest: Mapping[str, Any], business_date: date, target: Path
) -> tuple[PublishedTable, ...]:
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in SCHEMAS
    ]
    with duckdb.connect(str(target)) as connection:
        warehouse = str(home.warehouse).replace("'", "''")
        connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
        present = {
            tuple(row)
            for row in connection.execute(
                "select schema_name, table_name from duckdb_tables() "
                "where database_name = 'warehouse'"
            ).fetchall()
        }
        for node in sorted(models, key=lambda node: (node["schema"], node["name"])):
            if (node["schema"], node["name"]) not in present:
                raise PublicationError(f"the table {node['schema']}.{node['name']} was not built")
            columns = ", ".join(f'{sql} as "{n}"' for n, sql in published_columns(node).items())
            _create(connection, node["schema"], node["name"], columns)
        for schema, name in OWN_TABLES:
            if (schema, name) not in present:
                raise PublicationError(f"the table {schema}.{name} was not built")
            _create(connection, schema, name, "*", _until(connection, schema, name, business_date))
        tables = _checksums(connection)
        _refuse_personal_data(connection, tables)
        connection.execute("detach warehouse")
    return tables


def _create(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, columns: str, where: str = ""
) -> None:
    connection.execute(f"create schema if not exists {schema}")
    connection.execute(
        f"create table {schema}.{name} as select {columns} from warehouse.{schema}.{name} {where}"
    )


def _until(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, business_date: date
) -> str:
    """Leaves out later nights, which the warehouse knows when a past night runs again."""
    dated = connection.execute(
        "select count(*) from duckdb_columns() where database_name = 'warehouse' "
        "and schema_name = ? and table_name = ? and column_name = 'business_date'",
        [schema, name],
    ).fetchone()
    return f"where business_date <= date '{business_date}'" if dated != (0,) else ""


def _own_tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name <> 'warehouse' order by 1, 2"
    ).fetchall()


def _checksums(connection: duckdb.DuckDBPyConnection) -> tuple[PublishedTable, ...]:
    tables = []
    for schema, name in _own_tables(connection):
        rows, checksum = connection.execute(
            f"select count(*), sum(hash(t)::hugeint) % 18446744073709551616 from {schema}.{name} t"
        ).fetchone() or (0, None)
        tables.append(PublishedTable(schema, name, rows, f"{int(checksum or 0):016x}"))
    connection.execute(
        "create table meta.published_table "
        "(schema_name varchar, table_name varchar, row_count bigint, checksum varchar)"
    )
    connection.executemany(
        "insert into meta.published_table values (?, ?, ?, ?)",
        [(t.schema, t.name, t.rows, t.checksum) for t in tables],
    )
    return tuple(tables)


def _refuse_personal_data(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[PublishedTable]
) -> None:
    """The last gate: no text, nested or not, holds a resident or mobile number."""
    for table in tables:
        columns = connection.execute(
            "select column_name from duckdb_columns() where database_name <> 'warehouse' "
            "and schema_name = ? and table_name = ? "
            "and (data_type like '%VARCHAR%' or data_type = 'JSON')",
            [table.schema, table.name],
        ).fetchall()
        if not columns:
            continue
        counts = ", ".join(
            f"count(*) filter (where regexp_matches(\"{name}\"::varchar, '{_PERSONAL}'))"
            for (name,) in columns
        )
        found = connection.execute(f"select {counts} from {table.schema}.{table.name}").fetchone()
        for (name,), count in zip(columns, found or (), strict=True):
            if count:
                raise PublicationError(
                    f"{table.schema}.{table.name}.{name} holds {count} texts with a resident or "
                    "mobile number; mask or drop the column in its model"
                )


def _combined(tables: Iterable[PublishedTable]) -> str:
    total = 0
    for table in tables:
        total = (total * 1_000_003 + int(table.checksum, 16) + table.rows) % (1 << 64)
    return f"{total:016x}"[:12]


def _switch(published: Path, version: str) -> None:
    temporary = published / f".current-{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(version)
    temporary.replace(published / "current")


def _forget_old(published: Path) -> None:
    """Keep the newest versions; the current one always stays."""
    now = (published / "current").resolve()
    versions = sorted(
        (path for path in published.iterdir() if (path / FILE).exists() and not path.is_symlink()),
        key=lambda path: (path / FILE).stat().st_mtime,
        reverse=True,
    )
    for old in versions[KEPT_VERSIONS:]:
        if old != now:
            shutil.rmtree(old)
