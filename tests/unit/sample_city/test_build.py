"""What `build` promises: the same bytes, honest arguments, the contracts' file forms."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.sample_city import build
from quality.contract import DIMENSIONS
from tests.unit.sample_city.conftest import make_city
from tests.unit.sample_city.reading import findings, read_lines

NOT_DELIVERED = {"market_regulation/enterprise_register_extract"}


def digests(root: Path) -> dict[str, str]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_the_same_arguments_give_the_same_bytes(tmp_path, catalogue):
    """Prevents: a draw, a thread or the clock that changes a delivery between two runs."""
    first = make_city(tmp_path / "a", catalogue, nights=2)
    second = make_city(tmp_path / "b", catalogue, nights=2)
    assert digests(first.home.root) == digests(second.home.root)


def test_another_seed_gives_another_city(tmp_path, catalogue):
    """Prevents: a seed that is accepted and not used."""
    first = digests(make_city(tmp_path / "a", catalogue, nights=1, seed=1).home.landing)
    second = digests(make_city(tmp_path / "b", catalogue, nights=1, seed=2).home.landing)
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"residents": 999}, "1000 or more"),
        ({"nights": 0}, "from 1"),
        ({"nights": 301}, "300"),
        ({"change_rate": 0.5}, "0.05"),
        ({"seed": 2**63}, "64 bits"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(
    tmp_path, catalogue, arguments, message
):
    """Prevents: a city too small to have every kind of row, made without a word."""
    asked = {"residents": 1000, "seed": 1, "first_date": date(2026, 11, 2), "nights": 1}
    with pytest.raises(ValueError, match=message):
        build(Home(tmp_path / "home"), catalogue, **(asked | arguments))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("folder", ["landing", "archive"])
def test_an_occupied_home_is_left_alone(tmp_path, catalogue, folder):
    """Prevents: a sample city poured over the real deliveries of a department."""
    home = Home(tmp_path)
    kept = tmp_path / folder / "taxation" / "tax_payment_20261101.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("delivered")
    with pytest.raises(FileExistsError, match="empty home"):
        build(home, catalogue, residents=1000, seed=1, first_date=date(2026, 11, 2), nights=1)
    assert digests(tmp_path).keys() == {str(kept.relative_to(tmp_path))}


def test_every_dataset_is_delivered_every_night(city):
    """Prevents: a dataset that the quality report calls late because the sample forgot it."""
    delivered = {}
    for contract, business_date, path in city.deliveries():
        delivered.setdefault(contract.name, []).append(business_date)
        assert path.match(contract.file_pattern)
    expected = {contract.name for contract in city.catalogue.contracts} - NOT_DELIVERED
    assert delivered.keys() == expected
    assert {len(nights) for nights in delivered.values()} == {city.nights}


def test_files_have_the_form_that_the_contract_promises(city):
    """Prevents: a wrong encoding, delimiter, sheet, line end, quoting or order of headers."""
    for contract, _, path in city.deliveries():
        header, *rows = read_lines(path, contract)
        assert tuple(header) == contract.headers, path.name
        assert {len(row) for row in rows} <= {len(header)}, path.name
        if contract.file_format == "csv":
            content = path.read_bytes()
            with_return = content.count(b"\r\n") if contract.encoding == "gb18030" else 0
            assert content.count(b"\r") == with_return
            assert content.count(b"\n") == len(rows) + 1
            assert b'"' not in content


def test_the_manifest_counts_what_lies_in_landing(city):
    """Prevents: an evaluation against rates that were never planted."""
    manifest = json.loads((city.home.sample_truth / "manifest.json").read_text("utf-8"))
    assert (manifest["residents"], manifest["seed"], manifest["nights"]) == (6000, 3, 3)
    for contract, _, path in city.deliveries():
        rows = manifest["datasets"][contract.name]["rows"]
        assert rows[path.name] == len(read_lines(path, contract)) - 1
    planted = sum(sum(entry["defects"].values()) for entry in manifest["datasets"].values())
    assert [(planted,)] == city.truth("select count(*) from {defect}")
    total = sum(sum(entry["rows"].values()) for entry in manifest["datasets"].values())
    assert 0.003 < planted / total < 0.009


def test_row_rules_find_the_planted_defects_and_nothing_else(city):
    """Prevents: an honest row that breaks a rule, or a planted defect that breaks two or none."""
    for contract, business_date, path in city.deliveries():
        relations = {rule.rule_id for rule in contract.rules_of("relation")}
        planted = city.truth(
            "select line_number, rule_id from {defect} "
            f"where department = '{contract.department}' and file_name = '{path.name}'"
        )
        expected = {place for place in planted if place[1] not in relations}
        assert findings(path, contract, business_date) == expected, path.name


def test_defects_are_planted_in_all_six_dimensions(city):
    """Prevents: a dimension whose recall is measured over nothing."""
    planted = city.truth("select dimension, count(distinct kind) from {defect} group by all")
    assert dict(planted).keys() == DIMENSIONS.keys()
    assert all(kinds >= 2 for _, kinds in planted)


def test_planted_lines_hold_what_the_truth_says(city):
    """Prevents: line numbers that count from another line than the department's own."""
    by_file = {path.name: (contract, path) for contract, _, path in city.deliveries()}
    seen = set()
    for name, line, column, kind in city.truth(
        "select file_name, line_number, column_name, kind from {defect}"
    ):
        contract, path = by_file[name]
        lines = read_lines(path, contract)
        row = lines[line - 1]
        value = row[[c.name for c in contract.columns].index(column)]
        if kind == "repeated_row":
            assert lines.index(row) < line - 1
        elif kind.startswith("missing"):
            assert value == ""
        elif kind.startswith("garbled"):
            assert "锟斤拷" in value
        elif kind == "impossible_date":
            assert value.endswith("-02-30")
        else:
            continue
        seen.add(kind.split("_")[0])
    assert seen == {"repeated", "missing", "garbled", "impossible"}


def test_no_line_of_a_csv_file_spans_two(city):
    """Prevents: physical lines that differ from records, so that line numbers drift."""
    for contract, _, path in city.deliveries():
        if contract.file_format == "csv":
            with path.open(encoding=contract.encoding, newline="") as file:
                reader = csv.reader(file, delimiter=contract.delimiter)
                assert all(reader.line_num == number for number, _ in enumerate(reader, start=1))
