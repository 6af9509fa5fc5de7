"""`yishu campaign`: where the declared improvement campaigns stand."""

from __future__ import annotations

import duckdb
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipelines.cli.published import published_or_exit
from pipelines.home import sources_folder
from quality.campaigns import STATUSES, CampaignProgress, read_plans, read_progress
from quality.catalogue import read_catalogue
from quality.score_explanation import NAMES

console = Console()


def campaign() -> None:
    """Progress of the improvement campaigns on the published night."""
    plans = read_plans(known=read_catalogue(sources_folder()).names)
    for problem in plans.problems:
        console.print(f"[red]campaign[/red] {problem}", highlight=False, soft_wrap=True)
    path = published_or_exit(console)
    with duckdb.connect(str(path), read_only=True) as connection:
        night = connection.execute("select business_date from meta.night").fetchone()
        progress = read_progress(connection, night[0]) if night else []
    table = Table(
        "行动",
        "指标",
        "基线",
        "当前",
        "目标",
        "进度",
        "截止",
        "待处理工单",
        "状态",
        box=SIMPLE_HEAD,
    )
    for line in progress:
        table.add_row(*_cells(line))
    console.print(table)
    if plans.problems:
        raise typer.Exit(2)


def _cells(line: CampaignProgress) -> list[str]:
    share = "–" if line.progress is None else f"{line.progress:.0%}"
    return [line.name, NAMES[line.dimension], _score(line.baseline_score), _score(line.score),
            f"{line.target:g}", share, str(line.until), str(line.open_orders),
            STATUSES[line.status]]  # fmt: skip


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"
