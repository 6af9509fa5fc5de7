"""Build a sample city: the one entry into this package.

Belongs here: judging the arguments, the order of the work, and putting the finished files in
their place.
Does not belong here: how a person, a register, a defect or a file is made.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb

from pipelines.home import Home
from pipelines.sample_city import defects, deliveries, truth, world
from pipelines.sample_city.vocabulary import has_register
from pipelines.sample_city.world import Plan
from quality.catalogue import Catalogue
from quality.contract import Contract

FEWEST_RESIDENTS = 1000
CHANGE_RATES = (world.LOWEST_CHANGE_RATE, 0.05)
MOST_NIGHTS = 300
"""A date planted "in the future" lies a year ahead; it must lie there on the last night too."""


def build(
    home: Home,
    catalogue: Catalogue,
    *,
    residents: int,
    seed: int,
    first_date: date,
    nights: int,
    change_rate: float = world.USUAL_CHANGE_RATE,
    report: Callable[[str], None] | None = None,
) -> None:
    """Write the deliveries of `nights` nights to `home.landing` and the truth to `sample_truth`.

    The first night is the full load; the others bring what is new, changed or corrected. The
    same arguments give the same bytes. Nothing is moved into landing before all is written.

    Args:
        home: where to write.
        catalogue: the contracts; datasets that the sample does not know are left out.
        residents: people in the resident register on the first night, 1,000 or more.
        seed: any 64-bit integer; another seed gives another city.
        first_date: business date of the first night.
        nights: how many consecutive business dates, 1 to 300.
        change_rate: rows that each later night brings, new or changed, to the rows of the first,
            about, over the datasets that come as increments; 0.003 to 0.05.
        report: called with a line of Chinese progress at each step.

    Raises:
        ValueError: an argument is out of its range.
        FileExistsError: landing or archive already hold files of another city.
    """
    say = report or (lambda _: None)
    plan = Plan(residents, seed, first_date, nights, change_rate)
    _refuse_bad_arguments(plan)
    _refuse_occupied(home)
    home.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.root, prefix=".sample_city_") as name:
        workshop = Path(name)
        connection = world.open_workshop(workshop)
        try:
            for step in world.make(plan, connection):
                say(f"已生成{step}")
            truth.start(connection)
            kinds = defects.read_kinds()
            with deliveries.Writer(workshop / "landing") as writer:
                for contract in catalogue.contracts:
                    if has_register(contract.table):
                        _deliver(connection, plan, contract, kinds.get(contract.name, ()), writer)
                        say(f"已生成{contract.department_name}《{contract.title}》{nights}次报送")
            truth.write(connection, plan, workshop / "sample_truth")
        finally:
            connection.close()
        _put_in_place(workshop / "landing", home.landing)
        _put_in_place(workshop / "sample_truth", home.sample_truth)


def _refuse_bad_arguments(plan: Plan) -> None:
    if plan.residents < FEWEST_RESIDENTS:
        raise ValueError(f"residents is {plan.residents}; give {FEWEST_RESIDENTS} or more")
    if not -(2**63) <= plan.seed < 2**63:
        raise ValueError(f"seed is {plan.seed}; give a whole number of 64 bits")
    if not 1 <= plan.nights <= MOST_NIGHTS:
        raise ValueError(f"nights is {plan.nights}; give a number from 1 to {MOST_NIGHTS}")
    low, high = CHANGE_RATES
    if not low <= plan.change_rate <= high:
        raise ValueError(f"change_rate is {plan.change_rate}; give a number from {low} to {high}")


def _refuse_occupied(home: Home) -> None:
    for folder in (home.landing, home.archive):
        if any(path.is_file() for path in folder.rglob("*")):
            raise FileExistsError(
                f"{folder} already holds deliveries; a sample city needs an empty home: "
                "set YISHU_HOME to another folder, or remove this one"
            )


def _deliver(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    contract: Contract,
    kinds: tuple[defects.DefectKind, ...],
    writer: deliveries.Writer,
) -> None:
    """All deliveries of one dataset, and the truth about them."""
    register = world.render(plan, f"registers/{contract.table}.sql")
    defects.plant(connection, contract, kinds, register)
    truth.note_kinds(connection, contract, kinds)
    truth.note_people(connection, contract)
    columns = defects.delivered_columns(contract, kinds)
    for night in range(1, plan.nights + 1):
        rows = defects.delivered_rows(contract, night)
        day = plan.business_date(night)
        files = writer.write(connection, f"select {columns} from ({rows})", contract, day)
        truth.note_delivery(connection, contract, rows, day, files)
    connection.execute("drop table honest")


def _put_in_place(made: Path, target: Path) -> None:
    for path in _files(made):
        place = target / path.relative_to(made)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(path for path in folder.rglob("*") if path.is_file()))
