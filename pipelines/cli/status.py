"""`yishu status`: where the city stands, from what was published and what waits."""

from __future__ import annotations

from datetime import datetime

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipelines.home import Home, sources_folder
from pipelines.ingest.arrive import arrivals, waiting
from pipelines.publish import current
from pipelines.replies import is_reply
from quality.catalogue import read_catalogue


def run(console: Console) -> int:
    """Print the status; returns 0, or 1 where nothing was published yet."""
    home = Home.from_environment()
    catalogue = read_catalogue(sources_folder())
    for problem in catalogue.problems:
        console.print(f"[red]contract[/red] {problem}", highlight=False, soft_wrap=True)
    arrived = arrivals(home.landing, frozenset(catalogue.names))
    claimed = [a for a in arrived if a.name in catalogue.names or is_reply(a.path)]
    console.print(f"home       {home.root}", soft_wrap=True)
    console.print(f"contracts  {len(catalogue.contracts)} usable, {len(catalogue.broken)} broken")
    console.print(
        f"landing    {len(claimed)} files wait, {len(arrived) - len(claimed)} without contract"
    )
    path = current(home)
    if path is None:
        console.print("published  nothing yet; run: yishu nightly")
        return 1
    console.print(f"published  {path.parent.name}")
    digits = path.parent.name.split("-")[0]
    for waits in waiting(claimed, datetime.strptime(digits, "%Y%m%d").date()):
        console.print(f"waiting    {waits.name}: {waits.reason}", highlight=False, soft_wrap=True)
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            """
            select dataset.department_name, dataset.title, max(delivery.business_date),
                any_value(score.score), any_value(orders.open_orders)
            from governance.dataset as dataset
            left join meta.delivery as delivery
                on delivery.department = dataset.department
                and delivery.dataset = dataset.dataset and delivery.status = 'loaded'
            left join quality.dataset_score as score
                on score.department = dataset.department and score.dataset = dataset.dataset
                and score.dimension = 'overall'
                and score.business_date = (select business_date from meta.night)
            left join (
                select department, dataset, count(*) as open_orders from quality.work_order
                where state = 'open' group by department, dataset
            ) as orders
                on orders.department = dataset.department and orders.dataset = dataset.dataset
            group by dataset.department, dataset.department_name, dataset.dataset, dataset.title
            order by dataset.department, dataset.dataset
            """
        ).fetchall()
    table = Table("department", "dataset", "last delivery", "score", "orders", box=SIMPLE_HEAD)
    for name, title, last, score, orders in rows:
        shown = "–" if score is None else f"{score:.2f}"
        table.add_row(name, title, str(last or "never"), shown, str(orders or 0))
    console.print(table)
    return 0
