"""Every named row check, through Pandera, as the door runs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandera.errors
import polars as pl
import pytest

from quality.contract import Contract
from quality.pandera_schemas import RAGGED, failures, row_schema
from quality.row_rules import DERIVED_ROW_CHECKS, ROW_CHECKS, uncast_marker
from quality.sql_types import polars_type
from tests.conftest import MakeContract

NIGHT = date(2026, 6, 30)
GOOD, GOOD_MAN, BAD_CHECK = "11010519491231002X", "440524188001010014", "110105194912310020"
CODE = "91371300168264359C"


def judge(
    contract: Contract,
    rows: Sequence[dict[str, Any]],
    *,
    uncast: Sequence[str] = (),
    ragged: bool = False,
) -> list[tuple[int, str]]:
    """(row, rule) of every finding; `uncast` columns could not be read, in all rows."""
    columns = {
        c.name: pl.Series([row.get(c.name) for row in rows], dtype=polars_type(c.sql_type))
        for c in contract.columns
    }
    markers = {
        uncast_marker(c.name): pl.Series([c.name in uncast] * len(rows), dtype=pl.Boolean)
        for c in contract.columns
    }
    frame = pl.DataFrame(
        columns | markers | {RAGGED: pl.Series([ragged] * len(rows), dtype=pl.Boolean)}
    )
    found = failures(row_schema(contract, NIGHT), contract, frame)
    return sorted(found.select("_index", "rule_id").iter_rows())


def ruled(implementation: str, kind: str = "string", engine: str = "yishu") -> dict[str, Any]:
    """A column `value` of a type, with one rule `the_rule`."""
    physical = {"string": "varchar", "date": "date", "number": "decimal(12, 2)"}[kind]
    rule = {
        "name": "the_rule",
        "type": "custom",
        "engine": engine,
        "implementation": implementation,
        "dimension": "accuracy",
        "severity": "error",
        "description": "请更正。",
    }
    return {"name": "value", "logicalType": kind, "physicalType": physical, "quality": [rule]}


NUMBER = {"name": "number"}
DAY = {"name": "other", "logicalType": "date", "physicalType": "date"}

# implementation, type, other columns, passing rows, failing rows, rows that are not judged;
# a row is the value, or (value, value of the other column).
TABLE: list[tuple[str, str, list[dict[str, Any]], list[Any], list[Any], list[Any]]] = [
    ("resident_number_format", "string", [], [GOOD, BAD_CHECK, GOOD_MAN],
     ["110105491231002", "11010519491231002x", "110105194913310021", "010105194912310021",
      "110105199902300011", "１１０１０５１９４９１２３１００２X", "", "张三"], [None]),
    ("resident_number", "string", [], [GOOD, GOOD_MAN], [BAD_CHECK],
     [None, "110105491231002", "", "张三", "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X"]),
    ("unified_code_format", "string", [], [CODE, "91371300168264359A"],
     ["9137130016826435", "91371300168264359I", "91371300168264359d", "", "无"], [None]),
    ("unified_code", "string", [], [CODE], ["91371300168264359A"], [None, "371300228000000", ""]),
    ("birth_date_agrees(number)", "date", [NUMBER], [(date(1949, 12, 31), GOOD)],
     [(date(1949, 12, 30), GOOD)],
     [(None, GOOD), (date(1949, 12, 30), BAD_CHECK), (date(1949, 12, 30), None),
      (date(1949, 12, 30), "x")]),
    ("sex_agrees(number)", "string", [NUMBER], [("女", GOOD), ("男", GOOD_MAN)],
     [("男", GOOD), ("女", GOOD_MAN)],
     [(None, GOOD), ("男", BAD_CHECK), ("未知", GOOD), ("男", None)]),
    ("phone", "string", [],
     ["13812345678", "0539-8012345", "05398012345", "8012345", "02188888888"],
     ["12812345678", "1381234567", "138 1234 5678", "", "0539-1234567", "１３８１２３４５６７８"],
     [None]),
    ("person_name", "string", [], ["张三", "买买提·艾力", "㐂"],
     ["张三1", "Zhang", "张·", "·张", "张 三", ""], [None, "张\ufffd三", "锟斤拷"]),
    ("not_after_business_date", "date", [], [NIGHT, date(1900, 1, 1)], [date(2026, 7, 1)], [None]),
    ("month_not_after_business_date", "string", [], ["2026-06", "2025-12"], ["2026-07", "2027-01"],
     [None, "2026-13", "202607", "x"]),
    ("in_order(other)", "date", [DAY], [(date(2026, 1, 1), date(2026, 1, 1))],
     [(date(2026, 1, 2), date(2026, 1, 1))], [(None, NIGHT), (NIGHT, None)]),
    ("between(-1, 100.5)", "number", [], [Decimal("-1"), Decimal("100.50"), Decimal(0)],
     [Decimal("-1.01"), Decimal("100.51")], [None]),
    ('matches("^JZ[0-9]{3}$")', "string", [], ["JZ123"], ["JZ12", "jz123", "JZ1234", ""],
     [None, "JZ\ufffd123"]),
    ("organisation_code", "string", [], ["D2143569X", "123456788"], ["D21435698", "123456789"],
     [None, "", "D2143569", "D214-3569"]),
    ("inner_organisation_code", "string", [], ["91371302MA3C00000J"], [CODE],
     [None, "", "91371300168264359A"]),
    ("division_code", "string", [], ["371302", "371324", "371300", "110105", "659001"],
     ["372801", "372823", "371371", "371399", "991234", "37130", "3713021", "兰山区", ""], [None]),
    ("division_code_at(other)", "string", [DAY],
     [("372823", date(1990, 5, 1)), ("371324", date(2013, 1, 1)), ("371324", date(2026, 1, 1)),
      ("372801", date(1994, 12, 1)), ("110105", date(1990, 1, 1)), ("372823", None)],
     [("372823", date(1995, 1, 1)), ("372825", date(1993, 1, 1)), ("371302", date(1990, 1, 1)),
      ("371303", None)], [(None, NIGHT)]),
    ("division_or_zone_code", "string", [], ["371302", "371371", "371341", "110105"],
     ["372801", "371372", ""], [None]),
    ("address", "string", [], ["临沂市兰山区沂蒙路12号", "费县上冶镇", "莒南县十字路街道"],
     ["临沂", "临沂市", "Yimeng Road 12", "他很忙没有空"],
     [None, "临沂市***路", "兰山区某某小区"]),
    ("not_masked", "string", [], ["临沂市兰山区沂蒙路12号", "3*4", ""],
     ["临沂市***路", "张**", "兰山区某某路", "138XXXX1234"], [None]),
    ("not_filler", "string", [], ["建材", "无棣县", "10", "101"],
     ["无", " 不详 ", "测试", "N/A", "-", "000", "111111", "XXX", "某某"], [None]),
    ("no_personal_number", "string", [], ["未按期公示年报", "单号11010519491231002X9"],
     [f"本人{GOOD}申报", "电话：13812345678。", "13812345678"], [None]),
    ('not_before("1949-10-01")', "date", [], [date(1949, 10, 1)], [date(1949, 9, 30)], [None]),
    ("birth_date", "date", [], [NIGHT, date(1896, 7, 1)], [date(2026, 7, 1), date(1895, 6, 30)],
     [None]),
    ("age_between(6, 7)", "date", [], [date(2020, 6, 30), date(2018, 7, 1)],
     [date(2020, 7, 1), date(2018, 6, 30)], [None]),
    ("age_between(60, 120)", "string", [], [GOOD], ["371302199003071237"], [None, "x"]),
    ('age_allows("在校", other, 3, 30)', "string", [DAY],
     [("在校", date(2010, 1, 1)), ("毕业", date(1950, 1, 1))],
     [("在校", date(1990, 1, 1)), ("在校", date(2025, 1, 1))], [(None, NIGHT), ("在校", None)]),
    ("marriage_age(other, sex)", "string", [DAY, {"name": "sex"}],
     [("已婚", date(2004, 6, 30), "男"), ("已婚", date(2006, 6, 30), "女"),
      ("未婚", date(2020, 1, 1), "男"), ("20", date(2000, 1, 1), "1"),
      ("离婚", date(2006, 6, 30), None)],
     [("已婚", date(2004, 7, 1), "男"), ("丧偶", date(2006, 7, 1), "女"),
      ("20", date(2005, 1, 1), "1")], [(None, NIGHT, "男"), ("已婚", None, "男")]),
    ("in_reference(ethnic_group)", "string", [], ["汉族", "回族"], ["汉", "外星族", ""], [None]),
    ("amount(1000)", "number", [], [Decimal(0), Decimal("999.99"), Decimal("0.07")],
     [Decimal("-0.01"), Decimal("1000.01")], [None]),
    ("sums_to(a, b)", "number",
     [{"name": n, "logicalType": "number", "physicalType": "decimal(12, 2)"} for n in ("a", "b")],
     [(Decimal("0.30"), Decimal("0.10"), Decimal("0.20"))],
     [(Decimal("0.31"), Decimal("0.10"), Decimal("0.20"))], [(None, Decimal(1), Decimal(1))]),
    ("postal_code", "string", [], ["276000"], ["27600", "976000", "２７６０００", ""], [None]),
]  # fmt: skip


def cases(position: int) -> list[Any]:
    return [
        pytest.param(row[0], row[1], row[2], value, id=f"{row[0]}-{value}")
        for row in TABLE
        for value in row[position]
    ]


def findings_of(
    make_contract: MakeContract, check: str, kind: str, others: list[dict[str, Any]], row: Any
) -> list[tuple[int, str]]:
    contract = make_contract([ruled(check, kind), *others])
    values = dict(zip(["value", *(c["name"] for c in others)], row, strict=True)) if others else {}
    return judge(contract, [values or {"value": row}])


def test_the_table_below_has_every_check_that_a_contract_can_name() -> None:
    named = {row[0].split("(")[0] for row in TABLE}
    assert named == set(ROW_CHECKS) - set(DERIVED_ROW_CHECKS)


@pytest.mark.parametrize(("check", "kind", "others", "row"), cases(3))
def test_a_right_value_passes(
    make_contract: MakeContract, check: str, kind: str, others: list[dict[str, Any]], row: Any
) -> None:
    assert findings_of(make_contract, check, kind, others, row) == []


@pytest.mark.parametrize(("check", "kind", "others", "row"), cases(4))
def test_a_wrong_value_fails(
    make_contract: MakeContract, check: str, kind: str, others: list[dict[str, Any]], row: Any
) -> None:
    assert findings_of(make_contract, check, kind, others, row) == [(0, "the_rule")]


@pytest.mark.parametrize(("check", "kind", "others", "row"), cases(5))
def test_what_cannot_be_judged_is_not_a_finding_of_this_rule(
    make_contract: MakeContract, check: str, kind: str, others: list[dict[str, Any]], row: Any
) -> None:
    """Missing or garbled values are other rules' findings: one cause, one finding."""
    found = findings_of(make_contract, check, kind, others, row)
    assert [rule for _, rule in found if rule != "readable_text"] == []


