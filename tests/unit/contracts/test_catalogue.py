"""What only shows when contracts are seen together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from quality.catalogue import Catalogue, read_catalogue

Write = Callable[[Path, Mapping[str, Any]], Path]
Document = Callable[..., dict[str, Any]]

NUMBER = {"name": "meter_number", "required": True}


def references(table: str, column: str) -> list[dict[str, Any]]:
    """A column whose values must be found in another dataset."""
    rule = {
        "name": "meter_number_is_known",
        "type": "custom",
        "engine": "yishu",
        "implementation": f"exists_in({table}, {column})",
        "dimension": "consistency",
        "severity": "warning",
        "description": "「表号」查无此表，请核对。",
    }
    return [{**NUMBER, "quality": [rule]}]


@pytest.fixture
def sources(tmp_path: Path, make_document: Document, write_document: Write) -> Path:
    """Three sound contracts of two departments."""
    for department, dataset in (("water", "meter"), ("water", "reading"), ("fire", "hydrant")):
        name = {"water": "临沂市水务局", "fire": "临沂市消防救援支队"}[department]
        team = {"name": name, "members": [{"username": "科", "role": "owner"}]}
        document = make_document([NUMBER], department=department, dataset=dataset, team=team)
        write_document(tmp_path, document)
    return tmp_path


def only_problem(catalogue: Catalogue, name: str) -> str:
    """The one problem of the one broken contract; all others must be usable."""
    assert [f"{b.department}/{b.dataset}" for b in catalogue.broken] == [name]
    assert set(catalogue.by_name) | {name} == {"fire/hydrant", "water/meter", "water/reading"}
    (problem,) = catalogue.problems
    return f"{problem.path.name}:{problem.line}: {problem.rule}: {problem.message}"


def test_sound_contracts_are_all_usable(sources: Path) -> None:
    catalogue = read_catalogue(sources)
    assert catalogue.names == ("fire/hydrant", "water/meter", "water/reading")
    assert catalogue.broken == ()
    assert catalogue.departments == {"fire": "临沂市消防救援支队", "water": "临沂市水务局"}


@pytest.mark.parametrize("content", [b"", b"a: [", b"\xff\xfe", b"a: 1\n", b"- 1\n"])
def test_a_broken_contract_never_hides_the_others(sources: Path, content: bytes) -> None:
    (sources / "water" / "meter.odcs.yaml").write_bytes(content)
    catalogue = read_catalogue(sources)
    assert set(catalogue.by_name) == {"fire/hydrant", "water/reading"}
    assert catalogue.names == ("fire/hydrant", "water/meter", "water/reading")
    assert {problem.path.name for problem in catalogue.problems} == {"meter.odcs.yaml"}


def test_a_department_with_broken_contracts_alone_is_still_listed(sources: Path) -> None:
    """It still gets its work order."""
    (sources / "fire" / "hydrant.odcs.yaml").write_text("a: [", "utf-8")
    assert read_catalogue(sources).departments == {"fire": "fire", "water": "临沂市水务局"}


def test_a_reference_to_a_table_that_does_not_exist_is_named(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    path = write_document(
        sources, make_document(references("water__pump", "meter_number"), dataset="reading")
    )
    lines = path.read_text("utf-8").splitlines()
    line = next(i for i, text in enumerate(lines, 1) if "name: meter_number_is_known" in text)
    assert only_problem(read_catalogue(sources), "water/reading") == (
        f"reading.odcs.yaml:{line}: rule: rule 'meter_number_is_known': "
        "there is no 'water__pump' in water__pump"
    )


def test_a_reference_to_a_column_that_does_not_exist_is_named(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    write_document(sources, make_document(references("water__meter", "num"), dataset="reading"))
    assert "there is no 'num' in water__meter" in only_problem(
        read_catalogue(sources), "water/reading"
    )


def test_a_reference_to_a_broken_neighbour_does_not_break_the_contract(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    write_document(
        sources, make_document(references("water__meter", "meter_number"), dataset="reading")
    )
    (sources / "water" / "meter.odcs.yaml").write_text("a: [", "utf-8")
    catalogue = read_catalogue(sources)
    assert set(catalogue.by_name) == {"fire/hydrant", "water/reading"}
    assert {problem.rule for problem in catalogue.problems} == {"yaml"}


def test_one_department_has_one_name(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    team = {"name": "临沂市水利局", "members": [{"username": "科", "role": "owner"}]}
    write_document(sources, make_document([NUMBER], dataset="reading", team=team))
    assert "water is called 临沂市水务局 in another contract" in only_problem(
        read_catalogue(sources), "water/reading"
    )


def test_two_contracts_with_one_id_are_told_apart(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    write_document(sources, make_document([NUMBER], dataset="reading", id="water-meter"))
    assert "the id water-meter belongs to water/meter" in only_problem(
        read_catalogue(sources), "water/reading"
    )


def test_a_folder_that_does_not_exist_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="set YISHU_SOURCES"):
        read_catalogue(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["valve.yaml", "valve.odcs.yml"])
def test_a_contract_under_a_wrong_name_is_not_passed_over_in_silence(
    sources: Path, name: str
) -> None:
    (sources / "water" / "meter.odcs.yaml").rename(sources / "water" / name)
    catalogue = read_catalogue(sources)
    (problem,) = catalogue.problems
    assert problem.path.name == name
    assert ".odcs.yaml" in problem.message
    assert [entry.dataset for entry in catalogue.broken] == ["valve"]


def related(implementation: str, name: str = "related") -> dict[str, Any]:
    """A column `meter_number` with one rule on another dataset."""
    rule = {
        "name": name,
        "type": "custom",
        "engine": "yishu",
        "implementation": implementation,
    }
    return {**NUMBER, "quality": [rule]}


def test_a_condition_that_cannot_run_on_the_other_dataset_is_a_problem(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    condition = 'exists_where(fire__hydrant, meter_number, "there.pressure > 1", "true")'
    write_document(sources, make_document([related(condition)]))
    said = only_problem(read_catalogue(sources), "water/meter")
    assert "rule 'related': cannot run:" in said
    assert "there" in said


def test_a_condition_that_runs_is_no_problem_and_its_message_names_the_other_dataset(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    condition = (
        "exists_where(fire__hydrant, meter_number, \"there.meter_number like 'W%'\", "
        "\"here.meter_number <> ''\")"
    )
    write_document(sources, make_document([related(condition)]))
    catalogue = read_catalogue(sources)
    assert catalogue.broken == ()
    (rule,) = [r for r in catalogue.by_name["water/meter"].rules if r.rule_id == "related"]
    hydrant = catalogue.by_name["fire/hydrant"]
    assert f"《{hydrant.title}》（临沂市消防救援支队）" in rule.message
    assert "{" not in rule.message


def test_two_datasets_do_not_ask_each_other_to_agree(
    sources: Path, make_document: Document, write_document: Write
) -> None:
    """One disagreement would become an order for each of the two departments."""
    area = {"name": "area"}
    team = {"name": "临沂市消防救援支队", "members": [{"username": "科", "role": "owner"}]}
    agrees = "agrees_with({}, meter_number, area, meter_number)"

    def asking(table: str) -> list[dict[str, Any]]:
        return [NUMBER, {**area, "quality": related(agrees.format(table))["quality"]}]

    write_document(
        sources,
        make_document(asking("water__meter"), department="fire", dataset="hydrant", team=team),
    )
    write_document(sources, make_document(asking("fire__hydrant")))
    said = only_problem(read_catalogue(sources), "fire/hydrant")
    assert "water/meter asks the same" in said
