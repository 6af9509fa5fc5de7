"""`yishu bench …`: what the platform costs on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.bench import door as door_bench
from pipelines.bench import rules as rules_bench

app = typer.Typer(help="Benchmarks, each beside its baseline.", no_args_is_help=True)
console = Console()

FORMATS = ["utf-8", "gb18030", "parquet", "xlsx"]


@app.callback()
def bench() -> None:
    """Benchmarks, each beside its baseline."""


@app.command()
def door(
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of 12 columns.")] = 5_000_000,
    form: Annotated[
        list[str] | None, typer.Option("--format", help="utf-8, gb18030, parquet, xlsx.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 3,
    folder: Annotated[Path | None, typer.Option(help="Where the files are made and kept.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write the result as JSON.")
    ] = None,
) -> None:
    """Time the door with all row rules against DuckDB copying the same file to Parquet."""
    formats = form or FORMATS
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise typer.BadParameter(f"no format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    with tempfile.TemporaryDirectory(prefix="yishu-bench-") as temporary:
        cases = door_bench.run(
            folder or Path(temporary), rows, formats, repeats,
            lambda line: console.print(line, highlight=False),
        )  # fmt: skip
    if json_file is not None:
        json_file.write_text(door_bench.as_json(cases, repeats), encoding="utf-8")
    print(door_bench.table(cases, repeats))


@app.command()
def rules(
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of 12 columns.")] = 1_000_000,
    way: Annotated[list[str] | None, typer.Option(help="yishu, sql, gx_pandas.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 5,
    folder: Annotated[Path | None, typer.Option(help="Where the rows are made and kept.")] = None,
) -> None:
    """Time eight row rules against one SQL pass, and against GX on pandas."""
    ways = way or list(rules_bench.WAYS)
    unknown = sorted(set(ways) - set(rules_bench.WAYS))
    if unknown or "sql" not in ways:
        raise typer.BadParameter(f"give some of {', '.join(rules_bench.WAYS)}, with sql")
    with tempfile.TemporaryDirectory(prefix="yishu-bench-") as temporary:
        measured = rules_bench.run(
            folder or Path(temporary), rows, repeats, ways,
            lambda line: console.print(line, highlight=False),
        )  # fmt: skip
    print(rules_bench.table(measured, repeats))
