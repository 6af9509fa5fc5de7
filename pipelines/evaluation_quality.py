"""`yishu evaluate quality`: months of nights with planted incidents, and how they were told of.

Belongs here: the order of the simulation, from the deliveries to the score.
Does not belong here: its parts (`sample_city.incidents`, `evaluation_nights`,
`evaluation_orders`); printing (`cli`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

from pipelines import dbt_run
from pipelines import evaluation_replies as replies
from pipelines.evaluation_nights import deliver_again, put_into_landing, run_night
from pipelines.evaluation_orders import ROW_DEFECT, Fault, Figure, Opening, Score, merge, score
from pipelines.home import Home
from pipelines.sample_city.incidents import post
from pipelines.sample_city.incidents.incident import Incident
from pipelines.sample_city.incidents.post import Truth
from pipelines.sample_city.incidents.schedule import HISTORY_NIGHTS, each_kind_once, schedule
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
    warm_nights: int = 1
    """So many first nights are taken up in one, which makes a history quickly; the incidents
    that follow are then one of each kind."""
    rebuild: bool = True
    """Whether all nights are derived a second time, from the archive of the first."""


@dataclass(frozen=True)
class Outcome:
    """The score, and what it took."""

    score: Score
    others: tuple[Figure, ...]
    """Of replies, and of the rebuild where it was asked for."""
    seconds_a_night: float

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures."""
        return (*self.score.figures, *self.others)


def simulate(folder: Path, catalogue: Catalogue, plan: Simulation, report: Report) -> Outcome:
    """Run the simulation in `folder`, which must be empty or not there.

    Raises:
        FileExistsError: the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: give another, or remove it")
    city = Plan(plan.residents, plan.seed, plan.first_date, plan.nights)
    if plan.warm_nights > 1:
        incidents = each_kind_once(city, plan.warm_nights + 1)
    else:
        incidents = schedule(city, plan.history_nights)
    truth = post.build(folder / "post", catalogue, city, incidents, report)
    truth.write(folder / "truth.json")
    clerks = _Clerks(incidents)

    nights = [city.business_date(number) for number in range(plan.warm_nights, plan.nights + 1)]

    def deliver(home: Home, night: date) -> None:
        for day in _days_until(city, night) if night == nights[0] else [night]:
            put_into_landing(home, folder / "post" / day.isoformat())
        clerks.answer(home, night)

    begun = perf_counter()
    home = _run(folder / "home", catalogue, nights, report, (deliver, clerks.asked_on))
    seconds = (perf_counter() - begun) / len(nights)
    faults = since(nights[0], faults_of(truth, catalogue))
    result = score(faults, openings_of(home), len(nights), len(truth.datasets), nights[-1])
    others = [_replies(home, clerks.answered)]
    if plan.rebuild:

        def deliver_from_archive(other: Home, night: date) -> None:
            deliver_again(home, other, night)

        again = _run(
            folder / "rebuilt", catalogue, nights, report, (deliver_from_archive, lambda _: set())
        )
        others.append(_compare(home, again))
    return Outcome(result, tuple(others), seconds)


def _days_until(city: Plan, night: date) -> list[date]:
    days = [city.business_date(number) for number in range(1, city.nights + 1)]
    return [day for day in days if day <= night]


def since(night: date, faults: Sequence[Fault]) -> list[Fault]:
    """The faults as a platform sees them whose first night is `night`."""
    return [
        replace(fault, first=max(fault.first, night))
        for fault in faults
        if fault.corrected is None or fault.corrected > night
    ]


class _Clerks:
    """The departments' clerks, who answer on the night after they are told."""

    def __init__(self, incidents: Sequence[Incident]) -> None:
        self._answering = [incident for incident in incidents if incident.reply]
        self.answered = 0

    def asked_on(self, night: date) -> set[str]:
        """Departments that will answer the workbook of a night."""
        return {i.department for i in self._answering if i.first == night}

    def answer(self, home: Home, night: date) -> None:
        """Answer the workbooks of the night before."""
        told_on = night - timedelta(days=1)
        for department in sorted(self.asked_on(told_on)):
            own = [i for i in self._answering if i.first == told_on and i.department == department]
            self.answered += replies.answer(home, department, told_on, own)


def _run(
    root: Path,
    catalogue: Catalogue,
    nights: Sequence[date],
    report: Report,
    part: tuple[Callable[[Home, date], None], Callable[[date], set[str]]],
) -> Home:
    """All nights; `part` puts files into landing, and names the departments that are written to."""
    deliver, send_home_to = part
    home = Home(root.resolve()).create()
    with _environment(home):
        parsed = dbt_run.parse(home, catalogue)
        for number, night in enumerate(nights, start=1):
            deliver(home, night)
            run_night(home, catalogue, night, parsed, send_home_to(night))
            report(f"{root.name} {night} {number}/{len(nights)}")
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
    """The openings of all orders of departments, first and repeated ones."""
    with open_warehouse(home) as connection:
        rows = connection.execute(
            """
            with edges as (
                select order_id, business_date, position, event,
                    lead(business_date) over (partition by order_id order by position) as ended
                from quality.work_order_event
                where event in ('opened', 'reopened', 'closed')
            )
            select order_id, orders.department, orders.dataset, orders.cause,
                edges.business_date, edges.ended
            from edges
            inner join quality.work_order as orders using (order_id)
            where edges.event <> 'closed'
            order by edges.business_date, orders.department, orders.dataset, orders.cause
            """
        ).fetchall()
    return [Opening(*row) for row in rows]


def _replies(home: Home, sent: int) -> Figure:
    with open_warehouse(home) as connection:
        found = connection.execute(
            "select count(*) from quality.reply where status = 'accepted'"
        ).fetchone()
    taken = int(found[0]) if found else 0
    return Figure(
        "replies that changed their order", taken / sent if sent else 1.0, taken, sent, 1.0
    )


def _compare(home: Home, again: Home) -> Figure:
    """Orders and their events, row by row."""
    one, other = _orders(home), _orders(again)
    same, of = len(one & other), len(one | other)
    return Figure("orders that the archive gives again", same / of if of else 1.0, same, of, 1.0)


def _orders(home: Home) -> set[tuple[object, ...]]:
    with open_warehouse(home) as connection:
        return {
            (table, *row)
            for table in ("work_order", "work_order_event")
            for row in connection.execute(f"select * from quality.{table}").fetchall()
        }
