"""A few nights of two departments, from the door's tables to the workbook."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import python_calamine

from quality import nightly
from quality.catalogue import BrokenContract, Catalogue
from quality.contract import Rule
from quality.contract_reader import Problem

ENTERPRISES = "market_regulation/enterprise"
CREDITS = "development_reform/credit_record"


def _night(
    city: Any, number: int, catalogue: Catalogue | None = None
) -> dict[tuple[str, str], Any]:
    results = nightly.judge(city.path, catalogue or city.catalogue, city.night(number))
    nightly.score(city.path, city.night(number))
    nightly.order(city.path, city.night(number))
    return {(result.dataset, result.rule_id): result for result in results}


def _with_rule(catalogue: Catalogue, name: str, *rules: Rule) -> Catalogue:
    contracts = [
        replace(c, rules=(*c.rules, *rules)) if c.name == name else c for c in catalogue.contracts
    ]
    return Catalogue(tuple(contracts), catalogue.broken)


def _sql_rule(rule_id: str, query: str, **options: float | str) -> Rule:
    return Rule(
        rule_id, "relation", "sql", "accuracy", "error", "错了，请更正。", (), (query,), options
    )


def test_every_expected_rule_is_there_even_when_nothing_was_delivered(city, catalogue):
    """A rule that nobody ran must not look like a rule that passed."""
    results = _night(city, 1)
    expected = sum(len(contract.rules) + 1 for contract in catalogue.contracts)
    assert len(results) == expected
    assert results["enterprise", "phone_format"].status == "not_applicable"
    assert results["enterprise", "enterprise_has_rows"].status == "fail"
    assert results["enterprise", "delivered_on_time"].status == "fail"
    assert results["enterprise", "contract_valid"].status == "pass"


def test_a_dataset_without_tables_is_not_run(city, catalogue):
    city.ask("drop view staging.stg_market_regulation__enterprise")
    results = _night(city, 1)
    assert results["enterprise", "phone_format"].status == "not_run"
    assert results["enterprise", "key_unique"].status == "not_run"


def test_a_relation_whose_other_side_is_missing_is_an_error_not_a_failure(city, credit):
    """A platform fault must not become a department's work order."""
    city.deliver(CREDITS, 1, [credit()])
    city.ask("drop view staging.stg_market_regulation__enterprise")
    result = _night(city, 1)["credit_record", "subject_is_registered"]
    assert result.status == "error"
    assert "CatalogException" in result.message
    assert city.ask(
        "select count(*) from quality.work_order where cause = 'subject_is_registered'"
    ) == [(0,)]


def test_rows_refused_at_the_door_open_an_order_and_the_correction_closes_it(city, enterprise):
    held = enterprise(phone=None, _rules="phone_format", _columns="phone")
    city.deliver(ENTERPRISES, 1, [enterprise(unified_code="91371302MA3C000002"), held])
    first = _night(city, 1)["enterprise", "phone_format"]
    assert (first.status, first.failed, first.total) == ("fail", 1, 2)
    assert first.sample_keys == ("91371302MA3C000001",)

    second = city.deliver(ENTERPRISES, 2, [enterprise()])
    result = _night(city, 2)["enterprise", "phone_format"]
    assert (result.status, result.failed, result.total) == ("pass", 0, 2)
    assert city.ask("select is_open, resolved_by from quality.defect") == [(False, second)]
    orders = city.ask(
        "select state, opened_on, closed_on from quality.work_order where cause = 'phone_format'"
    )
    assert orders == [("closed", city.night(1), city.night(2))]


def test_a_wrong_key_is_put_right_by_the_row_that_agrees_in_everything_else(city, enterprise):
    """The corrected row has another key, so the key cannot tell that it is the correction."""
    held = enterprise(
        unified_code="9137130200", _rules="unified_code_format", _columns="unified_code"
    )
    other = enterprise(unified_code="9137130299", enterprise_name="临沂蒙山食品有限公司",
                       _rules="unified_code_format", _columns="unified_code")  # fmt: skip
    city.deliver(ENTERPRISES, 1, [held, other])
    assert _night(city, 1)["enterprise", "unified_code_format"].failed == 2
    city.deliver(ENTERPRISES, 2, [enterprise()])
    result = _night(city, 2)["enterprise", "unified_code_format"]
    assert (result.failed, result.total) == (1, 2)


