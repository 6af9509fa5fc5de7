"""The command line: `yishu …`.

Belongs here: arguments, progress bars, tables, exit codes. Does not belong here: the work.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines import garbage
from pipelines.cli import bench, campaign, docs, evaluate, explain, query, source
from pipelines.home import Home, sources_folder

app = typer.Typer(
    name="yishu",
    help="Yishu 沂数: a city's public data, from the departments' files to published marts.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(source.app, name="source")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(bench.app, name="bench")
app.add_typer(explain.app, name="explain")
app.command(name="query")(query.query)
app.command(name="campaign")(campaign.campaign)
app.command(name="docs")(docs.docs)

console = Console()
Date = Annotated[str | None, typer.Option("--date", help="Business date, YYYY-MM-DD.")]


def _date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date; write YYYY-MM-DD") from error


@app.command()
def nightly(
    business_date: Date = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build every row anew, also where it stands.")
    ] = False,
) -> None:
    """Run one night: load, model, check, send home, publish.

    Without --date, the newest date that a delivery carries. A stage whose inputs are those it was
    built from stands and is not built again. Exit code 0 when all went well,
    1 when a stage or a delivery failed, 2 for wrong arguments.
    """
    garbage.collect_seldom()
    from pipelines.cli.nightly import run

    day = _date(business_date) if business_date else None
    sys.exit(run(day, console, rebuild=rebuild))


@app.command()
def sample(
    residents: Annotated[int, typer.Option(min=1_000, help="Residents of the city.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    first: Date = "2026-06-30",
    nights: Annotated[int, typer.Option(min=1, help="Nights of deliveries.")] = 1,
    change_rate: Annotated[
        float, typer.Option(help="Share of the rows that a later night brings, new or changed.")
    ] = 0.0057,
) -> None:
    """Build a made-up city: deliveries in landing/, the truth about them in sample_truth/."""
    from pipelines import sample_city
    from quality.catalogue import read_catalogue

    home = Home.from_environment().create()
    begun = datetime.now()
    try:
        sample_city.build(
            home,
            read_catalogue(sources_folder()),
            residents=residents,
            seed=seed,
            first_date=_date(first or ""),
            nights=nights,
            change_rate=change_rate,
            report=lambda line: console.print(f"  {line}", highlight=False),
        )
    except (FileExistsError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    seconds = (datetime.now() - begun).total_seconds()
    console.print(f"sample city of {residents:,} residents in {home.landing} ({seconds:.1f} s)")


@app.command()
def status() -> None:
    """What was published, what waits in landing, and which orders are open."""
    from pipelines.cli.status import run

    sys.exit(run(console))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open the Dagster UI on this home."""
    import os

    from pipelines.home import PROJECT
    from pipelines.night import prepare_dagster

    prepare_dagster(Home.from_environment().create())
    dagster = str(Path(sys.executable).with_name("dagster"))
    workspace = str(PROJECT / "workspace.yaml")
    os.chdir(PROJECT)
    os.execv(dagster, [dagster, "dev", "-w", workspace, "-p", str(port), "-h", host])  # noqa: S606
