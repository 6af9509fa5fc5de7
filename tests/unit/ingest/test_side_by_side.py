"""Several datasets at once: what each gives is what it gives alone, and none stops another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.ingest import door, side_by_side
from pipelines.ingest.arrive import Arrival, arrivals
from pipelines.ingest.store import Receipt
from quality.catalogue import Entry
from quality.contract import Contract
from tests.conftest import Land, MakeContract

NIGHT = date(2026, 6, 30)
DATASETS = [f"meter_{number}" for number in range(6)]


@pytest.fixture(scope="module")
def contracts(make_contract: MakeContract) -> list[Contract]:
    columns = [{"name": "k", "primaryKey": True, "required": True}, {"name": "v"}]
    return [make_contract(columns, dataset=dataset) for dataset in DATASETS]


def landed(home: Home, land: Land, contract: Contract) -> list[Arrival]:
    """A file of some size whose content another dataset delivers too; every tenth key is empty."""
    half = int(contract.dataset[-1]) // 2
    rows = "".join(f"{number if number % 10 else ''},值 {number}\n" for number in range(2_000))
    land(home, contract.department, f"{contract.dataset}_20260630.csv", f"k,v\n{rows}{half},x\n")
    found = arrivals(home.landing, frozenset({contract.name}))
    return [arrival for arrival in found if arrival.name == contract.name]


def left(home: Home) -> dict[str, str]:
    """Every file of a home → SM3 of its bytes."""
    return {
        str(path.relative_to(home.root)): hashlib.new("sm3", path.read_bytes()).hexdigest()
        for path in sorted(home.root.rglob("*"))
        if path.is_file()
    }


def test_side_by_side_gives_what_one_by_one_gives(
    contracts: list[Contract], tmp_path: Path, land: Land
) -> None:
    """Doors that got in each other's way would lose or mix rows, and nobody would see it."""
    alone, together = (Home(tmp_path / name).create() for name in ("alone", "together"))
    for contract in contracts:
        door.take_up(alone, contract, landed(alone, land, contract), NIGHT)
    due: list[tuple[Entry, Sequence[Arrival]]] = [
        (contract, landed(together, land, contract)) for contract in contracts
    ]
    found = {
        entry.dataset: receipts for entry, receipts in side_by_side.take_up(together, due, NIGHT)
    }
    assert sorted(found) == DATASETS
    for receipts in found.values():
        assert [(r.status, r.rows_accepted, r.rows_quarantined) for r in receipts] == [
            ("loaded", 1_801, 200)
        ]
    assert left(together) == left(alone)


def test_a_dataset_that_fails_stops_no_other(
    contracts: list[Contract], home: Home, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a fault of ours in one dataset must be told, after all others are loaded."""
    through = door.take_up

    def fail_at_the_second(
        home: Home, contract: Contract, arrived: Sequence[Arrival], night: date
    ) -> list[Receipt]:
        if contract.dataset == DATASETS[1]:
            raise OSError("no space left")
        return through(home, contract, arrived, night)

    monkeypatch.setattr(door, "take_up", fail_at_the_second)
    due: list[tuple[Entry, Sequence[Arrival]]] = [
        (contract, landed(home, land, contract)) for contract in contracts
    ]
    done = []

    def run() -> None:
        for entry, _ in side_by_side.take_up(home, due, NIGHT):
            done.append(entry.dataset)

    with pytest.raises(OSError, match="no space left"):
        run()
    assert sorted(done) == [DATASETS[0], *DATASETS[2:]]
    assert [path.name for path in home.landing.rglob("*.csv")] == [f"{DATASETS[1]}_20260630.csv"]