def test_a_missing_key_is_treated_as_wrong_though_no_rule_names_it(city, enterprise):
    """Two null keys are not the same enterprise."""
    city.deliver(ENTERPRISES, 1, [enterprise(unified_code=None, _rules="row_shape")])
    _night(city, 1)
    city.deliver(ENTERPRISES, 2, [enterprise(unified_code="91371302MA3C000009")])
    assert _night(city, 2)["enterprise", "row_shape"].status == "pass"


def test_an_earlier_good_row_does_not_resolve_a_later_bad_one(city, enterprise):
    city.deliver(ENTERPRISES, 1, [enterprise()])
    _night(city, 1)
    city.deliver(ENTERPRISES, 2, [enterprise(phone=None, _rules="phone_format", _columns="phone")])
    result = _night(city, 2)["enterprise", "phone_format"]
    assert (result.failed, result.total) == (1, 2)


def test_a_full_delivery_replaces_what_was_refused_before(city, credit):
    bad = credit(record_kind=None, _rules="record_kind__domain", _columns="record_kind")
    city.deliver(CREDITS, 1, [credit(), bad])
    assert _night(city, 1)["credit_record", "record_kind__domain"].failed == 1
    second = city.deliver(CREDITS, 2, [credit(record_number="XY2026000009")])
    result = _night(city, 2)["credit_record", "record_kind__domain"]
    assert (result.status, result.total) == ("pass", 1)
    assert city.ask("select distinct resolved_by from quality.defect where engine = 'pandera'") == [
        (second,)
    ]


def test_a_flag_counts_while_its_row_is_in_force(city, enterprise):
    city.deliver(ENTERPRISES, 1, [enterprise(_flags="phone_format,industry_code_format")])
    results = _night(city, 1)
    assert results["enterprise", "phone_format"].failed == 1
    assert results["enterprise", "industry_code_format"].failed == 1
    second = city.deliver(ENTERPRISES, 2, [enterprise()])
    assert _night(city, 2)["enterprise", "phone_format"].failed == 0
    assert city.ask("select distinct is_open, resolved_by from quality.defect") == [(False, second)]


def test_copies_in_one_delivery_are_counted_once_and_old_ones_not(city, credit, enterprise):
    """A duplicate that a later full delivery dropped must not be charged for ever."""
    city.deliver(CREDITS, 1, [credit(), credit(reason="二"), credit(record_number="XY2026000002")])
    result = _night(city, 1)["credit_record", "key_unique"]
    assert (result.status, result.failed, result.total) == ("fail", 1, 3)
    city.deliver(CREDITS, 2, [credit(record_number="XY2026000002")])
    assert _night(city, 2)["credit_record", "key_unique"].status == "pass"


def test_a_relation_finding_names_file_and_line(city, credit, enterprise):
    city.deliver(ENTERPRISES, 1, [enterprise()])
    city.deliver(CREDITS, 1, [credit(), credit(record_number="XY2026000002", unified_code="X")])
    result = _night(city, 1)["credit_record", "subject_is_registered"]
    assert (result.status, result.failed, result.total) == ("fail", 1, 2)
    assert city.ask("select file_name, line_number, columns, is_open from quality.defect") == [
        ("credit_record_20260628.csv", 3, "unified_code", True)
    ]


def test_agreement_counts_a_row_once_however_many_rows_it_meets(
    city, catalogue, credit, enterprise
):
    rule = Rule("name_agrees", "relation", "agrees_with", "consistency", "warning", "请核对。",
                ("enterprise_name", "unified_code"),
                ("development_reform__credit_record", "unified_code", "enterprise_name",
                 "unified_code"))  # fmt: skip
    city.deliver(ENTERPRISES, 1, [enterprise(), enterprise(unified_code="91371302MA3C000002")])
    renamed = [credit(record_number=f"XY{n}", enterprise_name=f"别名{n}") for n in range(3)]
    city.deliver(CREDITS, 1, renamed)
    result = _night(city, 1, _with_rule(catalogue, ENTERPRISES, rule))["enterprise", "name_agrees"]
    assert (result.status, result.failed, result.total) == ("fail", 1, 1)


