"""`yishu query`: reads what was published, and does nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.home import Home

runner = CliRunner()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one published version."""
    home = Home(tmp_path_factory.mktemp("home")).create()
    folder = home.published / "20260630-000000000000"
    folder.mkdir()
    with duckdb.connect(str(folder / "marts.duckdb")) as connection:
        connection.execute("create schema population")
        connection.execute(
            "create table population.person as "
            "select i as number, '张*' as full_name, '[红]' || i as remark, null as nothing "
            "from range(5) t(i)"
        )
    (home.published / "current").symlink_to(folder.name)
    return home


@pytest.fixture(autouse=True)
def _environment(published: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YISHU_HOME", str(published.root))
    monkeypatch.setenv("COLUMNS", "200")


def ask(*arguments: str) -> Result:
    return runner.invoke(app, ["query", *arguments])


def test_a_question_is_answered_as_a_table() -> None:
    result = ask("select number, full_name from population.person where number = 3")
    assert result.exit_code == 0
    assert "张*" in result.output
    assert "3" in result.output


def test_values_with_brackets_are_shown_as_they_are() -> None:
    """The terminal's markup would swallow `[红]`, or fall over `[/x]`."""
    result = ask("select remark, '[/x]' as \"[b]\" from population.person where number = 1")
    assert result.exit_code == 0, result.exception
    for shown in ("[红]1", "[/x]", "[b]"):
        assert shown in result.output


def test_csv_and_json_say_the_same() -> None:
    sql = "select number, full_name, nothing from population.person order by 1"
    records = json.loads(ask(sql, "-f", "json").output)
    assert records[4] == {"number": 4, "full_name": "张*", "nothing": None}
    rows = list(csv.DictReader(io.StringIO(ask(sql, "--format", "csv").output)))
    assert [row["number"] for row in rows] == [str(r["number"]) for r in records]
    assert rows[0]["nothing"] == ""


def test_the_limit_is_kept_and_told() -> None:
    result = ask("select number from population.person", "--limit", "2")
    assert "the first 2 rows" in result.output
    assert "the first" not in ask("select number from population.person", "--limit", "5").output


def files(home: Home) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in home.root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "sql",
    [
        "insert into population.person values (9, 'x', 'x', null)",
        "update population.person set number = 9",
        "delete from population.person",
        "drop table population.person",
        "create table population.t as select 1",
        "select 1; drop table population.person",
        "copy population.person to '{folder}/out.csv'",
        "copy (select 1) to '{folder}/out.parquet'",
        "export database '{folder}/out'",
        "attach '{folder}/other.duckdb' as other",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/etc/*')",
        "select * from read_parquet('{folder}/x.parquet')",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "pragma temp_directory = '/tmp'",
    ],
)
def test_what_writes_or_leaves_is_refused(published: Home, tmp_path: Path, sql: str) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    before = files(published)
    result = ask(sql.format(folder=tmp_path))
    assert result.exit_code == 2
    assert "query failed" in result.output
    assert files(published) == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["select"],
        ["selec 1"],
        ["select * from nowhere"],
        ["select '[/x]' from nowhere"],
        [""],
        ["-- nothing"],
        ["select 1", "--limit", "0"],
        ["select 1", "--format", "xml"],
        [],
    ],
)
def test_a_wrong_question_exits_with_2_and_says_why(arguments: Sequence[str]) -> None:
    result = ask(*arguments)
    assert result.exit_code == 2
    assert result.output.strip()
    assert not isinstance(result.exception, duckdb.Error)


def test_before_the_first_publication_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YISHU_HOME", str(tmp_path))
    result = ask("select 1")
    assert result.exit_code == 1
    assert "yishu nightly" in result.output
