"""`yishu query`: SQL on what was published, read-only and without a way out."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli.published import published_or_exit

console = Console()


class Format(StrEnum):
    """How the answer is printed."""

    table = "table"
    csv = "csv"
    json = "json"


def query(
    sql: Annotated[str, typer.Argument(help="A select on the published marts.")],
    form: Annotated[
        Format, typer.Option("--format", "-f", help="Form of the answer.")
    ] = Format.table,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to print.")] = 100,
) -> None:
    """Ask the published marts; shows the first --limit rows."""
    path = published_or_exit(console)
    try:
        columns, rows, more = _ask(path, sql, limit)
    except duckdb.Error as error:
        console.print(f"[red]query failed[/red] {escape(str(error))}", highlight=False)
        raise typer.Exit(2) from error
    _print(columns, rows, form)
    if more and form is Format.table:
        console.print(f"(the first {limit} rows; more with --limit)")


def _ask(path: Path, sql: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    with duckdb.connect(str(path), read_only=True, config=settings) as connection:
        cursor = connection.execute(sql)
        if cursor is None:  # nothing but space or comments
            raise duckdb.InvalidInputException("there is no question; write: select …")
        rows = cursor.fetchmany(limit + 1)
        names = [str(item[0]) for item in cursor.description or []]
    return names, rows[:limit], len(rows) > limit


def _print(columns: list[str], rows: list[tuple[Any, ...]], form: Format) -> None:
    if form is Format.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows(rows)
    elif form is Format.json:
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps(records, ensure_ascii=False, indent=1, default=str) + "\n")
    else:
        table = Table(*(escape(name) for name in columns), box=SIMPLE_HEAD)
        for row in rows:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        console.print(table)
