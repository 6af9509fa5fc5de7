"""`yishu explain`: what a published figure is made of."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipelines.cli.published import published_or_exit, published_results
from quality.score_explanation import (
    CITY,
    Average,
    Explanation,
    Term,
    UnknownSubjectError,
    explain,
)
from quality.weights import read_weights

app = typer.Typer(help="What a published figure is made of.", no_args_is_help=True)
console = Console()

_LEVELS = {
    "indicator": "子指标 = 规则的加权平均（按严重程度）",
    "dimension": "维度 = 子指标的加权平均",
    "dataset": "数据集 = 维度的加权平均",
    "department": "部门 = 数据集的加权平均",
    "city": "全市 = 部门的加权平均",
}


@app.callback()
def group() -> None:
    """Keeps `explain` a group: `yishu explain score …`."""


@app.command()
def score(
    subject: Annotated[str, typer.Argument(help="department/dataset, department, or city.")] = CITY,
    night: Annotated[str | None, typer.Option("--date", help="Business date, YYYY-MM-DD.")] = None,
) -> None:
    """Show a score's arithmetic, down to the counts of each rule."""
    path = published_or_exit(console)
    business_date, results = published_results(path, night)
    try:
        explanation = explain(subject, business_date, results, read_weights())
    except UnknownSubjectError as error:
        console.print(f"[red]no score[/red] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    _print(explanation, _published(path, subject, business_date))


def _published(path: Path, subject: str, business_date: date) -> float | None:
    """The score as it was published."""
    department, _, dataset = subject.partition("/")
    level = "city" if subject == CITY else "dataset" if dataset else "department"
    conditions = {"city": "true", "department": "department = $2",
                  "dataset": "department = $2 and dataset = $3"}[level]  # fmt: skip
    values: list[object] = [business_date, department, dataset][: 1 + conditions.count("$")]
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(
            f"select score from quality.{level}_score where business_date = $1 "
            f"and dimension = 'overall' and {conditions}",
            values,
        ).fetchone()
    return row[0] if row else None


def _print(explanation: Explanation, published: float | None) -> None:
    console.print(f"[bold]{explanation.subject}[/bold]  {explanation.business_date}")
    level = ""
    for average in explanation.averages:
        if average.level != level:
            level = average.level
            console.print(f"\n[bold]{_LEVELS[level]}[/bold]")
        _print_average(average)
    score = explanation.score
    if score is None or published is None or abs(score - published) > 1e-9:
        shown = "–" if published is None else f"{published:.4f}"
        console.print(
            f"[yellow]published[/yellow] {shown}: the weights have changed since that night",
            highlight=False,
        )


def _print_average(average: Average) -> None:
    score = "未评估" if average.score is None else f"{average.score:.2f}"
    grade = f"  {average.grade}" if average.grade else ""
    console.print(
        f"[cyan]{average.name}[/cyan]  {score}{grade}  覆盖率 {average.coverage:.0%}",
        highlight=False,
    )
    has_counts = any(term.total is not None for term in average.terms)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("项", no_wrap=True)
    for title in (*(["未通过", "共", "状态"] if has_counts else []), "得分", "权重"):
        table.add_column(title, justify="right", no_wrap=True)
    for term in average.terms:
        table.add_row(*_cells(term, has_counts))
    console.print(table)
    console.print(f"  = {average.formula}", highlight=False, soft_wrap=True)


def _cells(term: Term, has_counts: bool) -> list[str]:
    counts = [f"{term.failed:,}", f"{term.total:,}", term.note] if has_counts else []
    value = "–" if term.value is None else f"{term.value:.2f}"
    return [term.name, *counts, value, f"{term.weight:g}"]
