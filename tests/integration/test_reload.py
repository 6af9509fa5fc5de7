"""A contract that changes its types: what was loaded before is told of, and loaded anew."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.home import Home
from pipelines.ingest import archive, reload, store
from pipelines.ingest.store import Receipt
from pipelines.warehouse import prepare
from quality.catalogue import Catalogue
from quality.contract import Contract
from quality.sql_types import polars_type, widens
from tests.conftest import Land, MakeContract, TakeUp

FIRST, SECOND = date(2026, 6, 29), date(2026, 6, 30)
KEY = {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1}
TYPES = {
    "varchar": "string", "date": "date", "timestamp": "timestamp", "integer": "integer",
    "bigint": "integer", "double": "number", "decimal(8, 2)": "number",
    "decimal(18, 4)": "number", "boolean": "boolean",
}  # fmt: skip


@pytest.fixture(scope="module")
def version(make_contract: MakeContract) -> Any:
    """`version(type of v, **more)` → a contract of an increment with that column."""

    def make(kind: str | None, *more: dict[str, Any], **options: Any) -> Contract:
        own = [{"name": "v", "logicalType": TYPES[kind], "physicalType": kind}] if kind else []
        options.setdefault("custom", {"delivery": "increment"})
        return make_contract([KEY, *own, *more], **options)

    return make


def rows(home: Home, contract: Contract, night: date = SECOND) -> list[tuple[Any, ...]]:
    prepare(home, Catalogue((contract,), ()), night)
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute("select k, v from raw.water__meter order by k").fetchall()


@pytest.fixture
def loaded(home: Home, land: Land, take_up: TakeUp) -> Any:
    """`loaded(contract)` loads two deliveries under it; returns their receipts."""

    def run(contract: Contract) -> list[Receipt]:
        land(home, "water", "meter_20260629.csv", "k,v\na,007\nb,2026-03-05\n")
        land(home, "water", "meter_20260630.csv", "k,v\nc,1.50\nd,\n")
        return take_up(home, contract, SECOND)

    return run


def test_a_changed_type_is_told_and_then_loaded_anew(home: Home, version: Any, loaded: Any) -> None:
    """A cast would give 7 for 007, or fail in the middle of the models."""
    before = loaded(version("integer"))
    assert [receipt.rows_quarantined for receipt in before] == [1, 1]
    text = version("varchar", version="2.0.0")
    with pytest.raises(duckdb.InvalidInputException, match="yishu source reload water/meter"):
        rows(home, text)
    done = list(reload.reload(home, text))
    assert [(item.after.rows_accepted, item.after.contract_version) for item in done] == [
        (2, "2.0.0"), (2, "2.0.0"),
    ]  # fmt: skip
    assert rows(home, text) == [("a", "007"), ("b", "2026-03-05"), ("c", "1.50"), ("d", None)]
    after = store.read_receipts(home.raw, "water", "meter")
    kept = ("delivery_id", "sequence", "night", "business_date", "file_name", "sm3")
    for name in kept:
        assert [getattr(r, name) for r in after] == [getattr(r, name) for r in before]
    assert not list(home.quarantine.rglob("*.parquet")), "refused rows of the old contract stayed"


def test_a_wider_type_needs_nothing(home: Home, version: Any, loaded: Any) -> None:
    loaded(version("integer"))
    assert rows(home, version("bigint")) == [("a", 7), ("d", None)]
    assert rows(home, version("decimal(18, 4)")) == [("a", Decimal(7)), ("d", None)]


def test_a_column_that_the_file_had_is_not_null_in_silence(
    home: Home, version: Any, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", "k,w\na,1\n")
    take_up(home, version(None), FIRST)
    more = {"name": "v", "physicalName": "w"}
    contract = version(None, more)
    with pytest.raises(duckdb.InvalidInputException, match="修改了列 v"):
        rows(home, contract)
    list(reload.reload(home, contract))
    assert rows(home, contract) == [("a", "1")]
    assert rows(home, version(None, {"name": "v"})) == [("a", "1")], "renamed header, same column"


def test_a_delivery_that_is_refused_now_stays_as_it_was(
    home: Home, version: Any, loaded: Any
) -> None:
    before = loaded(version("varchar"))
    strict = version("varchar", {"name": "w", "required": True})
    done = list(reload.reload(home, strict))
    assert [item.refusal and item.refusal.split(":")[0] for item in done] == ["wrong_header"] * 2
    assert store.read_receipts(home.raw, "water", "meter") == before
    assert rows(home, version("varchar"))[0] == ("a", "007")


def test_a_lost_original_stays_as_it_was(home: Home, version: Any, loaded: Any) -> None:
    before = loaded(version("varchar"))
    archive.place(home.archive, before[0].sm3, before[0].file_name).unlink()
    first, second = reload.reload(home, version("varchar", version="2.0.0"))
    assert (first.after, second.after.contract_version) == (before[0], "2.0.0")
    assert "存档中没有原文件" in (first.refusal or "")


def test_a_reload_that_was_cut_short_is_told_until_it_is_done(
    home: Home, version: Any, loaded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New rows below an old receipt, which still counts what was loaded before."""
    loaded(version("integer"))
    text = version("varchar")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_receipt", crash)
        with pytest.raises(KeyboardInterrupt):
            list(reload.reload(home, text))
    with pytest.raises(duckdb.InvalidInputException):
        rows(home, text)
    list(reload.reload(home, text))
    assert len(rows(home, text)) == 4


