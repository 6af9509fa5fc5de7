"""Rows of the warehouse's tables, and the places that rows left empty.

Belongs here: counting both, and closing the holes when they are many.
Does not belong here: what a build changes (dbt), holes of the published file (`published_content`).

Where rows go, DuckDB leaves their places in the file. It could close them at each checkpoint
(`max_vacuum_tasks`), but rewrites more for it than a night of few changes did, on one core. So the
night leaves holes (`engine`), and closes all of them once they make a good part of the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

MOST_HOLES = 0.25
"""Share of the places for rows that may be empty: more, and each look at a table takes a third
longer. DuckDB closes hardly any below it, for it makes three groups of rows out of four."""


@dataclass(frozen=True)
class TableRows:
    """One table of the warehouse."""

    schema: str
    name: str
    rows: int
    places: int
    """Rows and holes together."""


def count_rows(connection: duckdb.DuckDBPyConnection) -> list[TableRows]:
    """All tables, in the order of their names; DuckDB's own estimate counts holes as rows."""
    tables = connection.execute(
        "select schema_name, table_name, estimated_size from duckdb_tables() "
        "where database_name = current_database() and not temporary order by all"
    ).fetchall()
    if not tables:
        return []
    counts = ", ".join(f'(select count(*) from "{schema}"."{name}")' for schema, name, _ in tables)
    rows = connection.execute(f"select {counts}").fetchall()[0]
    return [
        TableRows(schema, name, count, places)
        for (schema, name, places), count in zip(tables, rows, strict=True)
    ]


def close_holes(connection: duckdb.DuckDBPyConnection, tables: Sequence[TableRows]) -> bool:
    """Close the holes of all tables if they are many; whether they were.

    Args:
        connection: the only one to the warehouse; has just changed something, because DuckDB
            looks at the tables of a file that stands for nothing.
        tables: all of them, counted.
    """
    places = sum(table.places for table in tables)
    holes = places - sum(table.rows for table in tables)
    if holes <= places * MOST_HOLES:
        return False
    connection.execute("set global max_vacuum_tasks = 100; force checkpoint")
    return True
