"""`yishu evaluate quality`: months of nights with planted incidents, and how they were told of.

Belongs here: the order of the simulation, from the deliveries to the score.
Does not belong here: its parts (`sample_city.incidents`, `evaluation_nights`,
`evaluation_orders`); printing (`cli`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

from pipelines import dbt_run
from pipelines.evaluation_nights import deliver_again, put_into_landing, run_night
from pipelines.evaluation_orders import ROW_DEFECT, Fault, Figure, Opening, Score, merge, score
from pipelines.home import Home
from pipelines.sample_city.incidents import post
from pipelines.sample_city.incidents.post import Truth
from pipelines.sample_city.incidents.schedule import HISTORY_NIGHTS, schedule
from pipelines.sample_city.world import Plan
from pipelines.warehouse import open_warehouse
from quality.catalogue import Catalogue

Report = Callable[[str], None]


@dataclass(frozen=True)
class Simulation:
    """What is simulated."""

    residents: int
    seed: int
    first_date: date
    nights: int
    history_nights: int = HISTORY_NIGHTS
    """Nights before the first incident that shows only beside earlier deliveries."""
    rebuild: bool = True
    """Whether all nights are derived a second time, from the archive of the first."""


@dataclass(frozen=True)
class Outcome:
    """The score, and what it took."""

    score: Score
    rebuilt: Figure | None
    seconds_a_night: float

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, the rebuild's too."""
        return (*self.score.figures, *([self.rebuilt] if self.rebuilt else []))


def simulate(folder: Path, catalogue: Catalogue, plan: Simulation, report: Report) -> Outcome:
    """Run the simulation in `folder`, which must be empty or not there.

    Raises:
        FileExistsError: the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: give another, or remove it")
    city = Plan(plan.residents, plan.seed, plan.first_date, plan.nights)
    truth = post.build(
        folder / "post", catalogue, city, schedule(city, plan.history_nights), report
    )
    truth.write(folder / "truth.json")
    begun = perf_counter()
    home = _run(folder / "home", catalogue, city, report, lambda home, night: put_into_landing(
        home, folder / "post" / night.isoformat()))  # fmt: skip
    seconds = (perf_counter() - begun) / plan.nights
    last = city.business_date(plan.nights)
    result = score(
        faults_of(truth, catalogue), openings_of(home), plan.nights, len(truth.datasets), last
    )
    rebuilt = None
    if plan.rebuild:
        again = _run(folder / "rebuilt", catalogue, city, report, lambda other, night: deliver_again(
            home, other, catalogue, night))  # fmt: skip
        rebuilt = _compare(home, again)
    return Outcome(result, rebuilt, seconds)


def _run(
    root: Path,
    catalogue: Catalogue,
    city: Plan,
    report: Report,
    deliver: Callable[[Home, date], None],
) -> Home:
    home = Home(root.resolve()).create()
    with _environment(home):
        parsed = dbt_run.parse(home, catalogue)
        for number in range(1, city.nights + 1):
            night = city.business_date(number)
            deliver(home, night)
            run_night(home, catalogue, night, parsed)
            report(f"{root.name} {night} {number}/{city.nights}")
    return home


@contextmanager
def _environment(home: Home) -> Iterator[None]:
    """`dbt_run` tells dbt where the home is through the environment; put back what was there."""
    names = ("YISHU_HOME", "YISHU_WAREHOUSE")
    before = {name: os.environ.get(name) for name in names}
    os.environ["YISHU_HOME"] = str(home.root)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def faults_of(truth: Truth, catalogue: Catalogue) -> list[Fault]:
    """What each order should tell of: incidents, and row defects by the rule that they break.

    A row defect of a rule that tolerates some is none: the contract says so.
    """
    tolerant = {
        (contract.department, contract.dataset, rule.rule_id)
        for contract in catalogue.contracts
        for rule in contract.rules
        if rule.options
    }
    rows = [
        Fault(fault.department, fault.dataset, ROW_DEFECT, (fault.rule,), fault.first,
              fault.corrected)
        for fault in truth.row_faults
        if (fault.department, fault.dataset, fault.rule) not in tolerant
    ]  # fmt: skip
    incidents = [
        Fault(i.department, i.dataset, i.kind, i.causes, i.first, i.corrected)
        for i in truth.incidents
    ]
    return merge([*rows, *incidents])


def openings_of(home: Home) -> list[Opening]:
    """The openings of all orders of departments."""
    with open_warehouse(home) as connection:
        rows = connection.execute(
            "select order_id, department, dataset, rule_id, opened_on, closed_on "
            "from quality.work_order order by opened_on, department, dataset, rule_id"
        ).fetchall()
    return [Opening(*row) for row in rows]


def _compare(home: Home, again: Home) -> Figure:
    tables = [_orders(home), _orders(again)]
    same = len(tables[0] & tables[1])
    of = len(tables[0] | tables[1])
    return Figure("orders that the archive gives again", same / of if of else 1.0, same, of, 1.0)


def _orders(home: Home) -> set[tuple[object, ...]]:
    with open_warehouse(home) as connection:
        return set(connection.execute("select * from quality.work_order").fetchall())


def remove(folder: Path) -> None:
    """Delete a simulation's folder."""
    shutil.rmtree(folder)
