"""What the models were last built from, so that a build may go on from there.

Belongs here: the tables `meta.in_force` (the deliveries in force tonight), `meta.code` and
`meta.built_*` (those of the last build that ended well), and whether a build may go on.
Does not belong here: what the models make of the difference (dbt_project/macros/incremental).

A build goes on only from a whole build that ended well, with the same code and contracts, at an
earlier or the same business date. After anything else, a crash or a failed test included, every
row is built anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import duckdb

from pipelines import engine, standing
from pipelines.home import Home
from pipelines.table_rows import TableRows, close_holes, count_rows
from quality.results import insert_rows

InForce = tuple[str, str, str, date, str]
"""Delivery, department, dataset, business date, and what tells its rows from others."""


def write_in_force(
    connection: duckdb.DuckDBPyConnection, code: str, deliveries: Iterable[InForce]
) -> None:
    """Note what tonight's models are to be built from.

    Args:
        connection: of the warehouse.
        code: fingerprint of the code and the contracts.
        deliveries: whose rows are in force.
    """
    connection.execute(
        "create or replace table meta.in_force (delivery_id varchar, department varchar, "
        "dataset varchar, business_date date, content varchar)"
    )
    connection.execute("create or replace table meta.code as select ? as code", [code])
    names = ("delivery_id", "department", "dataset", "business_date", "content")
    rows = [dict(zip(names, delivery, strict=True)) for delivery in deliveries]
    insert_rows(connection, "meta.in_force", names, rows)


def can_go_on(home: Home, manifest: Mapping[str, Any]) -> bool:
    """Whether tonight's build may change the rows that changed and leave the others."""
    incremental = {
        (node["schema"], node["name"])
        for node in manifest["nodes"].values()
        if node["config"].get("materialized") == "incremental"
    }
    with engine.connect(home) as connection:
        present = set(
            connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        )
        if not {*incremental, ("meta", "built_night"), ("meta", "code")} <= present:
            return False
        found = connection.execute(
            "select built.is_whole and built.code = tonight.code "
            "and built.business_date <= night.business_date "
            "from meta.built_night as built, meta.code as tonight, meta.night as night"
        ).fetchone()
    return found == (True,)


def begin(home: Home) -> None:
    """Before the first change: what is built is no longer what it says."""
    with engine.connect(home) as connection:
        connection.execute("create schema if not exists meta")
        connection.execute("create schema if not exists changes")  # the models write there
        connection.execute(
            "create table if not exists meta.built_night "
            "(business_date date, code varchar, is_whole boolean, built_from varchar, "
            "went_on_from varchar)"
        )
        connection.execute("update meta.built_night set is_whole = false")


def finish(home: Home, *, went_on: bool) -> list[TableRows]:
    """After a whole build that ended well: from here the next one may go on.

    Returns:
        All tables and their rows.
    """
    with engine.connect(home) as connection:
        connection.begin()
        connection.execute(
            "create or replace table meta.built_in_force as select * from meta.in_force"
        )
        before = "(select built_from from meta.built_night)" if went_on else "null::varchar"
        connection.execute(
            "create or replace table meta.built_night as "
            "select night.business_date, tonight.code, true as is_whole, "
            f"?::varchar as built_from, {before} as went_on_from "
            "from meta.night as night, meta.code as tonight",
            [standing.recorded(connection)],
        )
        connection.commit()
        tables = count_rows(connection)
        if went_on:
            close_holes(connection, tables)
    return tables