def test_own_sql_rules_find_rows_or_give_a_number(city, catalogue, enterprise):
    """Braces and colons in a contract's SQL are SQL, not placeholders."""
    rows = "select _delivery_id, _line_number from {object} where enterprise_name like '%:x{1}%'"
    rules = (
        _sql_rule("rows_found", rows),
        _sql_rule("number_low", "select count(*) from {object} where phone is null", mustBe=0),
        _sql_rule("number_high", "select count(*) from {object}", mustBeGreaterThan=5),
        _sql_rule("tolerated", rows, mustBeLessThan=60, unit="percent"),
    )
    city.deliver(ENTERPRISES, 1, [enterprise(enterprise_name="a :x{1} b", phone=None),
                                  enterprise(unified_code="2")])  # fmt: skip
    results = _night(city, 1, _with_rule(catalogue, ENTERPRISES, *rules))
    shown = {k: (r.status, r.failed, r.total) for (_, k), r in results.items()}
    assert shown["rows_found"] == ("fail", 1, 2)
    assert shown["number_low"] == ("fail", 1, 2)
    assert shown["number_high"] == ("fail", 1, 1)
    assert shown["tolerated"] == ("pass", 1, 2)


def test_filled_share_is_judged_with_its_tolerance(city, catalogue, enterprise):
    def rule(rule_id: str, **options: float | str) -> Rule:
        return Rule(rule_id, "relation", "nullValues", "completeness", "warning", "缺，请补。",
                    ("phone",), (), options)  # fmt: skip

    rules = (
        rule("strict", mustBe=0),
        rule("percent", mustBeLessOrEqualTo=50, unit="percent"),
        rule("rows", mustBeLessThan=1),
    )
    city.deliver(ENTERPRISES, 1, [enterprise(phone=None), enterprise(unified_code="2")])
    results = _night(city, 1, _with_rule(catalogue, ENTERPRISES, *rules))
    found = {key: results["enterprise", key].status for key in ("strict", "percent", "rows")}
    assert found == {"strict": "fail", "percent": "pass", "rows": "fail"}
    assert results["enterprise", "strict"].failed == 1


def test_a_crashing_rule_is_an_error_without_data_and_stops_no_other(
    city, catalogue, enterprise, caplog, capfd
):
    """A cast error quotes the value: neither result nor log may carry it."""
    crash = _sql_rule("crash", "select count(*) from {object} where legal_representative::int > 3")
    city.deliver(ENTERPRISES, 1, [enterprise()])
    with caplog.at_level(logging.DEBUG):
        results = _night(city, 1, _with_rule(catalogue, ENTERPRISES, crash))
    assert results["enterprise", "crash"].status == "error"
    assert "ConversionException" in results["enterprise", "crash"].message
    assert results["enterprise", "enterprise_has_rows"].status == "pass"
    output = "".join(capfd.readouterr())
    logged = " ".join(
        record.getMessage() for record in caplog.records if record.levelno >= logging.INFO
    )
    for text in (results["enterprise", "crash"].message, logged, output):
        assert "张建国" not in text


def test_an_unreadable_quarantine_is_an_error_of_that_dataset_alone(city, enterprise, credit):
    city.deliver(CREDITS, 1, [credit()])
    city.ask("drop table quarantine.market_regulation__enterprise")
    city.ask("create view quarantine.market_regulation__enterprise as "
             "select error('gone') as _rules")  # fmt: skip
    results = _night(city, 1)
    assert results["enterprise", "phone_format"].status == "error"
    assert results["credit_record", "record_kind__domain"].status == "pass"


