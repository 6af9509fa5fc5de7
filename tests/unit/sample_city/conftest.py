"""One small city for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.home import PROJECT, Home
from pipelines.sample_city import build
from pipelines.sample_city.world import USUAL_CHANGE_RATE
from quality.catalogue import Catalogue, read_catalogue

FIRST_DATE = date(2026, 11, 2)


@dataclass(frozen=True)
class City:
    home: Home
    catalogue: Catalogue
    first_date: date
    nights: int

    def truth(self, query: str) -> list[tuple]:
        """Rows of a query over {defect}, {verdict} and {person}."""
        files = {
            name: f"'{self.home.sample_truth / name}.parquet'"
            for name in ("defect", "verdict", "person")
        }
        with duckdb.connect() as connection:
            return connection.execute(query.format(**files)).fetchall()

    def deliveries(self):
        """(contract, business date, path) of every file in landing."""
        for contract in self.catalogue.contracts:
            for path in sorted((self.home.landing / contract.department).glob("*")):
                dataset, _, day = path.stem.rpartition("_")
                if dataset == contract.dataset:
                    yield contract, datetime.strptime(day, "%Y%m%d").date(), path


def make_city(
    root: Path,
    catalogue: Catalogue,
    *,
    residents=1000,
    seed=1,
    nights=3,
    change_rate=USUAL_CHANGE_RATE,
) -> City:
    home = Home(root)
    build(
        home, catalogue, residents=residents, seed=seed, first_date=FIRST_DATE, nights=nights,
        change_rate=change_rate,
    )  # fmt: skip
    return City(home, catalogue, FIRST_DATE, nights)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return read_catalogue(PROJECT / "pipelines" / "sources")


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> City:
    return make_city(tmp_path_factory.mktemp("city"), catalogue, residents=6000, seed=3, nights=3)
