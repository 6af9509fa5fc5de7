"""What a published file holds: the marts without personal data, and the gate before it.

Belongs here: filling one file, from nothing or from the one before. Does not belong here: how one
table gets there and the gate (`published_table`), which file is current (`publish`), the marts
(dbt).

Each column leaves as its model says (`publish` in the column's meta): as it is, masked, or
not at all. Without a word, levels L1 and L2 leave as they are and L3 and L4 do not leave.

Where the models went on from the build that the former file was made of, its tables are taken over
and rows are put in the place of former ones: those of the changed keys where a model was built by
them, those that differ where a table is large.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines.published_table import PublicationError, PublishedTable, RowSum, TableWriter

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

MOST_FREE = 0.3
"""Share of a file that may lie free before it is written anew instead of going on."""
MOST_HOLES = 0.25
"""Share of the places for rows that may be empty, after rows went, before it is written anew."""

_MASKS = {
    "clear": "{column}",
    "token": "{column}",
    "mask_name": "case when {column} is not null then left({column}, 1) || '*' end",
    "mask_text": "case when {column} is not null then left({column}, 6) || '***' end",
}


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


class Filling:
    """One file on its way: first the marts, which stand when the models do, then the platform's
    own tables, which the night writes to its end. To be closed, whatever becomes of it.

    Args:
        warehouse: a connection of its own, to a file of the name `warehouse`.
    """

    def __init__(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        self._connection = warehouse
        self._writer = TableWriter(warehouse)
        self._former: dict[tuple[str, str], RowSum] = {}
        self._tables: list[PublishedTable] = []

    def put_marts(self, target: Path, former: Path | None, manifest: Mapping[str, Any]) -> None:
        """Copy the marts of a dbt project, which has built all of them.

        Args:
            target: a file that does not exist.
            former: the current file; taken over where it was made of the build from which the
                models went on.
            manifest: of the project.

        Raises:
            PublicationError: a table is missing, or a text holds a resident or phone number.
        """
        if former is not None and _can_take_over(self._connection, former):
            shutil.copyfile(former, target)
        self._run(f"attach '{_quoted(target)}' as published; use published; begin")
        self._former = self._take_former()
        present = self._tables_of("warehouse")
        for node in _marts(manifest):
            self._put_mart(node, present)
        self._run("commit")

    def finish(self, business_date: date) -> tuple[PublishedTable, ...]:
        """Copy the platform's own tables, without later nights; the marts are there.

        Returns:
            All tables, in the order of their names.

        Raises:
            PublicationError: a table is missing, or a text holds a resident or phone number.
        """
        self._run("begin")
        present = self._tables_of("warehouse")
        for schema, name in OWN_TABLES:
            _require(present, schema, name)
            table = f"{schema}.{name}"
            query = f"select * from warehouse.{table} {self._until(schema, name, business_date)}"
            former = self._former.pop((schema, name), None)
            self._tables.append(self._writer.write(table, query, former).table(schema, name))
        for schema, name in self._former:  # no longer published
            self._run(f"drop table {schema}.{name}")
        tables = tuple(sorted(self._tables, key=lambda table: (table.schema, table.name)))
        self._note(tables, knows_its_build=("meta", "built_night") in present)
        self._run("commit; checkpoint published; use warehouse; detach published")
        return tables

    def stop(self) -> None:
        """End what runs in another thread; it raises `duckdb.InterruptException` there."""
        self._connection.interrupt()

    def close(self) -> None:
        """Let go of both files."""
        self._connection.close()

    def _put_mart(self, node: Mapping[str, Any], present: set[tuple[str, str]]) -> None:
        """The table of one model: taken over with its changes, or written anew."""
        schema, name = node["schema"], node["name"]
        _require(present, schema, name)
        expressions = published_columns(node)
        columns = ", ".join(f'{sql} as "{column}"' for column, sql in expressions.items())
        config = node.get("config") or {}
        keys = list(config.get("unique_key") or ())
        follows_keys = (
            config.get("materialized") == "incremental"
            and config.get("incremental_strategy") == "changed_keys"
            and all(expressions.get(key) == f'"{key}"' for key in keys)  # unmasked
            and {("changes", name), ("changes", f"{name}__new")} <= present
        )
        former = self._former.pop((schema, name), None)
        table = f"{schema}.{name}"
        if former is not None and follows_keys:
            changed = f"select {', '.join(keys)} from warehouse.changes.{name}"
            new = f"select {columns} from warehouse.changes.{name}__new"
            found = self._writer.replace_keys(table, keys, changed, new, former)
        else:
            found = self._writer.write(table, f"select {columns} from warehouse.{table}", former)
        self._tables.append(found.table(schema, name))

    def _note(self, tables: Sequence[PublishedTable], *, knows_its_build: bool) -> None:
        """Note the checksums and the build, for the file that follows this one."""
        self._run(
            "create table meta.published_table "
            "(schema_name varchar, table_name varchar, row_count bigint, checksum varchar)"
        )
        self._connection.executemany(
            "insert into meta.published_table values (?, ?, ?, ?)",
            [(t.schema, t.name, t.rows, t.checksum) for t in tables],
        )
        built = "select null::varchar as built_from where false"
        if knows_its_build:
            built = "select built_from from warehouse.meta.built_night where is_whole"
        self._run(f"create table meta.publication as {built}")

    def _take_former(self) -> dict[tuple[str, str], RowSum]:
        """Table → rows and checksum of the file that was taken over; empty for a new one."""
        if not self._tables_of("published"):
            return {}
        rows = self._connection.execute("from meta.published_table").fetchall()
        self._run("drop table meta.published_table; drop table meta.publication")
        return {
            (schema, name): RowSum(count, int(checksum, 16))
            for schema, name, count, checksum in rows
        }

    def _tables_of(self, database: str) -> set[tuple[str, str]]:
        return set(
            self._connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = ?",
                [database],
            ).fetchall()
        )

    def _until(self, schema: str, name: str, business_date: date) -> str:
        """Leaves out later nights, which the warehouse knows when a past night runs again."""
        dated = self._connection.execute(
            "select count(*) from duckdb_columns() where database_name = 'warehouse' "
            "and schema_name = ? and table_name = ? and column_name = 'business_date'",
            [schema, name],
        ).fetchone()
        return f"where business_date <= date '{business_date}'" if dated != (0,) else ""

    def _run(self, statements: str) -> None:
        self._connection.execute(statements)


def _require(present: set[tuple[str, str]], schema: str, name: str) -> None:
    if (schema, name) not in present:
        raise PublicationError(f"the table {schema}.{name} was not built")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _marts(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in SCHEMAS
    ]
    return sorted(models, key=lambda node: (node["schema"], node["name"]))


def _can_take_over(connection: duckdb.DuckDBPyConnection, former: Path) -> bool:
    """Whether the file was made of the build from which the models went on, and has few holes.

    What went on is in the schema `changes` as long as no other build has begun.
    """
    connection.execute(f"attach '{_quoted(former)}' as former (read_only)")
    try:
        return _follows(connection) and _has_few_holes(connection)
    finally:
        connection.execute("detach former")


def _follows(connection: duckdb.DuckDBPyConnection) -> bool:
    present = set(
        connection.execute(
            "select database_name, table_name from duckdb_tables() where schema_name = 'meta'"
        ).fetchall()
    )
    if not {("former", "publication"), ("warehouse", "built_night")} <= present:
        return False
    found = connection.execute(
        "select count(*) from former.meta.publication as former, "
        "warehouse.meta.built_night as built "
        "where built.is_whole and former.built_from = built.went_on_from"
    ).fetchone()
    return found == (1,)


def _has_few_holes(connection: duckdb.DuckDBPyConnection) -> bool:
    free = connection.execute(
        "select free_blocks, total_blocks from pragma_database_size() "
        "where database_name = 'former'"
    ).fetchone()
    # `estimated_size` counts the places of rows, those of deleted ones among them.
    holes = connection.execute(
        "select coalesce(sum(places.estimated_size - listed.row_count), 0), "
        "coalesce(sum(places.estimated_size), 0) "
        "from former.meta.published_table as listed "
        "inner join duckdb_tables() as places using (schema_name, table_name) "
        "where places.database_name = 'former'"
    ).fetchone()
    return (
        free is not None
        and free[0] <= free[1] * MOST_FREE
        and holes is not None
        and holes[0] <= holes[1] * MOST_HOLES
    )
