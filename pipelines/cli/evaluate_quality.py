"""`yishu evaluate quality`: a simulation of many nights, and its score."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipelines.home import sources_folder
from quality.catalogue import read_catalogue

if TYPE_CHECKING:
    from pipelines.evaluation_orders import Figure
    from pipelines.evaluation_quality import Outcome, Simulation

console = Console(stderr=True)


def quality(
    nights: Annotated[int, typer.Option(min=2, max=300, help="Nights to simulate.")] = 90,
    residents: Annotated[int, typer.Option(min=1_000, help="Residents of the city.")] = 3_000,
    seed: Annotated[int, typer.Option(help="Same seed, same incidents.")] = 1,
    first: Annotated[str, typer.Option("--date", help="First night, YYYY-MM-DD.")] = "2026-01-05",
    rebuild: Annotated[
        bool, typer.Option(help="Derive all nights again from the archive and compare.")
    ] = True,
    folder: Annotated[
        Path | None, typer.Option(help="An empty folder, kept; a temporary one without.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here, - for the output.")
    ] = None,
) -> None:
    """Simulate months with planted incidents and score the work orders; exit code 1 on a miss."""
    # The whole product, which takes seconds to import: only where it is simulated.
    from pipelines.evaluation_quality import Simulation, simulate

    try:
        day = datetime.strptime(first, "%Y-%m-%d").date()
    except ValueError as error:
        raise typer.BadParameter(f"{first!r} is not a date; write YYYY-MM-DD") from error
    plan = Simulation(residents, seed, day, nights, rebuild=rebuild)
    with tempfile.TemporaryDirectory(prefix="yishu_quality_") as temporary:
        try:
            outcome = simulate(
                folder or Path(temporary), read_catalogue(sources_folder()), plan,
                lambda line: console.print(f"  {line}", highlight=False),
            )  # fmt: skip
        except (FileExistsError, ValueError) as error:
            raise typer.BadParameter(str(error)) from error
    if record is not None:
        _write(record, plan, outcome)
    if record is None or str(record) != "-":
        _print(outcome)
    raise typer.Exit(1 if any(figure.is_missed for figure in outcome.figures) else 0)


def _write(target: Path, plan: Simulation, outcome: Outcome) -> None:
    figures = [asdict(figure) | {"missed": figure.is_missed} for figure in outcome.figures]
    result: dict[str, Any] = {
        "simulation": asdict(plan),
        "figures": figures,
        "by_kind": [list(row) for row in outcome.score.by_kind],
        "confusions": [list(row) for row in outcome.score.confusions],
        "misses": list(outcome.score.misses),
        "seconds_a_night": outcome.seconds_a_night,
    }
    text = json.dumps(result, ensure_ascii=False, indent=1, default=str) + "\n"
    if str(target) == "-":
        sys.stdout.write(text)
    else:
        target.write_text(text, encoding="utf-8")


def _print(outcome: Outcome) -> None:
    out = Console()
    table = Table("figure", box=SIMPLE_HEAD)
    for name in ("value", "counts", "must be"):
        table.add_column(name, justify="right")
    for figure in outcome.figures:
        mark = " [red]✗[/red]" if figure.is_missed else ""
        table.add_row(
            figure.name + mark, f"{figure.value:.4f}", f"{figure.counted} of {figure.of}",
            _bound(figure),
        )  # fmt: skip
    out.print(table)
    kinds = Table("planted", box=SIMPLE_HEAD)
    for name in ("faults", "found", "on the first night", "closed right"):
        kinds.add_column(name, justify="right")
    for kind, *counts in outcome.score.by_kind:
        kinds.add_row(kind, *(str(count) for count in counts))
    out.print(kinds)
    for kind, cause, count in outcome.score.confusions:
        out.print(f"  {kind} → {cause}: {count}", highlight=False)
    for line in outcome.score.misses:
        out.print(f"  {line}", highlight=False, markup=False)
    out.print(f"{outcome.seconds_a_night:.1f} s a night")


def _bound(figure: Figure) -> str:
    if figure.threshold is None:
        return "–"
    return f"{'≤' if figure.at_most else '≥'} {figure.threshold:g}"
