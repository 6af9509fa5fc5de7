"""The lint of one contract: it names file, line and remedy, and never falls over."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.ingest.frames import DOOR_COLUMNS
from quality import contract_reader
from quality.catalogue import Catalogue
from quality.column_reader import RESERVED_HEADERS
from quality.contract import DIMENSIONS
from quality.contract_reader import ContractError, Problem, read_contract
from quality.yaml_lines import YamlDocument, YamlError, read_yaml

SOUND = """\
apiVersion: v3.1.0
kind: DataContract
id: 307-99-001
name: 水表
version: 1.0.0
status: active
domain: population
description:
  purpose: 测试
team:
  name: 临沂市水务局
  members:
    - username: 供水科
      role: owner
servers:
  - server: landing
    type: local
    format: csv
    path: landing/water/meter_*.csv
    encoding: utf-8
slaProperties:
  - property: frequency
    value: 1
    unit: d
  - property: latency
    value: 24
    unit: h
  - property: retention
    value: 10
    unit: y
customProperties:
  - property: department
    value: water
  - property: dataset
    value: meter
  - property: delivery
    value: increment
  - property: shareType
    value: conditional
  - property: shareCondition
    value: 行政机关履职需要
  - property: openType
    value: none
schema:
  - name: meter
    logicalType: object
    physicalType: file
    description: 一行为一块水表。
    properties:
      - name: meter_number
        physicalName: 表号
        businessName: 表号
        logicalType: string
        physicalType: varchar
        primaryKey: true
        primaryKeyPosition: 1
        classification: L2
        customProperties:
          - property: missingValues
            value: [N/A]
        quality:
          - name: meter_number_format
            type: custom
            engine: yishu
            implementation: matches("^W[0-9]+$")
            dimension: conformity
            severity: error
            description: 「表号」应为 W 加数字，请更正。
      - name: installed_on
        physicalName: 安装日期
        businessName: 安装日期
        logicalType: date
        physicalType: date
        classification: L1
        enum:
          - value: '2026-01-01'
        quality:
          - name: installed_before_reading
            type: custom
            engine: yishu
            implementation: in_order(read_on)
            dimension: uniqueness
            severity: warning
            description: 「安装日期」晚于「抄表日期」，请核对。
      - name: read_on
        physicalName: 抄表日期
        businessName: 抄表日期
        logicalType: date
        physicalType: date
        classification: L1
      - name: volume
        physicalName: 用水量
        businessName: 用水量
        logicalType: number
        physicalType: decimal(12, 2)
        classification: L1
        customProperties:
          - property: parse
            value: amount
        quality:
          - name: volume_range
            type: custom
            engine: yishu
            implementation: between(0, 100000)
            dimension: accuracy
            severity: error
            description: 「用水量」超出范围，请核对。
          - name: volume_known
            type: custom
            engine: polars
            implementation: volume > 0 or read_on is null
            dimension: accuracy
            severity: error
            description: 「用水量」应大于零，请核对。
    quality:
      - name: meter_has_rows
        type: library
        metric: rowCount
        mustBeGreaterThan: 0
        dimension: completeness
        severity: error
        description: 数据集为空，请报送全部数据。
      - name: few_readers
        type: sql
        query: select count(*) from {object}
        mustBeLessThan: 100
        dimension: accuracy
        severity: warning
        description: 行数过多，请核对。