# -- rules that follow from the contract's structure --------------------------------------


@pytest.fixture(scope="module")
def structured(make_contract: MakeContract) -> Contract:
    return make_contract(
        [
            {"name": "name", "required": True},
            {"name": "kind", "enum": [{"value": "甲"}, {"value": "乙"}]},
            {
                "name": "amount",
                "required": True,
                "logicalType": "number",
                "physicalType": "decimal(12, 2)",
            },
            ruled("amount > 0 or kind = '乙'", engine="polars"),
        ]
    )


ROW = {"name": "张三", "kind": "甲", "amount": Decimal(1)}


def test_a_sound_row_fails_nothing(structured: Contract) -> None:
    assert judge(structured, [ROW, {**ROW, "kind": None}]) == []


def test_a_missing_value_fails_required_alone(structured: Contract) -> None:
    assert judge(structured, [{**ROW, "name": None}]) == [(0, "name__required")]
    assert judge(structured, [{**ROW, "amount": None}]) == [(0, "amount__required")]


def test_a_value_that_cannot_be_read_fails_its_type_and_is_not_missing(
    structured: Contract,
) -> None:
    found = judge(structured, [{**ROW, "amount": None}], uncast=["amount"])
    assert found == [(0, "amount__type")]


def test_a_value_outside_its_domain_fails(structured: Contract) -> None:
    assert judge(structured, [ROW, {**ROW, "kind": "丙"}]) == [(1, "kind__domain")]


