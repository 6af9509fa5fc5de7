"""Whole nights on small cities, run through the command line as a person would."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from pipelines import sample_city
from pipelines.cli import app
from pipelines.home import PROJECT, Home
from pipelines.publish import current
from quality.catalogue import read_catalogue

FIRST_NIGHT = date(2026, 6, 30)
SECOND_NIGHT = date(2026, 7, 1)


class City:
    """A home, its contracts and its dbt project, and the commands a person types."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home").create()
        self.sources = root / "sources"
        self.dbt_project = root / "dbt_project"
        shutil.copytree(PROJECT / "pipelines" / "sources", self.sources)
        shutil.copytree(
            PROJECT / "dbt_project",
            self.dbt_project,
            ignore=shutil.ignore_patterns("target", "logs", "_sources.yml"),
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            "YISHU_HOME": str(self.home.root),
            "YISHU_SOURCES": str(self.sources),
            "YISHU_DBT_PROJECT": str(self.dbt_project),
            "COLUMNS": "200",
        }

    def sample(self, residents: int, nights: int) -> None:
        sample_city.build(
            self.home,
            read_catalogue(self.sources),
            residents=residents,
            seed=7,
            first_date=FIRST_NIGHT,
            nights=nights,
            report=lambda _: None,
        )

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=self.environment)

    def night(self, business_date: date) -> Result:
        return self.run("nightly", "--date", business_date.isoformat())

    @property
    def version(self) -> str:
        path = current(self.home)
        assert path is not None, "nothing is published"
        return path.parent.name

    def warehouse(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def published(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(current(self.home)), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def new_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], City]]:
    """Makes a city in a folder of its own; the environment is put back afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("YISHU_HOME", "YISHU_SOURCES", "YISHU_DBT_PROJECT", "DAGSTER_HOME",
                     "YISHU_WAREHOUSE"):  # fmt: skip
            patch.setenv(name, "")
            patch.delenv(name)
        yield lambda: City(tmp_path_factory.mktemp("city"))
