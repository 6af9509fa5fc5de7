"""What the readings change is told in the receipt, kind by kind, and never with a value."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.ingest import normalisation_counts
from pipelines.ingest.cast import cast
from pipelines.ingest.normalisation_counts import NORMALISATIONS
from pipelines.ingest.normalisations import Normalisations
from pipelines.ingest.parse import LINE, RAGGED, ROW
from quality.contract import Contract
from tests.conftest import Land, MakeContract, TakeUp

NIGHT = date(2026, 6, 30)
LOGICAL = {"varchar": "string", "decimal(12, 2)": "number", "double": "number"}


def column(physical: str, parse: str | None = None) -> dict[str, Any]:
    custom: list[dict[str, Any]] = [{"property": "missingValues", "value": ["N/A", "—"]}]
    if parse:
        custom.append({"property": "parse", "value": parse})
    return {
        "name": "value",
        "physicalName": "值",
        "logicalType": LOGICAL.get(physical, physical),
        "physicalType": physical,
        "customProperties": custom,
    }


def counted(contract: Contract, *texts: str) -> Any:
    found = Normalisations()
    frame = pl.DataFrame(
        {
            "值": texts,
            LINE: range(len(texts)),
            RAGGED: [False] * len(texts),
            ROW: pl.Series([None] * len(texts), dtype=pl.String),
        },
        schema_overrides={"值": pl.String},
    )
    cast(frame, contract, found)
    return found.found().get("value", {"values": 0, "kinds": {}})


KINDS = [
    ("varchar", None, " 文", {"space"}),
    ("varchar", None, "\u3000", {"blank"}),
    ("varchar", None, "N/A", {"missing"}),
    ("varchar", "code", "９１a", {"full_width", "lower_case"}),
    ("varchar", "code", "'371302", {"apostrophe"}),
    ("date", None, "46086", {"excel_serial"}),
    ("date", None, "2026年3月5日", {"chinese_date"}),
    ("date", None, "二〇二六年三月五日", {"chinese_date"}),
    ("date", None, "2026/3/5", {"date_style"}),
    ("date", None, "20260305", {"date_style"}),
    ("date", None, "2026-03-05 00:00:00", {"midnight"}),
    ("date", None, " 2026-03-05", {"space"}),
    ("date", None, "—", {"missing"}),
    ("timestamp", None, "2026-03-05", {"date_alone"}),
    ("timestamp", None, "46086.3541666667", {"excel_serial"}),
    ("timestamp", None, "2026-03-05T08:30:00", {"date_style"}),
    ("timestamp", None, "2026年3月5日 08:30", {"chinese_date"}),
    ("timestamp", None, "2026-03-05 08:30:00+08:00", {"time_zone"}),
    ("timestamp", None, "2026-03-05T08:30:00Z", {"time_zone", "date_style"}),
    ("date", None, "2026-03-04T16:00:00.000Z", {"time_zone", "midnight"}),
    ("boolean", None, "是", {"word"}),
    ("integer", None, "1,000", {"thousands"}),
    ("integer", None, "007", {"leading_zeros"}),
    ("double", None, "1e3", {"exponent"}),
    ("double", None, "+5", {"other"}),
    ("decimal(12, 2)", None, "007.50", {"leading_zeros"}),
    ("decimal(12, 2)", "amount", "￥１,200.50元", {"full_width", "thousands", "currency"}),
    ("decimal(12, 2)", "amount", "3.5万", {"unit"}),
    ("decimal(12, 2)", "amount", "0.02亿元", {"unit", "currency"}),
    ("decimal(12, 2)", "percent", "12.5%", {"percent"}),
    ("decimal(12, 2)", "capital_amount", "500000元", {"unit", "currency"}),
    ("varchar", "capital_currency", "100万美元", {"currency"}),
]


@pytest.mark.parametrize(("physical", "parse", "text", "kinds"), KINDS)
def test_each_change_is_counted_under_its_kind(
    make_contract: MakeContract, physical: str, parse: str | None, text: str, kinds: set[str]
) -> None:
    contract = make_contract([column(physical, parse)])
    expected = {"values": 2, "kinds": dict.fromkeys(kinds, 2)}
    assert counted(contract, text, text) == expected


@pytest.mark.parametrize(
    ("physical", "text"),
    [("date", "2026-03-05"), ("integer", "7"), ("decimal(12, 2)", "0.5"), ("varchar", "文"),
     ("date", ""), ("date", "2026-02-30"), ("integer", "七"), ("boolean", "true")],
)  # fmt: skip
def test_what_is_left_alone_or_cannot_be_read_is_no_normalisation(
    make_contract: MakeContract, physical: str, text: str
) -> None:
    """A value that was refused has not been changed into anything."""
    assert counted(make_contract([column(physical)]), text)["values"] == 0


@settings(max_examples=30)
@given(st.lists(st.text("０1２3.-/年月日,%万元' N/A", max_size=12), max_size=20))
@pytest.mark.parametrize(
    ("physical", "parse"), [("date", None), ("double", None), ("decimal(12, 2)", "amount")]
)
def test_the_values_counted_are_those_whose_text_is_kept(
    make_contract: MakeContract, physical: str, parse: str | None, texts: list[str]
) -> None:
    """A change that the record does not list, or lists without its text, cannot be traced."""
    contract = make_contract([column(physical, parse)])
    frame = pl.DataFrame(
        {
            "值": texts,
            LINE: range(len(texts)),
            RAGGED: [False] * len(texts),
            ROW: pl.Series([None] * len(texts), dtype=pl.String),
        },
        schema_overrides={"值": pl.String, LINE: pl.Int64, RAGGED: pl.Boolean},
    )
    rows = cast(frame, contract)
    kept = rows.filter(pl.col("_original").is_not_null() & ~pl.col("value__uncast")).height
    found = counted(contract, *texts)
    assert found["values"] == kept
    assert sum(found["kinds"].values()) >= kept


def test_the_receipt_lists_every_normalisation_and_no_value(
    home: Home, make_contract: MakeContract, land: Land, take_up: TakeUp
) -> None:
    contract = make_contract([
        {"name": "code", "physicalName": "编号",
         "customProperties": [{"property": "parse", "value": "code"}]},
        {"name": "paid", "physicalName": "日期", "logicalType": "date", "physicalType": "date"},
        {"name": "note", "physicalName": "备注"},
    ])  # fmt: skip
    rows = ["编号,日期,备注", "a1,2026-03-05,x", "Ａ２,46086,x", "A3,2026年3月5日, y", "A4,不详,x"]
    land(home, "water", "meter_20260630.csv", "\n".join([*rows, ""]))
    (receipt,) = take_up(home, contract, NIGHT)
    found = receipt.findings[NORMALISATIONS]
    assert found == {
        "code": {"values": 2, "kinds": {"full_width": 1, "lower_case": 1}},
        "paid": {"values": 2, "kinds": {"chinese_date": 1, "excel_serial": 1}},
        "note": {"values": 1, "kinds": {"space": 1}},
    }
    assert normalisation_counts.total(receipt.findings) == 5
    twice = normalisation_counts.by_kind([receipt.findings, receipt.findings, {}])
    assert twice["code", "lower_case"] == 2
    told = json.dumps(asdict(receipt), ensure_ascii=False, default=str)
    assert not any(text in told for text in ("46086", "Ａ２", "3月5日", "不详"))
