"""What a command that reads the published marts needs first.

Belongs here: the file, or the word that there is none, and the rule results in it.
Does not belong here: what a command makes of them.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import typer
from rich.console import Console

from pipelines.home import Home
from pipelines.publish import current
from quality.results import RuleResult, read_rule_results


def published_or_exit(console: Console) -> Path:
    """The published file of this home.

    Raises:
        typer.Exit: nothing is published yet (exit code 1); the console says what to do.
    """
    path = current(Home.from_environment())
    if path is None:
        console.print("[red]nothing is published yet[/red]; run: yishu nightly")
        raise typer.Exit(1)
    return path


def published_results(path: Path, night: str | None) -> tuple[date, list[RuleResult]]:
    """The night (the published one, or `YYYY-MM-DD`) and its rule results.

    They are copied out of the file, which is read-only.

    Raises:
        typer.BadParameter: the night is no date.
    """
    try:
        business_date = datetime.strptime(night, "%Y-%m-%d").date() if night else None
    except ValueError as error:
        raise typer.BadParameter(f"{night!r} is not a date; write YYYY-MM-DD") from error
    with duckdb.connect() as connection:
        file = str(path).replace("'", "''")
        connection.execute(f"attach '{file}' as published (read_only)")
        if business_date is None:
            found = connection.execute("select business_date from published.meta.night").fetchone()
            business_date = found[0] if found else date.min
        connection.execute("create schema quality")
        connection.execute(
            "create table quality.rule_result as select * from published.quality.rule_result "
            "where business_date = ?",
            [business_date],
        )
        return business_date, read_rule_results(connection, business_date)
