"""`yishu evaluate`: the night against the planted truth."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipelines.cli import evaluate_quality
from pipelines.evaluation import THRESHOLD, Measure, NoTruthError, evaluate
from pipelines.home import Home, sources_folder
from quality.catalogue import read_catalogue

app = typer.Typer(help="Score the platform against a made-up city's planted truth.")
app.command(name="quality")(evaluate_quality.quality)
console = Console()


@app.callback(invoke_without_command=True)
def night(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score the last night of this home; exit code 1 where a figure misses its threshold."""
    if context.invoked_subcommand is not None:
        return
    try:
        measures = evaluate(Home.from_environment(), read_catalogue(sources_folder()))
    except NoTruthError as error:
        console.print(f"[red]nothing to score[/red] {error}", highlight=False)
        raise typer.Exit(2) from error
    if as_json:
        sys.stdout.write(json.dumps([_record(m) for m in measures], ensure_ascii=False) + "\n")
    else:
        _print(measures)
    raise typer.Exit(1 if any(measure.misses for measure in measures) else 0)


def _record(measure: Measure) -> dict[str, object]:
    return {
        "subject": measure.subject,
        "group": measure.group,
        "planted": measure.planted,
        "reported": measure.reported,
        "agreed": measure.agreed,
        "recall": measure.recall,
        "precision": measure.precision,
        "threshold": THRESHOLD,
        "misses": measure.misses,
    }


def _print(measures: list[Measure]) -> None:
    table = Table("subject", "group", box=SIMPLE_HEAD)
    for name in ("planted", "reported", "agreed", "recall", "precision"):
        table.add_column(name, justify="right")
    for m in measures:
        figures = ("–" if value is None else f"{value:.4f}" for value in (m.recall, m.precision))
        mark = " [red]✗[/red]" if m.misses else ""
        table.add_row(
            m.subject, m.group + mark, str(m.planted), str(m.reported), str(m.agreed), *figures
        )
    console.print(table)
    console.print(
        f"every figure of the row defects, the recall of all verdicts (their accuracy) and the "
        f"precision of contradicted verdicts must reach {THRESHOLD}"
    )
