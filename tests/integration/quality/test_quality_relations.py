"""Rules between departments: who meets whom, what both are shown, and who is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quality import nightly
from quality.catalogue import Catalogue
from quality.contract import Rule

ENTERPRISES = "market_regulation/enterprise"
CREDITS = "development_reform/credit_record"
TABLE = "market_regulation__enterprise"


def judged(city: Any, rule: Rule, number: int = 1) -> Any:
    """The result of one more rule of the credit records."""
    contracts = [
        replace(c, rules=(*c.rules, rule)) if c.name == CREDITS else c
        for c in city.catalogue.contracts
    ]
    results = nightly.judge(city.path, Catalogue(tuple(contracts), ()), city.night(number))
    return next(result for result in results if result.rule_id == rule.rule_id)


def relation(check: str, column: str, *arguments: str, **options: float | str) -> Rule:
    return Rule("the_rule", "relation", check, "consistency", "warning", "对不上，请核对。",
                (column,), arguments, options)  # fmt: skip


def in_business(**options: float | str) -> Rule:
    return relation("exists_where", "unified_code", TABLE, "unified_code",
                    "there.enterprise_status = '在营'", "here.severity_grade = '一般'",
                    **options)  # fmt: skip


def test_a_value_in_the_other_quarantine_is_not_told_twice(city, enterprise, credit):
    """Its row is refused and told to its owner; a second finding would be the same cause."""
    held = enterprise(_rules="phone_format", _columns="phone", phone=None)
    city.deliver(ENTERPRISES, 1, [enterprise(unified_code="91371302MA3C000002"), held])
    city.deliver(CREDITS, 1, [credit()])
    result = judged(city, relation("exists_in", "unified_code", TABLE, "unified_code"))
    assert (result.status, result.failed, result.total) == ("pass", 0, 1)


def test_a_condition_is_judged_only_where_the_value_exists_and_the_own_condition_holds(
    city, enterprise, credit
):
    codes = [f"91371302MA3C00000{n}" for n in range(1, 5)]
    city.deliver(ENTERPRISES, 1, [
        enterprise(unified_code=codes[0]),
        enterprise(unified_code=codes[1], enterprise_status="注销"),
        enterprise(unified_code=codes[2], enterprise_status="吊销"),
    ])  # fmt: skip
    city.deliver(CREDITS, 1, [
        credit(record_number="XY2026000001", unified_code=codes[0]),
        credit(record_number="XY2026000002", unified_code=codes[1]),
        credit(record_number="XY2026000003", unified_code=codes[2], severity_grade="严重"),
        credit(record_number="XY2026000004", unified_code=codes[3]),
    ])  # fmt: skip
    result = judged(city, in_business())
    assert (result.status, result.failed, result.total) == ("fail", 1, 2)
    lines = city.ask("select line_number from quality.defect where rule_id = 'the_rule'")
    assert lines == [(3,)]


@pytest.mark.parametrize(("allowed", "status"), [(50, "pass"), (49, "fail")])
def test_within_its_tolerance_a_rule_passes_and_tells_nobody(
    city, enterprise, credit, allowed, status
):
    city.deliver(ENTERPRISES, 1, [
        enterprise(), enterprise(unified_code="91371302MA3C000002", enterprise_status="注销"),
    ])  # fmt: skip
    city.deliver(CREDITS, 1, [
        credit(), credit(record_number="XY2026000002", unified_code="91371302MA3C000002"),
    ])  # fmt: skip
    rule = in_business(mustBeLessOrEqualTo=allowed, unit="percent")
    result = judged(city, rule)
    assert (result.status, result.failed, result.total) == (status, 1, 2)
    told = [(1,)] if status == "fail" else [(0,)]
    for table in ("defect", "disagreement"):
        count = f"select count(*) from quality.{table} where rule_id = 'the_rule'"
        assert city.ask(count) == told, table


def test_both_owners_see_the_rows_that_disagree(city, enterprise, credit):
    theirs = city.deliver(ENTERPRISES, 1, [enterprise(), enterprise(
        unified_code="91371302MA3C000002", enterprise_name="临沂蒙山食品有限公司")])  # fmt: skip
    own = city.deliver(CREDITS, 1, [
        credit(record_number="XY2026000002", unified_code="91371302MA3C000002"), credit(),
    ])  # fmt: skip
    result = judged(city, relation(
        "agrees_with", "enterprise_name", TABLE, "unified_code", "enterprise_name", "unified_code"
    ))  # fmt: skip
    assert (result.failed, result.total) == (1, 2)
    assert city.ask(
        "select department, delivery_id, line_number, shown_key, other_department, "
        "other_delivery_id, other_file_name, other_line_number from quality.disagreement"
    ) == [
        ("development_reform", own, 2, "91371302MA3C000002", "market_regulation", theirs,
         "enterprise_20260628.csv", 3)
    ]  # fmt: skip
    assert city.ask(
        "select count(*) from quality.disagreement inner join quality.defect using (defect_id)"
    ) == [(1,)]


def test_a_key_that_the_other_does_not_have_is_shown_without_a_row(city, enterprise, credit):
    city.deliver(ENTERPRISES, 1, [enterprise(unified_code="91371302MA3C000009")])
    city.deliver(CREDITS, 1, [credit()])
    judged(city, relation("exists_in", "unified_code", TABLE, "unified_code"))
    assert city.ask(
        "select shown_key, other_dataset, other_delivery_id, other_line_number "
        "from quality.disagreement where rule_id = 'the_rule'"
    ) == [("91371302MA3C000001", "enterprise", None, None)]


def test_one_disagreement_is_one_cause_of_one_department(city, enterprise, credit):
    """The order is the owner's whose contract states the rule; the other is told, not ordered."""
    city.deliver(ENTERPRISES, 1, [enterprise(unified_code="91371302MA3C000009")])
    city.deliver(CREDITS, 1, [credit()])
    nightly.judge(city.path, city.catalogue, city.night(1))
    assert city.ask(
        "select department, dataset, cause from quality.cause where dimension = 'consistency'"
    ) == [("development_reform", "credit_record", "subject_is_registered")]


def test_every_expected_check_is_joined_with_what_ran(city, enterprise):
    """A rule that nobody ran, or a result that nobody expected, must show in the data."""
    city.deliver(ENTERPRISES, 1, [enterprise()])
    city.ask("drop view staging.stg_development_reform__credit_record")
    nightly.judge(city.path, city.catalogue, city.night(1))
    joined = (
        "from quality.expected_check as expected full join quality.rule_result as result "
        "using (business_date, department, dataset, rule_id, engine) "
    )
    assert city.ask(
        f"select count(*) {joined} where expected.check_name is null or result.status is null"
    ) == [(0,)]
    not_run = city.ask(
        f"select distinct dataset, engine {joined} where status = 'not_run' order by all"
    )
    assert not_run == [("credit_record", engine) for engine in ("anomaly", "gx", "pandera")]
    expected = sum(len(contract.rules) + 1 for contract in city.catalogue.contracts)
    assert city.ask("select count(*) from quality.expected_check") == [(expected,)]
    nightly.judge(city.path, city.catalogue, city.night(1))
    assert city.ask("select count(*) from quality.expected_check") == [(expected,)]