def test_an_expression_judges_the_row_where_its_values_are_known(structured: Contract) -> None:
    rows = [{**ROW, "amount": Decimal(0)}, {**ROW, "amount": Decimal(0), "kind": "乙"}]
    assert judge(structured, rows) == [(0, "the_rule")]
    assert judge(structured, [{**ROW, "amount": Decimal(0), "kind": None}]) == []


def test_a_ragged_row_fails_its_shape_alone(structured: Contract) -> None:
    """Shifted values would fail every rule of the row, and the clerk would mend the wrong cell."""
    row = {"name": None, "kind": "丙", "amount": None}
    assert judge(structured, [row], ragged=True, uncast=["amount"]) == [(0, "row_shape")]


@pytest.mark.parametrize("garbled", ["张\ufffd", "锟斤拷", "烫烫烫", "张\x00三", "a\x7f"])
def test_a_garbled_row_fails_once_for_its_texts(structured: Contract, garbled: str) -> None:
    row = {"name": garbled, "kind": garbled, "amount": Decimal(1)}
    assert judge(structured, [row]) == [(0, "readable_text")]


def test_a_garbled_row_still_fails_for_what_is_no_text(structured: Contract) -> None:
    row = {"name": "\ufffd", "kind": "甲", "amount": None}
    assert judge(structured, [row]) == [(0, "amount__required"), (0, "readable_text")]


def test_findings_name_the_right_rows_of_a_long_chunk(structured: Contract) -> None:
    rows: list[dict[str, Any]] = [ROW] * 1_000
    wrong = [3, 4, 999]
    rows = [{**ROW, "kind": "丙"} if i in wrong else row for i, row in enumerate(rows)]
    assert judge(structured, rows) == [(i, "kind__domain") for i in wrong]


def test_no_rows_have_no_findings(structured: Contract) -> None:
    assert judge(structured, []) == []


def test_a_chunk_of_another_type_is_a_fault_of_the_door_and_not_of_the_data(
    structured: Contract,
) -> None:
    """Else a bug in the reading would quarantine a department's whole delivery."""
    frame = pl.DataFrame({"name": [1], "kind": ["甲"], "amount": [Decimal(1)], "value": ["x"]})
    frame = frame.with_columns(
        *(pl.lit(False).alias(uncast_marker(c.name)) for c in structured.columns),
        pl.lit(False).alias(RAGGED),
    )
    with pytest.raises(pandera.errors.SchemaErrors):
        failures(row_schema(structured, NIGHT), structured, frame)
