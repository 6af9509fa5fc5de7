"""Causes: each fault once, and put right only when it was looked at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.causes import (
    Fault,
    causes_of,
    read_causes,
    recheck_of,
    write_causes,
)
from quality.results import STATUSES, RuleResult

NIGHT = date(2026, 6, 30)
MESSAGE = "「电话」不对（甲.csv：缺少），请改。"


def result(rule_id="r", status="fail", failed=3, engine="pandera", dataset="s") -> RuleResult:
    return RuleResult(NIGHT, "d", dataset, rule_id, engine, "accuracy", "error", status, failed, 10,
                      message=MESSAGE, contract_version="1.0.0")  # fmt: skip


def contract(status="pass") -> RuleResult:
    return result("contract_valid", status, 0, "ledger")


MISSING = Fault("d", "s", "missing_column:phone", "missing_column", "缺列：电话", "conformity",
                "error", ("schema_agrees", "phone__nulls", "phone_format"),
                "缺少「电话」列，请补列后重新报送。")  # fmt: skip
OTHER = replace(MISSING, cause="missing_column:name", rule_ids=("schema_agrees",))


def test_a_rule_that_fails_alone_is_a_cause_of_its_own():
    (cause,) = causes_of([result(), result("fine", "pass", 0)])
    assert (cause.cause, cause.kind, cause.rule_ids) == ("r", "rule", ("r",))
    assert (cause.title, cause.failed, cause.total) == ("「电话」不对", 3, 10)


def test_what_a_fault_explains_hangs_under_it_and_nothing_else_does():
    failing = [result("schema_agrees", engine="ledger"), result("phone__nulls", failed=9), result()]
    rule, fault = sorted(causes_of(failing, [MISSING]), key=lambda c: c.kind, reverse=True)
    assert (rule.cause, rule.kind) == ("r", "rule")
    assert (fault.cause, fault.rule_ids) == (
        "missing_column:phone", ("phone__nulls", "schema_agrees"))  # fmt: skip
    assert fault.engines == ("ledger", "pandera")
    assert fault.failed == 9


def test_a_fault_of_another_dataset_explains_nothing_here():
    (cause,) = causes_of([result("schema_agrees", dataset="t")], [MISSING])
    assert (cause.dataset, cause.kind) == ("t", "rule")


def test_a_fault_without_a_failing_rule_is_no_cause():
    assert causes_of([result("schema_agrees", "pass", 0)], [MISSING]) == []


@pytest.mark.parametrize("status", ["error", "not_run", "not_applicable", "pass"])
def test_a_rule_that_says_nothing_of_the_data_is_no_cause(status):
    assert causes_of([result(status=status)]) == []


def test_a_broken_contract_is_a_cause():
    (cause,) = causes_of([contract("error")])
    assert (cause.cause, cause.status) == ("contract_valid", "error")


def test_a_rule_is_put_right_by_passing_and_by_nothing_else():
    (cause,) = causes_of([result()])
    for status in STATUSES:
        again = [contract(), result(status=status)]
        assert recheck_of(again, causes_of(again)).recovered(cause) == (status == "pass")


def test_a_rule_that_a_valid_contract_has_no_more_is_put_right():
    (cause,) = causes_of([result()])
    assert recheck_of([contract()], []).recovered(cause)
    assert not recheck_of([contract("error")], []).recovered(cause)
    assert not recheck_of([], []).recovered(cause)


def test_a_rule_that_now_hangs_under_a_fault_is_not_put_right():
    """The column is gone: that its values are no longer wrong is no correction."""
    (cause,) = causes_of([result("phone_format")])
    tonight = [contract(), result("schema_agrees"), result("phone_format")]
    causes = causes_of(tonight, [MISSING])
    assert [c.cause for c in causes] == ["missing_column:phone"]
    assert not recheck_of(tonight, causes).recovered(cause)


def test_a_fault_is_put_right_when_its_rules_were_judged_and_it_is_not_seen():
    first = [contract(), result("schema_agrees"), result("phone__nulls")]
    (fault,) = causes_of(first, [MISSING])
    assert not recheck_of(first, [fault]).recovered(fault)
    other = [contract(), result("schema_agrees"), result("phone__nulls", "pass", 0)]
    assert recheck_of(other, causes_of(other)).recovered(fault)
    unseen = [contract(), result("schema_agrees", "pass", 0), result("phone__nulls", "error", 0)]
    assert not recheck_of(unseen, causes_of(unseen)).recovered(fault)


@given(
    st.lists(st.tuples(st.sampled_from(["schema_agrees", "phone__nulls", "phone_format", "r"]),
                       st.sampled_from(STATUSES)), unique_by=lambda pair: pair[0]),
    st.lists(st.sampled_from([MISSING, OTHER]), unique=True),
)  # fmt: skip
def test_every_failing_rule_hangs_under_its_faults_or_stands_alone(pairs, faults):
    results = [result(rule_id, status) for rule_id, status in pairs]
    causes = causes_of(results, faults)
    failing = {r.rule_id for r in results if r.status == "fail"}
    assert {rule_id for cause in causes for rule_id in cause.rule_ids} == failing
    alone = [cause.cause for cause in causes if cause.kind == "rule"]
    explained = {rule_id for fault in faults for rule_id in fault.rule_ids}
    assert sorted(alone) == sorted(failing - explained)


def test_causes_are_kept_per_night_and_read_as_written():
    with duckdb.connect() as connection:
        first = causes_of([result("schema_agrees"), result()], [MISSING])
        write_causes(connection, NIGHT, first)
        write_causes(connection, NIGHT, first)
        assert read_causes(connection, NIGHT) == first
        with pytest.raises(ValueError, match="another date"):
            write_causes(connection, date(2026, 7, 1), first)


def test_a_title_keeps_the_unit_of_a_column_and_loses_the_files():
    """「应纳税额（元）」 was cut to 「应纳税额, which names no column and closes no quotation."""
    unit = replace(result(), message="「应纳税额（元）」超出合理范围，请核对后更正。")
    files = replace(result(), message="报送文件无法读取（甲.csv、乙.csv），请更正后重新报送。")
    (first,), (second,) = causes_of([unit]), causes_of([files])
    assert first.title == "「应纳税额（元）」超出合理范围"
    assert second.title == "报送文件无法读取"
