"""The night fetches before the door, and one source that is down does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.assets.raw import raw_assets
from pipelines.cli import app
from pipelines.home import Home
from pipelines.resources import City
from quality.catalogue import Catalogue, read_catalogue
from tests.integration.fetch.conftest import Postgres

COLUMNS = [{"name": "number", "physicalName": "编号", "primaryKey": True}]
QUERY = """select n::text as "编号" from generate_series(1, 3) as n"""


@pytest.fixture
def sources(
    tmp_path: Path,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    make_document: Callable[..., dict[str, Any]],
    write_document: Callable[[Path, Mapping[str, Any]], Path],
) -> Path:
    """A dataset that works, and one whose database does not exist."""
    monkeypatch.setenv("TEST_DB_USER", postgres.user)
    monkeypatch.setenv("TEST_DB_PASSWORD", postgres.password)
    properties = {"query": QUERY, "credentials": "TEST_DB"}
    for dataset, database in (("meter", "postgres"), ("pipe", "nowhere")):
        server = {
            "type": "postgres", "host": "127.0.0.1", "port": postgres.port, "database": database,
            "customProperties": [{"property": k, "value": v} for k, v in properties.items()],
        }  # fmt: skip
        document = make_document(COLUMNS, dataset=dataset, server=server)
        write_document(tmp_path / "sources", document)
    return tmp_path / "sources"


@pytest.fixture
def catalogue(sources: Path) -> Catalogue:
    return read_catalogue(sources)


def test_the_ledger_holds_what_came_and_what_did_not(home: Home, catalogue: Catalogue) -> None:
    """A source that is down must be seen in the morning, beside the rows of all the others."""
    result = dg.materialize(
        raw_assets(catalogue),
        partition_key="2026-03-05",
        resources={"city": City(home, catalogue)},
    )
    assert result.success
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        ledger = connection.execute(
            "select dataset, status, rows_accepted, file_name, split_part(reason, ':', 1) "
            "from meta.delivery order by dataset"
        ).fetchall()
        assert ledger == [
            ("meter", "loaded", 3, "meter_20260305.csv", None),
            ("pipe", "refused", 0, "pipe_20260305 (postgres)", "no_database"),
        ]
        assert connection.execute("select count(*) from raw.water__meter").fetchall() == [(3,)]


def test_a_person_sees_at_once_whether_a_source_works(home: Home, sources: Path) -> None:
    environment = {"YISHU_HOME": str(home.root), "YISHU_SOURCES": str(sources), "COLUMNS": "300"}

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["source", "fetch", *arguments], env=environment)
        return result.exit_code, result.output

    code, output = run("water/meter", "--date", "2026-03-05")
    assert code == 0, output
    assert "meter_20260305.csv" in output
    code, output = run("water/meter", "--date", "2026-03-05")
    assert (code, "nothing new" in output) == (0, True)
    code, output = run("water/pipe", "--date", "2026-03-05")
    assert (code, "no_database" in output) == (1, True)
    assert run("water/nothing")[0] == 2
    assert run("water/meter", "--date", "soon")[0] == 2
