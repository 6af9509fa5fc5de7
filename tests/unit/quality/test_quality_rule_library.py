"""The library of rules: every check has its entry, every rule its sub-indicator."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from quality.catalogue import Catalogue
from quality.contract import DIMENSIONS
from quality.indicators import PLAIN, read_indicators
from quality.reference_tables import divisions, provinces, zones
from quality.relation_rules import RELATION_CHECKS
from quality.row_rules import ROW_CHECKS
from quality.rule_documentation import document
from quality.rule_library import indicator_of, message_of, read_library
from tests.conftest import MakeContract

PROJECT = Path(__file__).resolve().parents[3]
REAL_DIVISIONS = (
    PROJECT.parent / "shared" / "data" / "real" / "divisions" / "areacodes_shandong_1981_2024.csv"
)


def test_the_standard_has_twenty_sub_indicators_in_six_dimensions() -> None:
    counts = Counter(item.dimension for item in read_indicators().values())
    assert list(counts.values()) == [6, 2, 5, 2, 3, 2]
    assert list(counts) == list(DIMENSIONS)
    for number, dimension in enumerate(DIMENSIONS, start=1):
        codes = [i.code for i in read_indicators().values() if i.dimension == dimension]
        assert codes == [f"{number:02}{place:02}" for place in range(1, len(codes) + 1)]
        assert PLAIN[dimension] in codes


def test_every_check_stands_in_the_library_with_a_known_indicator() -> None:
    library = read_library()
    assert {*ROW_CHECKS, *RELATION_CHECKS} <= set(library)
    for check, entry in library.items():
        assert entry.indicator in read_indicators(), check
        assert entry.severity in ("error", "warning"), check


def test_every_message_says_what_to_do() -> None:
    for check, entry in read_library().items():
        assert not entry.message or "请" in entry.message, check


def test_every_rule_of_every_contract_counts_towards_an_indicator_of_its_dimension(
    shipped: Catalogue,
) -> None:
    rules = [rule for contract in shipped.contracts for rule in contract.rules]
    assert len(rules) > 200
    for rule in rules:
        assert read_indicators()[rule.indicator].dimension == rule.dimension, rule.rule_id


def test_a_named_rule_needs_no_more_than_a_name(make_contract: MakeContract) -> None:
    rule = {"name": "number", "type": "custom", "engine": "yishu", "implementation": "phone"}
    contract = make_contract([{"name": "phone", "businessName": "电话", "quality": [rule]}])
    (read,) = [rule for rule in contract.rules if rule.rule_id == "number"]
    assert (read.dimension, read.severity, read.indicator) == ("conformity", "error", "0101")
    assert read.message == "「电话」不是有效的手机或固定电话号码，请更正。"


def test_a_contract_may_say_otherwise(make_contract: MakeContract) -> None:
    rule = {"name": "number", "type": "custom", "engine": "yishu", "implementation": "phone",
            "dimension": "accuracy", "severity": "warning", "description": "请改。",
            "customProperties": [{"property": "indicator", "value": "0305"}]}  # fmt: skip
    contract = make_contract([{"name": "phone", "quality": [rule]}])
    (read,) = [rule for rule in contract.rules if rule.rule_id == "number"]
    assert (read.dimension, read.severity, read.indicator) == ("accuracy", "warning", "0305")
    assert read.message == "请改。"


def test_a_check_of_another_dimension_counts_towards_the_plain_indicator() -> None:
    assert indicator_of("phone", "conformity") == "0101"
    assert indicator_of("phone", "accuracy") == "0301"
    assert indicator_of("expression", "consistency") == "0402"


def test_messages_name_columns_and_arguments() -> None:
    said = message_of("age_allows", ["婚姻", "出生日期"], ["已婚", "born", "20", "150"], {})
    assert said == (
        "「婚姻」为“已婚”时，按「出生日期」推算的年龄应在 20 至 150 周岁之间，请核对两项后更正。"
    )


def test_the_rules_document_is_what_the_registries_say() -> None:
    """If this fails: python -m quality.rule_documentation > docs/rules.md"""
    assert (PROJECT / "docs" / "rules.md").read_text(encoding="utf-8") == document()


def test_a_zone_lies_in_divisions_that_are_in_use() -> None:
    living = {division.code for division in divisions() if not division.now}
    for zone in zones():
        assert set(zone.inside) <= living, zone.code
        assert zone.code not in living


def test_a_past_division_points_to_codes_of_the_country() -> None:
    for division in divisions():
        assert division.first < division.last
        assert all(code[:2] in provinces() for code in division.now)


@pytest.mark.skipif(not REAL_DIVISIONS.exists(), reason="the real files are not here")
def test_the_dated_table_agrees_with_the_ministrys_lists() -> None:
    told = set()
    for line in REAL_DIVISIONS.read_text(encoding="utf-8").splitlines()[1:]:
        fields = line.split(",")
        code, name, last = fields[0], fields[3], fields[7]
        if code[:4] in ("3713", "3728"):
            told.add((code, name, last[:4]))
    own = {
        (d.code, d.name.removesuffix("（县级）"), "" if d.last.year > 2100 else str(d.last.year))
        for d in divisions()
        if d.code != "371301"  # the lists leave out 市辖区
    }
    assert own == told