"""


@dataclass(frozen=True)
class Fault:
    """One thing spoilt in the sound contract, and the line and words that must point at it."""

    title: str
    old: str
    new: str
    rule: str
    at: str
    """Text of the line that must be named, as it stands in the spoilt contract."""
    says: str


FAULTS = [
    Fault("YAML syntax error", "name: 水表", "name: [水表", "yaml", "version: 1.0.0", "expected"),
    Fault("a tab as indent", "  purpose: 测试", "\tpurpose: 测试", "yaml", "\tpurpose", "cannot"),
    Fault("an impossible date", "version: 1.0.0", "version: 2026-13-45", "yaml", "2026-13-45",
          "month"),
    Fault("key twice", "status: active", "status: active\nstatus: draft", "yaml", "status: draft",
          "'status' stands twice"),
    Fault("misspelt key", "        classification: L2", "        clasification: L2",
          "unknown_key", "clasification", "'clasification'"),
    Fault("misspelt key at the top", "domain: population", "domian: population", "unknown_key",
          "domian", "correct or remove"),
    Fault("wrong type", "version: 1.0.0", "version: 1.0", "odcs", "version: 1.0", "string"),
    Fault("wrong version of the standard", "v3.1.0", "v2.2.2", "odcs", "apiVersion", "v3.1.0"),
    Fault("another kind of document", "kind: DataContract", "kind: DataProduct", "odcs", "kind",
          "kind: DataContract"),
    Fault("missing physicalName", "        physicalName: 抄表日期\n", "", "column",
          "- name: read_on", "needs physicalName"),
    Fault("a header that the door keeps for itself", "physicalName: 用水量",
          "physicalName: _line_number", "column", "physicalName: _line_number", "rename"),
    Fault("unknown level", "        classification: L2", "        classification: L5", "level",
          "classification: L5", "L1, L2, L3, L4"),
    Fault("physical type that does not fit", "physicalType: decimal(12, 2)",
          "physicalType: varchar", "type",
          "physicalType: varchar\n        classification: L1", "does not hold a number"),
    Fault("unknown logical type", "logicalType: number", "logicalType: money", "type",
          "logicalType: money", "must be one of string"),
    Fault("decimal that no engine holds", "decimal(12, 2)", "decimal(40, 2)", "type",
          "decimal(40, 2)", "38"),
    Fault("decimal with more places than digits", "decimal(12, 2)", "decimal(2, 4)", "type",
          "decimal(2, 4)", "scale"),
    Fault("key with a gap", "primaryKeyPosition: 1", "primaryKeyPosition: 2", "key",
          "- name: meter\n", "without gaps"),
    Fault("increment without a key", "        primaryKey: true\n        primaryKeyPosition: 1\n",
          "", "key", "- name: meter\n", "primaryKey: true"),
    Fault("column name that is no name", "- name: volume\n", "- name: Volume\n", "column",
          "- name: Volume", "lower-case"),
    Fault("column name that SQL reserves", "- name: volume\n", "- name: order\n", "column",
          "- name: order", "SQL"),
    Fault("column name twice", "- name: volume\n", "- name: read_on\n", "column",
          "- name: read_on\n        physicalName: 用水量", "stands twice"),
    Fault("unknown check", "implementation: in_order(read_on)", "implementation: after(read_on)",
          "rule", "- name: installed_before_reading", "in_order"),
    Fault("too few arguments", "between(0, 100000)", "between(0)", "rule", "- name: volume_range",
          "takes (number, number), got 1"),
    Fault("argument that is no number", "between(0, 100000)", 'between(0, "much")', "rule",
          "- name: volume_range", "'much' is not a number"),
    Fault("pattern that is no pattern", '"^W[0-9]+$"', '"^W[0-9+$"', "rule",
          "- name: meter_number_format", "regex"),
    Fault("implementation that cannot be read", "between(0, 100000)", "between(0, 10", "rule",
          "- name: volume_range", "write name or name(argument)"),
    Fault("unknown column in a rule", "in_order(read_on)", "in_order(reed_on)", "rule",
          "- name: installed_before_reading", "no column 'reed_on'"),
    Fault("check on a column of another type", "in_order(read_on)", "in_order(volume)", "rule",
          "- name: installed_before_reading", "volume"),
    Fault("unknown column in an expression", "volume > 0 or", "volme > 0 or", "rule",
          "- name: volume_known", "no column volme"),
    Fault("expression that is no SQL", "volume > 0 or read_on is null", "volume >", "rule",
          "- name: volume_known", "not an SQL expression"),
    Fault("expression that compares unlike things", "volume > 0 or read_on is null",
          "read_on > volume", "rule", "- name: volume_known", "types"),
    Fault("expression that gives no yes or no", "volume > 0 or read_on is null", "volume + 1",
          "rule", "- name: volume_known", "true or false"),
    Fault("SQL rule without {object}", "from {object}", "from staging.stg_water__meter", "rule",
          "- name: few_readers", "{object}"),
    Fault("SQL rule without a bound", "        mustBeLessThan: 100\n", "", "rule",
          "- name: few_readers", "mustBe"),
    Fault("unknown metric", "metric: rowCount", "metric: rowcount", "rule",
          "- name: meter_has_rows", "rowCount or nullValues"),
    Fault("unknown dimension", "dimension: uniqueness", "dimension: beauty", "rule",
          "- name: installed_before_reading", "conformity"),
    Fault("unknown severity", "severity: warning\n            description: 「安装日期」",
          "severity: fatal\n            description: 「安装日期」", "rule",
          "- name: installed_before_reading", "error or warning"),
    Fault("own rule without a description",
          "            description: 「用水量」应大于零，请核对。\n", "", "rule",
          "- name: volume_known", "tells the clerk what to do"),
    Fault("own rule without a dimension",
          "            dimension: accuracy\n            severity: error\n"
          "            description: 「用水量」应大于零，请核对。",
          "            severity: error\n            description: 「用水量」应大于零，请核对。",
          "rule", "- name: volume_known", "dimension must be one of"),
    Fault("unknown reference table", "between(0, 100000)", "in_reference(colours)", "rule",
          "- name: volume_range", "ethnic_group"),
    Fault("argument that is no date", "in_order(read_on)", 'not_before("2000-13-01")', "rule",
          "- name: installed_before_reading", "2000-01-31"),
    Fault("indicator of another dimension",
          "            description: 「用水量」超出范围，请核对。\n",
          "            customProperties:\n              - property: indicator\n"
          "                value: '0201'\n", "rule", "- name: volume_range",
          "'0201' is none of accuracy: 0301, 0302"),
    Fault("unknown property of a rule", "            description: 「用水量」超出范围，请核对。\n",
          "            customProperties:\n              - property: indicatr\n"
          "                value: '0301'\n", "rule", "- name: volume_range",
          "no property 'indicatr'"),
    Fault("rule name twice", "name: volume_known", "name: volume_range", "rule",
          "- name: volume_range\n            type: custom\n            engine: polars",
          "stands twice"),
    Fault("wrong folder", "value: water", "value: fire", "place", "customProperties",
          "sources/fire/"),
    Fault("wrong file name", "value: meter", "value: gauge", "place", "customProperties",
          "gauge.odcs.yaml"),
    Fault("path that gives no date", "landing/water/meter_*.csv", "landing/water/*.csv", "server",
          "path: landing", "landing/water/meter_*."),
    Fault("unknown encoding", "encoding: utf-8", "encoding: latin-1", "server", "encoding: latin-1",
          "gb18030"),
    Fault("unknown format", "format: csv", "format: docx", "server", "format: docx", "xlsx"),
    Fault("delimiter of two characters", "encoding: utf-8", "encoding: utf-8\n    delimiter: '||'",
          "server", "delimiter:", "single character"),
    Fault("fixed width without widths", "format: csv", "format: fixed", "server", "format: fixed",
          "widths"),
    Fault("conditional share without a condition",
          "  - property: shareCondition\n    value: 行政机关履职需要\n", "", "share",
          "customProperties", "shareCondition"),
    Fault("unknown delivery", "value: increment", "value: delta", "delivery",
          "- property: delivery", "full, increment"),
    Fault("missing service level", "  - property: latency\n    value: 24\n    unit: h\n", "",
          "service_level", "slaProperties", "needs latency"),
    Fault("unit of time that nobody knows", "    unit: h", "    unit: fortnight", "service_level",
          "- property: latency", "h, d, w"),
    Fault("nobody owns it", "role: owner", "role: clerk", "owner", "team:", "role: owner"),
    Fault("spellings of missing that are no list", "value: [N/A]", "value: N/A", "missing",
          "- property: missingValues", "list"),
    Fault("unknown reading", "value: amount", "value: guess", "parse", "- property: parse",
          "code, amount"),
    Fault("reading that gives another type", "value: amount", "value: code", "parse",
          "- property: parse", "give a number"),
]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "water" / "meter.odcs.yaml"
    path.parent.mkdir()
    return path


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(ContractError) as refused:
        read_contract(path)
    return refused.value.problems


def test_every_shipped_contract_is_read_without_a_problem(shipped: Catalogue) -> None:
    assert [str(problem) for problem in shipped.problems] == []
    assert len(shipped.contracts) >= 10
    assert len(shipped.departments) >= 9


def test_every_shipped_contract_has_key_and_a_rule_in_four_dimensions(shipped: Catalogue) -> None:
    """A contract with a dimension left out would score 'not assessed' for years unseen."""
    for contract in shipped.contracts:
        assert contract.key or contract.delivery == "full", contract.name
        assert len({rule.dimension for rule in contract.rules} & set(DIMENSIONS)) >= 4


def test_the_sound_contract_of_this_module_is_sound(place: Path) -> None:
    """Else every fault below would be found for a reason of its own."""
    place.write_text(SOUND, "utf-8")
    contract = read_contract(place)
    assert contract.name == "water/meter"
    assert contract.key == ("meter_number",)
    assert contract.column("meter_number").missing == ("N/A",)
    by_name = {rule.rule_id: rule for rule in contract.rules}
    assert by_name["installed_before_reading"].dimension == "accuracy"
    assert by_name["volume_range"].arguments == ("0", "100000")
    assert set(by_name["volume_known"].columns) == {"volume", "read_on"}
    assert by_name["few_readers"].family == "relation"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.title)
def test_a_fault_is_named_with_file_line_and_remedy(place: Path, fault: Fault) -> None:
    assert fault.old in SOUND
    spoilt = SOUND.replace(fault.old, fault.new, 1)
    place.write_text(spoilt, "utf-8")
    line = spoilt[: spoilt.index(fault.at)].count("\n") + 1
    found = [p for p in problems_of(place) if p.rule == fault.rule and fault.says in p.message]
    assert [(p.path, p.line) for p in found] == [(place, line)], problems_of(place)
    assert str(found[0]).startswith(f"{place}:{line}: {fault.rule}: ")


def test_all_faults_of_a_contract_are_named_in_one_pass(place: Path) -> None:
    """Else the clerk mends one, runs the lint, mends the next."""
    spoilt = SOUND.replace("classification: L2", "classification: L9")
    spoilt = spoilt.replace("between(0, 100000)", "betwixt(0, 1)").replace("role: owner", "role: x")
    place.write_text(spoilt, "utf-8")
    problems = problems_of(place)
    assert {problem.rule for problem in problems} == {"level", "rule", "owner"}
    assert [problem.line for problem in problems] == sorted(p.line for p in problems)


def test_a_file_that_is_not_utf8_is_named_by_its_first_bad_line(place: Path) -> None:
    place.write_bytes(SOUND.encode("gb18030"))
    (problem,) = problems_of(place)
    assert (problem.rule, problem.line) == ("yaml", 4)
    assert "save the file as UTF-8" in problem.message


@pytest.mark.parametrize("text", ["", "# nothing\n", "just a word\n", "- a\n- b\n"])
def test_a_document_that_is_no_contract_is_refused(place: Path, text: str) -> None:
    place.write_text(text, "utf-8")
    (problem,) = problems_of(place)
    assert problem.rule in ("yaml", "odcs")


def test_a_contract_for_two_datasets_is_refused(place: Path) -> None:
    document = yaml.safe_load(SOUND)
    document["schema"] *= 2
    place.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    assert [problem.rule for problem in problems_of(place)] == ["one_dataset"]


# -- robustness --------------------------------------------------------------------------

ODD_VALUES: tuple[Any, ...] = (None, [], {}, "", 7, "text", [{"a": 1}], True)


def locations(node: Any, location: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place below the root of a document."""
    items = enumerate(node) if isinstance(node, list) else node.items()
    for key, value in items:
        yield (*location, key)
        if isinstance(value, list | dict):
            yield from locations(value, (*location, key))


