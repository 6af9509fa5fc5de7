"""`yishu bench …`: what the platform costs on this machine."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.bench import city as city_bench
from pipelines.bench.city_table import table as city_table
from pipelines.bench.meter import MeasuredProgramError
from pipelines.bench.places import Places

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
    from pipelines.bench import door as door_bench  # as slow to import as what it measures

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
    from pipelines.bench import rules as rules_bench  # as slow to import as what it measures

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


@app.command()
def city(
    residents: Annotated[int, typer.Option(min=1_000, help="Residents of the city.")] = 20_000,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"A step alone, may be given again: {', '.join(city_bench.STEPS)}."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the cities lie, one folder a size.")] = Path(
        "data/bench"
    ),
    result: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
) -> None:
    """Time nights of a made-up city beside a hand-written script and pandas with GX.

    Measures the first full night, the same night again, a night with one row in a hundred
    changed, and the baselines; time, processor, memory and bytes of each stage. What earlier
    commands have measured in the same folder is shown too. A city of 11,000,000 residents needs
    60 GB of disk and is best driven with --only, a step a command.
    """
    unknown = sorted(set(only or ()) - set(city_bench.STEPS))
    if unknown:
        known = ", ".join(city_bench.STEPS)
        raise typer.BadParameter(f"no step {', '.join(unknown)}; there are {known}")
    steps = only or city_bench.default_steps(residents)
    try:
        city_bench.run(folder, residents, steps, lambda line: console.print(line, highlight=False))
    except (MeasuredProgramError, FileNotFoundError) as error:
        console.print(f"[red]failed[/red] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    sizes = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
    cities = [city_bench.Measured.read(Places(folder / str(size)), size) for size in sizes]
    if result:
        text = json.dumps([asdict(city) for city in cities], ensure_ascii=False, indent=1)
        result.write_text(text + "\n", encoding="utf-8")
    print(city_table(cities))
