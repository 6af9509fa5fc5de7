"""Text → type: what a text may look like, what is never guessed, what is remembered."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest import readings
from pipelines.ingest.cast import cast
from pipelines.ingest.parse import LINE, ROW
from quality.contract import Contract
from quality.pandera_schemas import RAGGED
from quality.row_rules import uncast_marker
from tests.conftest import MakeContract

LOGICAL = {
    "varchar": "string",
    "date": "date",
    "timestamp": "timestamp",
    "integer": "integer",
    "bigint": "integer",
    "double": "number",
    "boolean": "boolean",
}


def column(
    sql_type: str, parse: str | None = None, missing: tuple[str, ...] = ()
) -> dict[str, Any]:
    custom: list[dict[str, Any]] = []
    if parse:
        custom.append({"property": "parse", "value": parse})
    if missing:
        custom.append({"property": "missingValues", "value": list(missing)})
    return {
        "name": "value",
        "physicalName": "值",
        "logicalType": LOGICAL.get(sql_type, "number"),
        "physicalType": sql_type,
        **({"customProperties": custom} if custom else {}),
    }


@pytest.fixture(scope="module")
def contracts(make_contract: MakeContract) -> dict[str, Contract]:
    return {
        **{kind: make_contract([column(kind)]) for kind in LOGICAL},
        "decimal": make_contract([column("decimal(6, 2)")]),
        "fraction": make_contract([column("decimal(2, 2)")]),
        "amount": make_contract([column("decimal(12, 2)", "amount")]),
        "percent": make_contract([column("decimal(6, 2)", "percent")]),
        "code": make_contract([column("varchar", "code")]),
        "missing": make_contract([column("decimal(6, 2)", missing=("N/A", "—"))]),
        "capital": make_contract(
            [
                column("decimal(18, 4)", "capital_amount", ("N/A",)),
                {**column("varchar", "capital_currency", ("N/A",)), "name": "currency"},
            ]
        ),
    }


def table(texts: list[str], header: str = "值") -> pl.DataFrame:
    return pl.DataFrame(
        {
            header: texts,
            LINE: list(range(2, 2 + len(texts))),
            RAGGED: [False] * len(texts),
            ROW: pl.Series([None] * len(texts), dtype=pl.String),
        },
        schema_overrides={header: pl.String},
    )


def read(contract: Contract, text: str) -> tuple[Any, bool]:
    """The value, and whether the text could not be read."""
    row = cast(table([text]), contract)
    return row["value"][0], row[uncast_marker("value")][0]


def original(contract: Contract, text: str) -> Any:
    kept = cast(table([text]), contract)["_original"][0]
    return None if kept is None else json.loads(kept)


READ = [
    ("date", "2026-03-05", date(2026, 3, 5)),
    ("date", "2026-3-5", date(2026, 3, 5)),
    ("date", "2026/3/5", date(2026, 3, 5)),
    ("date", "2026/03/05", date(2026, 3, 5)),
    ("date", "20260305", date(2026, 3, 5)),
    ("date", "2026年3月5日", date(2026, 3, 5)),
    ("date", "2026年03月05日", date(2026, 3, 5)),
    ("date", "2026.03.05", date(2026, 3, 5)),
    ("date", "2026.3.5", date(2026, 3, 5)),
    ("date", " 2026-03-05\u3000", date(2026, 3, 5)),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("date", "46086", date(2026, 3, 5)),
    ("date", "46086.0", date(2026, 3, 5)),
    ("date", "２０２６－０３－０５", date(2026, 3, 5)),
    ("date", "'2026-03-05", date(2026, 3, 5)),
    ("date", "2026-03-05 00:00:00", date(2026, 3, 5)),
    ("date", "2026 年 3 月 5 日", date(2026, 3, 5)),
    ("date", "二〇二六年三月五日", date(2026, 3, 5)),
    ("date", "二○二六年十二月三十一日", date(2026, 12, 31)),
    ("date", "二零二六年十月二十日", date(2026, 10, 20)),
    ("timestamp", "2026年3月5日 08:30", datetime(2026, 3, 5, 8, 30)),
    ("timestamp", "20260305083000", datetime(2026, 3, 5, 8, 30)),
    ("timestamp", "2026-03-05T08:30:00Z", datetime(2026, 3, 5, 16, 30)),
    ("timestamp", "2026-03-05T20:30:00z", datetime(2026, 3, 6, 4, 30)),
    ("timestamp", "2026-03-05T08:30:00+08:00", datetime(2026, 3, 5, 8, 30)),
    ("timestamp", "2026-03-05T08:30:00.250+0800", datetime(2026, 3, 5, 8, 30, 0, 250_000)),
    ("timestamp", "2026-03-05 08:30:00.123456+08", datetime(2026, 3, 5, 8, 30, 0, 123_456)),
    ("timestamp", "2026-03-05T00:30:00-05:30", datetime(2026, 3, 5, 14, 0)),
    ("timestamp", "2026-03-05T08:30Z", datetime(2026, 3, 5, 16, 30)),
    ("timestamp", "2026-03-05T00:00:00Z", datetime(2026, 3, 5, 8)),
    ("timestamp", "1988-06-30T15:00:00Z", datetime(1988, 7, 1)),
    ("timestamp", "2024-02-29T18:00:00Z", datetime(2024, 3, 1, 2)),
    ("date", "2026-03-04T16:00:00Z", date(2026, 3, 5)),
    ("date", "2026-03-04T16:00:00.000Z", date(2026, 3, 5)),
    ("date", "2026-03-05T00:00:00+08:00", date(2026, 3, 5)),
    ("date", "2026-03-05T00:00:00Z", date(2026, 3, 5)),
    ("date", "1988-06-30T15:00:00Z", date(1988, 7, 1)),
    ("date", "1988-07-01T00:00:00+08:00", date(1988, 7, 1)),
    ("timestamp", "46086.3541666667", datetime(2026, 3, 5, 8, 30)),
    ("timestamp", "46086.35430", datetime(2026, 3, 5, 8, 30, 12)),
    ("timestamp", "46086.0", datetime(2026, 3, 5)),
    ("timestamp", "2026-03-05 08:30:00.25", datetime(2026, 3, 5, 8, 30, 0, 250_000)),
    ("timestamp", "2026-03-05T08:30:00.123456", datetime(2026, 3, 5, 8, 30, 0, 123_456)),
    ("integer", "1.0", 1),
    ("integer", "1,000", 1000),
    ("integer", "１２", 12),
    ("decimal", "1,000", Decimal(1000)),
    ("boolean", "有", True),
    ("amount", "5万", Decimal(50_000)),
    ("amount", "3.5万元", Decimal(35_000)),
    ("amount", "0.02亿", Decimal(2_000_000)),
    ("amount", "人民币1,200元整", Decimal(1200)),
    ("amount", "RMB 8", Decimal(8)),
    ("percent", "12.5%", Decimal("12.50")),
    ("percent", "１２．５％", Decimal("12.50")),
    ("percent", "12.5", Decimal("12.50")),
    ("timestamp", "2026-03-05 08:30:00", datetime(2026, 3, 5, 8, 30)),
    ("timestamp", "2026/03/05 08:30:00", datetime(2026, 3, 5, 8, 30)),
    ("timestamp", "2026-03-05T08:30:00", datetime(2026, 3, 5, 8, 30)),
    ("timestamp", "2026-03-05", datetime(2026, 3, 5)),
    ("integer", "12", 12),
    ("integer", "-7", -7),
    ("integer", "007", 7),
    ("bigint", "9007199254740993", 9007199254740993),
    ("double", "1.5", 1.5),
    ("double", "-2", -2.0),
    ("double", "1e3", 1000.0),
    ("boolean", "是", True),
    ("boolean", "否", False),
    ("boolean", "TRUE", True),
    ("boolean", "0", False),
    ("decimal", "1234.56", Decimal("1234.56")),
    ("decimal", "-0.5", Decimal("-0.50")),
    ("decimal", "0012.3000", Decimal("12.30")),
    ("decimal", "9999.99", Decimal("9999.99")),
    ("fraction", "0.25", Decimal("0.25")),
    ("amount", "1,234,567.89", Decimal("1234567.89")),
    ("amount", "￥1,234.50", Decimal("1234.50")),
    ("amount", "¥ 12元", Decimal("12.00")),
    ("amount", "１２３４．５", Decimal("1234.50")),
    ("amount", "-1,000", Decimal(-1000)),
    ("amount", "0", Decimal(0)),
    ("missing", "12", Decimal(12)),
]

NOT_READ = [
    ("date", "2026-02-30"),
    ("date", "2026-13-01"),
    ("date", "2025-02-29"),
    ("date", "2026-06-31"),
    ("date", "26-3-5"),
    ("date", "5/3/2026"),
    ("date", "2026305"),
    ("date", "2020115"),
    ("date", "202603"),
    ("date", "2026-03-05 08:30:00"),
    ("date", "12026-01-01"),
    ("date", "+2026-01-01"),
    ("date", "不详"),
    ("date", "2026-03/05"),
    ("timestamp", "2026-03-05 25:00:00"),
    ("timestamp", "6086.35"),
    ("date", "46086.3541666667"),
    ("timestamp", "26-03-05 08:30:00"),
    ("timestamp", "2026-03-05 08:30:60"),
    ("timestamp", "20260305083060"),
    ("timestamp", "2026-03-05T08:30:60Z"),
    ("timestamp", "2026-02-30T08:30:00Z"),
    ("timestamp", "2026-03-05T24:30:00+08:00"),
    ("timestamp", "2026-03-05T08:61:00Z"),
    ("timestamp", "2026-03-05T08:30:00+15:00"),
    ("timestamp", "2026-03-05T08:30:00+08:75"),
    ("timestamp", "2026-03-05T08:30:00-13:00"),
    ("timestamp", "2026-03-05T08:30:00CST"),
    ("timestamp", "2026-03-05T08Z"),
    ("date", "2026-03-05T08:30:00Z"),
    ("date", "2026-02-30T00:00:00Z"),
    ("date", "2026-03-05T00:00:00+09:00"),
    ("date", "2026-03-05T00:00:00+25:00"),
    ("timestamp", "08:30"),
    ("integer", "1e3"),
    ("integer", "2147483648"),
    ("bigint", "9223372036854775808"),
    ("double", "nan"),
    ("double", "inf"),
    ("double", "1e999"),
    ("double", "1_000"),
    ("double", "0x10"),
    ("boolean", "对"),
    ("decimal", "1.005"),
    ("decimal", "12345.00"),
    ("decimal", "1e3"),
    ("decimal", "nan"),
    ("decimal", "."),
    ("decimal", "-"),
    ("fraction", "1.25"),
    ("amount", "1,23"),
    ("amount", "12,34,567"),
    ("amount", "1,000.005"),
    ("amount", "1.234,50"),
    ("amount", "约500"),
    ("date", "1234"),
    ("date", "146086"),
    ("date", "46086.5"),
    ("date", "三月五日"),
    ("integer", "1.5"),
    ("integer", "1,00"),
    ("amount", "100美元"),
    ("amount", "$100"),
    ("amount", "0.0000001万"),
    ("amount", "万"),
    ("percent", "1‰"),
    ("percent", "12.555%"),
    ("missing", "n/a"),
]


@pytest.mark.parametrize(("kind", "text", "value"), READ)
def test_a_text_that_means_a_value_is_read_as_it(
    contracts: dict[str, Contract], kind: str, text: str, value: Any
) -> None:
    assert read(contracts[kind], text) == (value, False)


@pytest.mark.parametrize(("kind", "text"), NOT_READ)
def test_a_text_that_does_not_say_one_value_is_marked_and_never_guessed(
    contracts: dict[str, Contract], kind: str, text: str
) -> None:
    assert read(contracts[kind], text) == (None, True)


@pytest.mark.parametrize("text", ["", "  ", "\u3000", "\u00a0\t", "\ufeff"])
@pytest.mark.parametrize("kind", ["varchar", "date", "integer", "decimal", "amount", "code"])
def test_nothing_is_missing_and_not_unreadable(
    contracts: dict[str, Contract], kind: str, text: str
) -> None:
    assert read(contracts[kind], text) == (None, False)


@pytest.mark.parametrize("text", ["N/A", " N/A ", "—"])
def test_the_contracts_spellings_of_missing_are_missing(
    contracts: dict[str, Contract], text: str
) -> None:
    assert read(contracts["missing"], text) == (None, False)
    assert original(contracts["missing"], text) == {"value": text}


@given(st.decimals(-99999, 99999, places=4, allow_nan=False))
def test_a_decimal_is_held_exactly_or_not_at_all(
    contracts: dict[str, Contract], number: Decimal
) -> None:
    """Half a fen rounded away on each of a million rows is money."""
    value, unread = read(contracts["decimal"], f"{number:f}")
    if unread:
        assert abs(number) >= 10_000 or number != round(number, 2)
    else:
        assert value == number


@given(st.integers(-(10**11), 10**11).map(lambda cents: Decimal(cents) / 100))
def test_separators_do_not_change_an_amount(
    contracts: dict[str, Contract], number: Decimal
) -> None:
    assert read(contracts["amount"], f"{number:,.2f}") == read(contracts["amount"], f"{number:.2f}")


@settings(max_examples=20)
@given(st.datetimes(datetime(1992, 1, 1), datetime(2099, 1, 1)), st.integers(-12 * 4, 14 * 4))
def test_a_moment_is_the_same_in_whatever_zone_it_is_written(
    contracts: dict[str, Contract], moment: datetime, quarters: int
) -> None:
    """An offset added instead of taken off shows only far from home."""
    there = moment.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    here = there.astimezone(timezone(timedelta(hours=8))).replace(tzinfo=None)
    assert read(contracts["timestamp"], there.isoformat()) == (here, False)
    assert original(contracts["timestamp"], there.isoformat()) == {"value": there.isoformat()}


# -- codes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("91371300ma3c00000x", "91371300MA3C00000X"),
        ("９１３７１３００ＭＡ３Ｃ０００００Ｘ", "91371300MA3C00000X"),
        ("'371302199001010011", "371302199001010011"),
        (" ' 371302199001010011 ", "371302199001010011"),
        ("13812345678", "13812345678"),
    ],
)
def test_a_code_is_read_into_its_plain_form(
    contracts: dict[str, Contract], text: str, value: str
) -> None:
    assert read(contracts["code"], text) == (value, False)
    assert original(contracts["code"], text) == (None if text == value else {"value": text})


def test_a_lone_apostrophe_is_a_missing_code(contracts: dict[str, Contract]) -> None:
    """An empty code would pass `required` and meet every other empty code in a join."""
    assert read(contracts["code"], "'") == (None, False)


# -- registered capital ------------------------------------------------------------------

CAPITAL = [
    ("2150万人民币", "2150", "CNY"),
    ("(万元人民币)500", "500", "CNY"),
    ("（万元人民币）500", "500", "CNY"),
    ("300(万元人民币)", "300", "CNY"),
    ("1,001(万元人民币)", "1001", "CNY"),
    ("1,001.5万元", "1001.5", "CNY"),
    ("100万美元", "100", "USD"),
    ("(万美元)12.5", "12.5", "USD"),
    ("80万港币", "80", "HKD"),
    ("7万欧元", "7", "EUR"),
    ("5万日元", "5", "JPY"),
    ("500000元", "50", "CNY"),
    ("500000元人民币", "50", "CNY"),
    ("1元", "0.0001", "CNY"),
    ("2500000美元", "250", "USD"),
    ("50", "50", "CNY"),
    ("50.25", "50.25", "CNY"),
    ("５０万元", "50", "CNY"),
    ("0", "0", "CNY"),
]


@pytest.mark.parametrize(("text", "amount", "currency"), CAPITAL)
def test_every_shape_of_capital_gives_amount_and_currency(
    contracts: dict[str, Contract], text: str, amount: str, currency: str
) -> None:
    row = cast(table([text]), contracts["capital"]).row(0, named=True)
    assert (row["value"], row["currency"]) == (Decimal(amount), currency)
    assert not row[uncast_marker("value")]


@pytest.mark.parametrize("text", ["N/A", "", " "])
def test_unknown_capital_has_neither_amount_nor_currency(
    contracts: dict[str, Contract], text: str
) -> None:
    row = cast(table([text]), contracts["capital"]).row(0, named=True)
    assert (row["value"], row["currency"]) == (None, None)
    assert not row[uncast_marker("value")]
    assert not row[uncast_marker("currency")]


@pytest.mark.parametrize(
    "text",
    [
        "五百万",
        "100万英镑",
        "50 个",
        "约50万元",
        "1.5元",
        "1,5万元",
        "10万,000",
        "12345.00005",
        "万元",
        "5亿元",
    ],
)
def test_a_capital_that_cannot_be_read_exactly_is_marked(
    contracts: dict[str, Contract], text: str
) -> None:
    row = cast(table([text]), contracts["capital"]).row(0, named=True)
    assert row["value"] is None
    assert row[uncast_marker("value")]


# -- _original ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("varchar", "文"),
        ("varchar", ""),
        ("date", "2026-03-05"),
        ("timestamp", "2026-03-05 08:30:00"),
        ("integer", "12"),
        ("decimal", "12.3"),
        ("decimal", "12.30"),
        ("amount", "-12.3"),
        ("double", "0.1"),
        ("boolean", "true"),
        ("capital", "50"),
    ],
)
def test_a_value_that_reading_left_alone_is_not_kept_twice(
    contracts: dict[str, Contract], kind: str, text: str
) -> None:
    kept = original(contracts[kind], text)
    assert "value" not in (kept or {})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("varchar", " 文"),
        ("varchar", "\u3000"),
        ("date", "20260305"),
        ("date", "2026-02-30"),
        ("timestamp", "2026-03-05T08:30:00"),
        ("integer", " 12"),
        ("integer", "x"),
        ("decimal", "１２"),
        ("amount", "１２"),
        ("amount", "1,000"),
        ("boolean", "是"),
        ("capital", "500000元"),
    ],
)
def test_a_value_that_reading_changed_is_kept_as_delivered(
    contracts: dict[str, Contract], kind: str, text: str
) -> None:
    assert (original(contracts[kind], text) or {}).get("value") == text


def test_original_holds_exactly_the_changed_columns_of_exactly_the_changed_rows(
    make_contract: MakeContract,
) -> None:
    contract = make_contract(
        [
            {"name": "a", "physicalName": "甲"},
            {"name": "b", "physicalName": "乙", "logicalType": "date", "physicalType": "date"},
            {"name": "c", "physicalName": "丙"},
        ]
    )
    texts = pl.DataFrame(
        {
            "甲": ["x", ' "引"\n', "x", "x"],
            "乙": ["2026-01-01", "20260101", "2026-01-01", "不详"],
            "丙": ["y", "y", "y ", "y"],
            LINE: [2, 3, 5, 6],
            RAGGED: [False] * 4,
            ROW: pl.Series([None] * 4, dtype=pl.String),
        }
    )
    kept = [row and json.loads(row) for row in cast(texts, contract)["_original"]]
    assert kept == [None, {"a": ' "引"\n', "b": "20260101"}, {"c": "y "}, {"b": "不详"}]


def test_the_delivered_texts_of_every_row_are_at_hand(contracts: dict[str, Contract]) -> None:
    """A quarantined row is sent home as it came."""
    assert cast(table([" x "]), contracts["varchar"])["_texts"].to_list() == [{"value": " x "}]


def test_no_rows_are_cast_to_no_rows(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        assert cast(table([]), contract).height == 0


@pytest.mark.parametrize("space", readings.SPACE)
def test_space_around_a_text_is_seen_whatever_kind_it_is(
    contracts: dict[str, Contract], space: str
) -> None:
    """A space that the look at the whole column overlooks would stay at the text."""
    rows = cast(table([f"{space}王", "王", f"李{space}"]), contracts["varchar"])
    assert rows["value"].to_list() == ["王", "王", "李"]
