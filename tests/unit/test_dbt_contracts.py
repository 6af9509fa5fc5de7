"""Contracts and the dbt project say the same; each test names the drift that it would find."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import dbt_scaffold
from pipelines.dbt_sources import sources_text, write_sources
from pipelines.home import PROJECT
from quality.catalogue import BrokenContract, Catalogue, read_catalogue
from quality.contract import LEVELS, Contract

DBT_PROJECT = PROJECT / "dbt_project"
CATALOGUE = read_catalogue(PROJECT / "pipelines" / "sources")
PUBLISH = {"clear", "token", "mask_name", "mask_text", "drop"}


def _mart_models() -> list[dict[str, Any]]:
    models = []
    for path in sorted((DBT_PROJECT / "models" / "marts").glob("*/*.yml")):
        models += yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    return models


# -- the project as it is ----------------------------------------------------------------------


@pytest.mark.parametrize("contract", CATALOGUE.contracts, ids=lambda contract: contract.name)
def test_the_staging_model_agrees_with_the_contract(contract: Contract) -> None:
    found = dbt_scaffold.differences(contract, DBT_PROJECT)
    assert not found, "\n".join(found)


def test_every_staging_model_has_a_contract() -> None:
    found = dbt_scaffold.models_without_contract(CATALOGUE, DBT_PROJECT)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("model", _mart_models(), ids=lambda model: model["name"])
def test_a_mart_says_who_owns_it_what_a_row_is_and_how_each_column_is_published(
    model: dict[str, Any],
) -> None:
    assert "Grain" in model["description"]
    assert {"title", "owner"} <= model["config"]["meta"].keys()
    assert any("unique_key" in test for test in model["data_tests"])
    for column in model["columns"]:
        meta = column["config"]["meta"]
        assert meta["level"] in LEVELS, column["name"]
        assert meta.get("publish", "clear") in PUBLISH, column["name"]
        if meta["level"] in {"L3", "L4"}:
            assert meta.get("publish", "drop") != "clear", f"{column['name']} is personal"


def test_every_mart_has_its_yaml() -> None:
    described = {model["name"] for model in _mart_models()}
    present = {path.stem for path in (DBT_PROJECT / "models" / "marts").glob("*/*.sql")}
    assert described == present


def test_the_enrolment_scenario_reads_only_what_the_contracts_have() -> None:
    path = PROJECT / "scenarios" / "enrolment_verification" / "scenario.yaml"
    scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"purpose", "inputs", "owner", "authorisation"} <= scenario.keys()
    for entry in scenario["inputs"]:
        columns = {column.name for column in CATALOGUE.by_name[entry["dataset"]].columns}
        assert set(entry["columns"]) <= columns, entry["dataset"]
    assert set(scenario["outputs"]) <= {model["name"] for model in _mart_models()}


# -- what `differences` finds ------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DBT_PROJECT / "models", tmp_path / "models")).parent


@pytest.fixture
def resident() -> Contract:
    return CATALOGUE.by_name["public_security/resident"]


def _change(contract: Contract, column: str, **changes: Any) -> Contract:
    columns = tuple(
        replace(entry, **changes) if entry.name == column else entry for entry in contract.columns
    )
    return replace(contract, columns=columns)


@pytest.mark.parametrize(
    ("column", "changes", "said"),
    [
        ("birth_date", {"sql_type": "timestamp"}, "birth_date has data_type date"),
        ("birth_date", {"level": "L4"}, "birth_date has level L2"),
        ("birth_date", {"name": "born_on"}, "lacks the column born_on date"),
        ("birth_date", {"name": "born_on"}, "does not select born_on"),
        ("birth_date", {"name": "born_on"}, "has the column birth_date, which"),
        ("birth_date", {"key_position": 2}, "the contract's key is ['id_number', 'birth_date']"),
        ("birth_date", {"key_position": 2}, "no unique_key test over ['id_number', 'birth_date']"),
    ],
)
def test_a_contract_that_moved_on_is_noticed(
    resident: Contract, column: str, changes: dict[str, Any], said: str
) -> None:
    found = dbt_scaffold.differences(_change(resident, column, **changes), DBT_PROJECT)
    assert any(said in line for line in found), found


def test_another_kind_of_delivery_is_noticed(resident: Contract) -> None:
    found = dbt_scaffold.differences(replace(resident, delivery="full"), DBT_PROJECT)
    assert any("delivery='increment'; the contract says 'full'" in line for line in found)
    assert any("lacks the column _since_delivery_id" in line for line in found)


def test_a_missing_model_is_noticed(resident: Contract, project: Path) -> None:
    sql, _ = dbt_scaffold.staging_paths(resident, project)
    sql.unlink()
    [line] = dbt_scaffold.differences(resident, project)
    assert "is missing" in line


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("latest_version('source'", "older('source'", "does not call latest_version"),
        ("source('public_security', 'resident')", "source('x', 'y')", "reads source ('x', 'y')"),
        ("{{ source", "{{ source source", "line 21"),
    ],
)
def test_a_changed_model_is_noticed(
    resident: Contract, project: Path, old: str, new: str, said: str
) -> None:
    sql, _ = dbt_scaffold.staging_paths(resident, project)
    sql.write_text(sql.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert any(said in line for line in dbt_scaffold.differences(resident, project))


def test_a_contract_that_is_not_enforced_is_noticed(resident: Contract, project: Path) -> None:
    _, path = dbt_scaffold.staging_paths(resident, project)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["models"][0]["config"]["contract"] = {"enforced": False}
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    assert any("enforced" in line for line in dbt_scaffold.differences(resident, project))


def test_a_model_without_contract_is_noticed(project: Path) -> None:
    without = replace(CATALOGUE, contracts=CATALOGUE.contracts[1:])
    [line] = dbt_scaffold.models_without_contract(without, project)
    assert CATALOGUE.contracts[0].staging_model in line


# -- the scaffold and the sources --------------------------------------------------------------


@pytest.mark.parametrize("contract", CATALOGUE.contracts, ids=lambda contract: contract.name)
def test_what_the_scaffold_writes_agrees_with_the_contract(
    contract: Contract, tmp_path: Path
) -> None:
    dbt_scaffold.write_staging(contract, tmp_path)
    assert dbt_scaffold.differences(contract, tmp_path) == []


def test_the_scaffold_overwrites_a_model_only_when_told_to(
    resident: Contract, project: Path
) -> None:
    sql, _ = dbt_scaffold.staging_paths(resident, project)
    sql.write_text("select 1", encoding="utf-8")
    with pytest.raises(FileExistsError):
        dbt_scaffold.write_staging(resident, project)
    assert sql.read_text(encoding="utf-8") == "select 1"
    dbt_scaffold.write_staging(resident, project, replace=True)
    assert dbt_scaffold.differences(resident, project) == []


def test_the_sources_file_is_touched_only_when_it_changes(tmp_path: Path) -> None:
    path = write_sources(CATALOGUE, tmp_path)
    before = path.stat().st_mtime_ns
    assert write_sources(CATALOGUE, tmp_path) == path
    assert path.stat().st_mtime_ns == before
    write_sources(replace(CATALOGUE, contracts=CATALOGUE.contracts[1:]), tmp_path)
    assert path.stat().st_mtime_ns != before


def test_a_broken_contract_keeps_its_source_so_that_dbt_still_parses() -> None:
    first, *others = CATALOGUE.contracts
    entry = BrokenContract(first.department, first.dataset, first.path, ())
    document = yaml.safe_load(sources_text(Catalogue(tuple(others), (entry,))))
    tables = {
        (source["name"], table["name"]): table
        for source in document["sources"]
        for table in source["tables"]
    }
    table = tables[first.department, first.dataset]
    assert table["identifier"] == first.table
    assert "columns" not in table
    whole = yaml.safe_load(sources_text(CATALOGUE))
    assert {s["name"] for s in document["sources"]} == {s["name"] for s in whole["sources"]}
