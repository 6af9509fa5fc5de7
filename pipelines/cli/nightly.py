"""`yishu nightly`: bars while it runs, a summary when it has ended."""

from __future__ import annotations

from datetime import date
from time import monotonic

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from pipelines.dbt_scaffold import differences
from pipelines.home import Home, dbt_project_folder, sources_folder
from pipelines.night import Summary, newest_business_date, run_night
from quality.catalogue import Catalogue, read_catalogue


class Bars:
    """One bar a stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def stage(self, name: str, total: int) -> None:
        """Start the bar of a stage."""
        self._tasks[name] = self._progress.add_task(name, total=total, step="")

    def advance(self, name: str, step: str) -> None:
        """Move the bar of a stage by one."""
        if name in self._tasks:
            self._progress.update(self._tasks[name], advance=1, step=step)


def run(business_date: date | None, console: Console, *, rebuild: bool = False) -> int:
    """Run the night and print its summary; returns the exit code."""
    home = Home.from_environment().create()
    catalogue = read_catalogue(sources_folder())
    for problem in catalogue.problems:
        console.print(f"[red]contract[/red] {problem}", highlight=False, soft_wrap=True)
    night = business_date or newest_business_date(home, catalogue)
    if night is None:
        console.print(
            f"There are no deliveries in {home.landing}. Put files there as "
            "<department>/<dataset>_<YYYYMMDD>.csv, or make a city with: yishu sample"
        )
        return 2
    begun = monotonic()
    columns = (
        TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TextColumn("{task.fields[step]}"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        summary = run_night(home, catalogue, night, Bars(progress), rebuild=rebuild)
    _print(summary, home, monotonic() - begun, console)
    if not summary.succeeded:
        _print_differences(catalogue, console)
    return summary.exit_code


def _print_differences(catalogue: Catalogue, console: Console) -> None:
    """Where staging models differ from their contracts, which makes them and their heirs fail."""
    for contract in catalogue.contracts:
        found = differences(contract, dbt_project_folder())
        for line in found:
            console.print(f"[red]model[/red] {line}", highlight=False, soft_wrap=True)
        if found:
            console.print(
                f"  edit it, or write it anew: yishu source stage {contract.name} --replace",
                soft_wrap=True,
            )


def _print(summary: Summary, home: Home, seconds: float, console: Console) -> None:
    table = Table(
        title=f"Night of {summary.business_date} ({seconds:.1f} s)", box=SIMPLE_HEAD, padding=0
    )
    table.add_column("department", no_wrap=True)
    for name in ("files", "rows read", "quarantined", "score", "orders"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in summary.departments:
        score = "–" if line.score is None else f"{line.score:.2f}"
        table.add_row(line.name, str(line.deliveries), f"{line.rows_read:,}",
                      f"{line.rows_quarantined:,}", score, str(line.open_orders))  # fmt: skip
    console.print(table)
    if summary.city_score is not None:
        console.print(f"City score {summary.city_score:.2f} ({summary.city_grade})")
    for trouble in summary.troubles:
        console.print(
            f"[red]{trouble.rule}[/red] {trouble.name}: {trouble.reason}", highlight=False
        )
    for name in summary.unclaimed:
        console.print(
            f"[yellow]no contract[/yellow] for {name}; it stays in landing", soft_wrap=True
        )
    for waits in summary.waiting:
        console.print(
            f"[yellow]waiting[/yellow] {waits.name}: {waits.reason}",
            highlight=False,
            soft_wrap=True,
        )
    if not summary.succeeded:
        steps = ", ".join(dict.fromkeys(summary.failed_steps))
        console.print(
            f"[red]failed[/red] {steps}: {summary.error}", highlight=False, soft_wrap=True
        )
        console.print("What was published before stays.")
    console.print("Where to look:")
    console.print(f"  marts    {home.published / 'current' / 'marts.duckdb'}", soft_wrap=True)
    console.print('           yishu query "select * from quality.city_score"')
    console.print(f"  outbox   {home.outbox}/<department>/  (XLSX, HTML)", soft_wrap=True)
    bulletin = home.outbox / "big_data" / f"数据质量月报_{summary.business_date:%Y%m}.html"
    console.print(f"  bulletin {bulletin}", soft_wrap=True)
    console.print("  Dagster  make ui, then http://127.0.0.1:3000")