def spoil(document: Any, location: tuple[Any, ...], change: Callable[[Any, Any], None]) -> None:
    node = document
    for key in location[:-1]:
        node = node[key]
    change(node, location[-1])


PLAIN = yaml.safe_load(SOUND)
PLACES = tuple(locations(PLAIN))


def fallen(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any, Any], Any]) -> list[str]:
    """The places where a change makes the lint raise anything else than its problems."""
    found = []
    for location in PLACES:
        document = copy.deepcopy(PLAIN)
        spoil(document, location, change)
        read = YamlDocument(Path("water/meter.odcs.yaml"), document, {(): 1})
        monkeypatch.setattr(contract_reader, "read_yaml", lambda _, read=read: read)
        try:
            read_contract(read.path)
        except ContractError:
            continue
        except Exception as error:  # noqa: BLE001 - any other error is the failure looked for
            found.append(f"{location}: {error!r}")
    return found


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
def test_no_odd_value_anywhere_makes_the_lint_fall_over(
    odd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lint that raises anything else than its problems takes the whole catalogue with it."""
    assert fallen(monkeypatch, lambda node, key: node.__setitem__(key, odd)) == []


def test_no_missing_part_makes_the_lint_fall_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fallen(monkeypatch, lambda node, key: node.pop(key)) == []


def test_lines_are_those_of_the_text(tmp_path: Path) -> None:
    """A key and a list item are pointed at where they begin, what is missing at its parent."""
    path = tmp_path / "document.yaml"
    path.write_text("a:\n  b: 1\n  c:\n    - d\n    - e: 2\n", "utf-8")
    document = read_yaml(path)
    assert document.data == {"a": {"b": 1, "c": ["d", {"e": 2}]}}
    assert document.line(("a", "c", 1, "e")) == 5
    assert document.line(("a", "c")) == 3
    assert document.line(("a", "c", 0, "nothing")) == 4
    assert document.line(("nothing",)) == 1


def test_a_control_character_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "document.yaml"
    path.write_text("a: 1\nb: \x01\n", "utf-8")
    with pytest.raises(YamlError, match=re.escape(f"{path}:2: ")):
        read_yaml(path)


def test_the_reserved_headers_are_the_doors_own_columns() -> None:
    """One that the door adds and the lint does not know would be read as the department's."""
    assert set(DOOR_COLUMNS) == RESERVED_HEADERS
