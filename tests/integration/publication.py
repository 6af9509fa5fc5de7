"""A warehouse of one mart, and its publication, for the tests of publishing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines.home import Home
from pipelines.publish import Publication, Publishing
from pipelines.published_content import OWN_TABLES

NIGHT = date(2026, 6, 30)
Row = tuple[str | None, str | None, str | None]
ROWS: Sequence[Row] = (("a" * 32, "张三", "兰山区金雀山路1号"), ("b" * 32, None, None))
NUMBER, MOBILE = "11010519491231002X", "13812345678"


def publish(home: Home, project: dict[str, Any], night: date) -> Publication:
    return Publishing(home, project).finish(night)


def model(columns: dict[str, dict[str, str]], name: str = "person") -> dict[str, Any]:
    """A model of dbt's manifest, as small as publishing needs it."""
    return {
        "resource_type": "model",
        "schema": "population",
        "name": name,
        "columns": {
            column: {"name": column, "config": {"meta": meta}} for column, meta in columns.items()
        },
    }


COLUMNS = {
    "person_token": {"level": "L2"},
    "full_name": {"level": "L3", "publish": "mask_name"},
    "address": {"level": "L3", "publish": "mask_text"},
    "id_number": {"level": "L3"},
}


def manifest(*models: dict[str, Any]) -> dict[str, Any]:
    ephemeral = {"resource_type": "model", "schema": "staging", "name": "stg", "columns": {}}
    test = {"resource_type": "test", "schema": "population", "name": "t", "columns": {}}
    nodes = [ephemeral, test, *(models or (model(COLUMNS),))]
    return {"nodes": {f"node{i}": node for i, node in enumerate(nodes)}}


def build(home: Home, rows: Sequence[Row] = ROWS, own: str = "x") -> None:
    """A warehouse with one mart and the platform's own tables."""
    home.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(home.warehouse)) as connection:
        for schema in ("population", "staging", *sorted({schema for schema, _ in OWN_TABLES})):
            connection.execute(f"create schema {schema}")
        for schema, name in OWN_TABLES:
            connection.execute(f"create table {schema}.{name} as select '{own}' as remark")
        connection.execute(
            "create table population.person "
            "(person_token varchar, full_name varchar, address varchar, id_number varchar)"
        )
        for token, name, address in rows:
            connection.execute(
                "insert into population.person values (?, ?, ?, ?)", [token, name, address, NUMBER]
            )


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()
