"""`yishu docs`: Great Expectations' Data Docs of the published night, for data engineers."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from pipelines.cli.published import published_or_exit, published_results
from pipelines.home import Home, sources_folder
from quality.catalogue import read_catalogue

console = Console()


def docs(
    night: Annotated[str | None, typer.Option("--date", help="Business date, YYYY-MM-DD.")] = None,
) -> None:
    """Write every dataset's rules and their results to data_docs/, which opens without a server.

    Counts only, no value of any row. Exit code 1 when nothing is published or the date was not
    judged, 2 for wrong arguments.
    """
    # Great Expectations takes seconds to import: only where it is needed.
    from quality.data_docs.site import build_data_docs

    path = published_or_exit(console)
    business_date, results = published_results(path, night)
    if not results:
        console.print(f"[red]no results[/red] of {business_date}; run: yishu nightly")
        raise typer.Exit(1)
    contracts = read_catalogue(sources_folder()).contracts
    folder = Home.from_environment().data_docs
    index = build_data_docs(contracts, results, business_date, folder)
    console.print(f"Data Docs of {business_date}: {index}", highlight=False, soft_wrap=True)
