"""The made-up city itself: people, enterprises and what they own, as DuckDB tables.

Belongs here: opening the workshop database and running `sql/*.sql` in it.
Does not belong here: what departments deliver of it (`deliveries`), what is wrong with that
(`defects`), or the truth kept for evaluation (`truth`).

Everything follows from the arguments: SQL draws with DuckDB's `hash`, which is the same on
every run of one DuckDB version, and with no other chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from string import Template

import duckdb

from pipelines import engine
from pipelines.sample_city import vocabulary

_STEPS = {
    "people.sql": "居民与家庭",
    "enterprises.sql": "市场主体",
    "evidence.sql": "房产、参保和居住证",
    "claims.sql": "入学报名",
}
_ENTERPRISES_PER_RESIDENT = 0.1
_REFERENCED_SHARE = 0.8
_NEW_ENTERPRISES_A_NIGHT = 0.002
_NEW_RESIDENTS_A_NIGHT = 0.001
_FIXED_CHANGES, _PACED_CHANGES = 0.0021, 0.0036
"""Rows that a night brings, new or changed, to the rows of the first one, over the increments
(counted): corrections of defects and taxes filed by the calendar; all that `happens` in `sql/`."""

USUAL_CHANGE_RATE = _FIXED_CHANGES + _PACED_CHANGES
LOWEST_CHANGE_RATE = 0.003
"""A little above what comes anyway."""


@dataclass(frozen=True)
class Plan:
    """What is asked for: the arguments of `build`."""

    residents: int
    seed: int
    first_date: date
    nights: int
    change_rate: float = USUAL_CHANGE_RATE

    def business_date(self, night: int) -> date:
        """The business date of a night; the first is number 1."""
        return self.first_date + timedelta(days=night - 1)

    def placeholders(self) -> dict[str, str]:
        """The values of the placeholders in `sql/`."""
        enterprises = max(100, round(self.residents * _ENTERPRISES_PER_RESIDENT))
        pace = round((self.change_rate - _FIXED_CHANGES) / _PACED_CHANGES, 6)
        return {
            "seed": str(self.seed),
            "first_date": self.first_date.isoformat(),
            "nights": str(self.nights),
            "residents": str(self.residents),
            "enterprises": str(enterprises),
            "referenced": str(round(enterprises * _REFERENCED_SHARE)),
            "new_enterprises": str(max(1, round(enterprises * _NEW_ENTERPRISES_A_NIGHT * pace))),
            "new_residents": str(max(1, int(self.residents * _NEW_RESIDENTS_A_NIGHT * pace))),
            "pace": repr(pace),
            **vocabulary.lists(),
        }


def render(plan: Plan, name: str) -> str:
    """One file of `sql/` with its placeholders filled in."""
    return Template(vocabulary.read_sql(name)).substitute(plan.placeholders())


def open_workshop(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database of its own in `folder`, so that a large city spills to disk, not to memory."""
    connection = duckdb.connect(folder / "city.duckdb", config=dict(engine.settings()))
    connection.execute(f"set temp_directory = '{folder / 'spill'}'")
    connection.execute("set enable_progress_bar = false")
    return connection


def make(plan: Plan, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Make the city's tables step by step; yields the title of each step when it is done."""
    vocabulary.load(connection)
    for name in ("macros.sql", "defects.sql"):
        connection.execute(render(plan, name))
    for name, title in _STEPS.items():
        connection.execute(render(plan, name))
        yield title