def test_a_refused_increment_counts_until_one_of_its_own_date_is_loaded(city, enterprise):
    """What another date brings is not what the refused file held."""
    city.deliver(ENTERPRISES, 1, [enterprise()])
    city.deliver(ENTERPRISES, 2, status="refused")
    result = _night(city, 2)["enterprise", "delivery_readable"]
    assert (result.status, result.failed, result.total) == ("fail", 1, 2)
    city.deliver(ENTERPRISES, 3, [enterprise()])
    assert _night(city, 3)["enterprise", "delivery_readable"].status == "fail"
    city.deliver(ENTERPRISES, 2, [enterprise()])
    assert _night(city, 4)["enterprise", "delivery_readable"].status == "pass"


def test_a_refused_full_delivery_counts_until_any_later_one_is_loaded(city, credit):
    city.deliver(CREDITS, 1, [credit()])
    city.deliver(CREDITS, 2, status="refused")
    assert _night(city, 2)["credit_record", "delivery_readable"].status == "fail"
    city.deliver(CREDITS, 3, [credit()])
    assert _night(city, 3)["credit_record", "delivery_readable"].status == "pass"


def test_a_broken_contract_shows_as_one_error_opens_an_order_and_closes_when_mended(
    city, catalogue
):
    kept = tuple(c for c in catalogue.contracts if c.name != ENTERPRISES)
    problem = Problem(Path("enterprise.odcs.yaml"), 7, "type", "no such type")
    broken = BrokenContract(
        "market_regulation", "enterprise", Path("enterprise.odcs.yaml"), (problem,)
    )
    results = _night(city, 1, Catalogue(kept, (broken,)))
    own = {key: result.status for key, result in results.items() if key[0] == "enterprise"}
    assert own == {("enterprise", "contract_valid"): "error"}
    score = (
        "select score, coverage from quality.dataset_score "
        "where dataset = 'enterprise' and dimension = 'overall'"
    )
    assert city.ask(score) == [(None, 0.0)]
    order = "select state from quality.work_order where cause = 'contract_valid'"
    assert city.ask(order) == [("open",)]
    summary = nightly.send_home(city.path, Catalogue(kept, (broken,)), "market_regulation",
                                city.night(1), city.path.parent)  # fmt: skip
    assert (summary.open_orders, summary.score) == (1, None)
    _night(city, 2)
    assert city.ask(order) == [("closed",)]


def test_the_orders_of_a_withdrawn_dataset_close_by_that_name(city, catalogue, enterprise):
    """Nothing would ever look at its rows again; the department's other datasets go on."""
    held = enterprise(phone=None, _rules="phone_format", _columns="phone")
    city.deliver(ENTERPRISES, 1, [enterprise(unified_code="91371302MA3C000002"), held])
    _night(city, 1)
    extract = replace(catalogue.by_name[ENTERPRISES], dataset="extract")
    kept = tuple(c for c in catalogue.contracts if c.name != ENTERPRISES)
    left = Catalogue((*kept, extract), ())
    _night(city, 2, left)
    states = "select distinct state, closed_on from quality.work_order where dataset = 'enterprise'"
    assert city.ask(states) == [("closed", city.night(2))]
    last = "select distinct event from quality.work_order_event where phase = 'closed'"
    assert city.ask(last) == [("withdrawn",)]
    summary = nightly.send_home(
        city.path, left, "market_regulation", city.night(2), city.path.parent
    )
    book = python_calamine.load_workbook(str(summary.path))
    texts = [str(cell) for row in book.get_sheet_by_name("工单").to_python() for cell in row]
    assert any("数据集已撤销" in text for text in texts)
    assert "数据集已撤销" in summary.page.read_text(encoding="utf-8")


def test_the_doors_own_verdict_wins(city, catalogue, enterprise):
    """Only the door knows that a row rule crashed; the warehouse would find no flag, and pass."""
    city.deliver(ENTERPRISES, 1, [enterprise()])
    judged = nightly.judge(city.path, catalogue, city.night(1))
    crashed = replace(next(r for r in judged if r.rule_id == "phone_format"), status="error")
    again = nightly.judge(city.path, catalogue, city.night(1), [crashed])
    assert len(again) == len(judged)
    assert next(r.status for r in again if r.rule_id == "phone_format") == "error"


