"""Thirty nights built from what changed give what a rebuild from nothing gives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from changing_city import DELETED, ChangingCity

from pipelines import dbt_run, last_build
from pipelines.home import PROJECT, Home, sources_folder
from quality.catalogue import Catalogue, read_catalogue

pytestmark = pytest.mark.slow

NIGHTS, COMPARED = 30, (12, 30)
INCREMENTAL = ("config.materialized:incremental", "int_population__appearances_collected")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project without its tests, which have their own, and with one dataset as a change log."""
    project = tmp_path_factory.mktemp("project") / "dbt_project"
    shutil.copytree(
        PROJECT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs")
    )
    path = project / "models/staging/public_security/stg_public_security__residence_permit.sql"
    text = path.read_text(encoding="utf-8")
    log = f"delivery='change_log', change_column='residence_address', delete_values=['{DELETED}']"
    assert "delivery='increment'" in text
    path.write_text(text.replace("delivery='increment'", log), encoding="utf-8")
    settings = project / "dbt_project.yml"
    text = settings.read_text(encoding="utf-8")
    assert "data_tests:\n  yishu:\n" in text
    tests_off = "data_tests:\n  yishu:\n    +enabled: false\n"
    settings.write_text(text.replace("data_tests:\n  yishu:\n", tests_off), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YISHU_DBT_PROJECT", str(project))
        for name in ("YISHU_HOME", "YISHU_WAREHOUSE"):
            patch.setenv(name, "")  # put back afterwards: dbt_run sets them
        yield project


@pytest.fixture(scope="module")
def catalogue(project: Path) -> Catalogue:
    """What the sample city knows; other datasets stay empty."""
    return read_catalogue(sources_folder())


def checksums(warehouse: Path, schemas: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Rows and an order-free hash of every table that dbt builds."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where list_contains(?, schema_name) order by all",
            [list(schemas)],
        ).fetchall()
        return {
            table: connection.execute(
                f"select count(*), coalesce(sum(hash(t)::hugeint), 0) from {table} as t"
            ).fetchone()
            for (table,) in tables
        }


def rebuilt(
    home: Home, schemas: tuple[str, ...], aside: Path, parsed: Any
) -> dict[str, tuple[int, int]]:
    """Checksums of the same night built from nothing; the home is as it was afterwards."""
    shutil.copy(home.warehouse, aside)
    with duckdb.connect(str(home.warehouse)) as connection:
        for schema in (*schemas, "changes"):
            connection.execute(f"drop schema {schema} cascade")
    build(home, parsed, full_refresh=True)
    expected = checksums(home.warehouse, schemas)
    aside.replace(home.warehouse)
    return expected


def build(home: Home, parsed: Any, *, full_refresh: bool) -> None:
    last_build.begin(home)
    nodes = dbt_run.build(
        home, select=INCREMENTAL, full_refresh=full_refresh, with_tests=False, parsed=parsed
    )
    assert [node.message for node in nodes if node.is_bad] == []
    last_build.finish(home, went_on=not full_refresh)


def test_thirty_nights_of_changes_give_what_a_rebuild_gives(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    """Else what a city reads would depend on the order in which its nights were run."""
    home = Home(tmp_path / "home").create()
    city = ChangingCity(home, catalogue, seed=4)
    parsed = dbt_run.parse(home, catalogue)
    manifest = dbt_run.manifest(home, catalogue)
    incremental = {
        f"{node['schema']}.{node['name']}"
        for node in manifest["nodes"].values()
        if node["config"].get("materialized") == "incremental"
    }
    assert {"population.person", "population.person_source"} <= incremental
    schemas = tuple({name.split(".")[0] for name in incremental})
    moved = set()
    before: dict[str, tuple[int, int]] = {}
    for night in range(1, NIGHTS + 1):
        city.next_night()
        if night > 1 and night % 2:
            continue  # a night that ended before its models: the next goes on from two nights back
        assert last_build.can_go_on(home, manifest) == (night > 1)
        build(home, parsed, full_refresh=night == 1)
        now = checksums(home.warehouse, schemas)
        moved |= {table for table in now if before and now[table] != before[table]}
        before = now
        if night in COMPARED:
            expected = rebuilt(home, schemas, tmp_path / "aside.duckdb", parsed)
            assert now.keys() == expected.keys() >= incremental
            differing = {table for table in expected if now[table] != expected[table]}
            assert differing == set(), f"night {night} of {city.today}"
    assert moved >= incremental, "a table that never changed shows nothing"