def test_receipts_of_before_are_judged_by_their_rows(home: Home, version: Any, loaded: Any) -> None:
    loaded(version("integer"))
    for path in home.raw.rglob("*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        del data["findings"]["loaded_as"]
        path.write_text(json.dumps(data), encoding="utf-8")
    receipts = store.read_receipts(home.raw, "water", "meter")
    assert reload.need(version("integer"), receipts, home) is None
    assert "2 次报送" in (reload.need(version("date"), receipts, home) or "")


def test_the_command_tells_what_changed(
    home: Home, version: Any, loaded: Any, write_document: Any, make_document: Any,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    loaded(version("integer"))
    columns = [KEY, {"name": "v"}]
    document = make_document(columns, custom={"delivery": "increment"}, version="3.0.0")
    write_document(tmp_path / "sources", document)
    monkeypatch.setenv("YISHU_SOURCES", str(tmp_path / "sources"))
    monkeypatch.setenv("YISHU_HOME", str(home.root))
    result = CliRunner().invoke(app, ["source", "reload", "water/meter"])
    assert result.exit_code == 0, result.output
    assert "1.0.0 → 3.0.0" in result.output
    assert "1 → 2" in result.output
    assert "2 of 2 deliveries loaded anew" in result.output
    assert CliRunner().invoke(app, ["source", "reload", "water/none"]).exit_code == 2


VALUES = {
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "decimal(8, 2)": st.decimals(-999_999, 999_999, places=2),
    "decimal(18, 4)": st.decimals(-(10**13), 10**13, places=4),
    "date": st.dates(),
}


@given(st.data(), st.sampled_from(sorted(VALUES)), st.sampled_from(sorted(TYPES)))
def test_what_counts_as_wider_loses_nothing(data: st.DataObject, old: str, new: str) -> None:
    before, after = polars_type(old), polars_type(new)
    if not widens(before, after):
        return
    values = pl.Series(data.draw(st.lists(VALUES[old], max_size=5)), dtype=before)
    assert values.cast(after).cast(before).to_list() == values.to_list()


@pytest.mark.parametrize(
    ("old", "new"),
    [("integer", "varchar"), ("date", "varchar"), ("timestamp", "date"), ("bigint", "integer"),
     ("bigint", "double"), ("decimal(18, 4)", "decimal(8, 2)"), ("decimal(8, 2)", "double"),
     ("varchar", "integer"), ("integer", "decimal(8, 2)"), ("boolean", "integer")],
)  # fmt: skip
def test_what_could_lose_something_is_no_wider_type(old: str, new: str) -> None:
    assert not widens(polars_type(old), polars_type(new))