def test_a_night_run_twice_gives_the_same_tables_and_the_same_workbook(city, catalogue, enterprise):
    held = enterprise(phone=None, _rules="phone_format", _columns="phone")
    city.deliver(ENTERPRISES, 1, [held, enterprise(unified_code="2")])
    tables = (
        "rule_result",
        "defect",
        "work_order",
        "dataset_score",
        "department_score",
        "city_score",
    )

    def run(folder: str) -> list[Any]:
        _night(city, 1)
        summary = nightly.send_home(city.path, catalogue, "market_regulation", city.night(1),
                                    city.path.parent / folder)  # fmt: skip
        return [summary.path.read_bytes(), *(city.ask(f"from quality.{name}") for name in tables)]

    assert run("once") == run("twice")


@pytest.fixture
def workbook(city, catalogue, enterprise) -> Any:
    """The workbook of a department with a refused row that is also an attack."""
    texts = {"phone": "139549112345", "legal_representative_id_number": "37130219900307123"}
    held = enterprise(
        phone=None,
        _rules="phone_format,legal_representative_id_number_format",
        _columns="phone,legal_representative_id_number",
        _as_delivered=texts,
    )
    lead = enterprise(
        unified_code="2",
        _rules="enterprise_name__required",
        _columns="enterprise_name",
        _as_delivered={"enterprise_name": "=cmd|'/c calc'!A1"},
    )
    city.deliver(ENTERPRISES, 1, [held, lead])
    _night(city, 1)
    return nightly.send_home(
        city.path, catalogue, "market_regulation", city.night(1), city.path.parent
    )


def test_the_workbook_shows_orders_and_masked_rows(workbook):
    assert workbook.path.name == "质量反馈_20260628.xlsx"
    book = python_calamine.CalamineWorkbook.from_path(str(workbook.path))
    assert book.sheet_names == ["总览", "工单", "回复", "缺陷明细"]
    orders = book.get_sheet_by_name("工单").to_python()
    defects = book.get_sheet_by_name("缺陷明细").to_python()
    assert len(orders) - 1 == workbook.open_orders
    by_column = {row[5]: row for row in defects[1:]}
    assert by_column["联系电话"][6] == "139*****2345"
    assert by_column["法定代表人证件号码"][6] == "371302*******7123"
    assert by_column["联系电话"][2:4] == ["enterprise_20260628.csv", 2]
    assert workbook.defects == 3
    with ZipFile(workbook.path) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    for secret in ("139549112345", "37130219900307123", "张建国"):
        assert secret not in text


def test_a_value_that_looks_like_a_formula_stays_text(workbook):
    with ZipFile(workbook.path) as archive:
        sheets = [archive.read(n).decode() for n in archive.namelist() if "worksheets/" in n]
        shared = archive.read("xl/sharedStrings.xml").decode()
    assert not any("<f>" in sheet for sheet in sheets)
    assert "=cmd|" in shared


def test_a_department_without_fault_gets_a_file_that_says_so(city, catalogue, enterprise):
    city.deliver(ENTERPRISES, 1, [enterprise()])
    _night(city, 1)
    summary = nightly.send_home(
        city.path, catalogue, "market_regulation", city.night(1), city.path.parent
    )
    assert (summary.open_orders, summary.defects, summary.score) == (0, 0, 100.0)
    book = python_calamine.CalamineWorkbook.from_path(str(summary.path))
    texts = [str(cell) for row in book.get_sheet_by_name("总览").to_python() for cell in row]
    assert any("没有需要处理的问题" in text for text in texts)
    assert not list(summary.path.parent.glob(".*xlsx*"))


def test_an_irregular_dataset_that_never_came_is_no_fault(city, catalogue):
    """A dataset without a cycle promises nothing; it must not open orders or cost points."""
    contracts = tuple(
        replace(c, cycle=None, rules=tuple(r for r in c.rules if r.check != "delivered_on_time"))
        for c in catalogue.contracts
    )
    results = _night(city, 1, Catalogue(contracts, ()))
    assert results["enterprise", "enterprise_has_rows"].status == "not_applicable"
    assert city.ask("select count(*) from quality.work_order") == [(0,)]
