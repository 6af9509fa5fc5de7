"""The warehouse as of a night: what is in force then, and nothing that came later."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import Home
from pipelines.warehouse import open_warehouse, prepare, read_ledger
from quality.catalogue import Catalogue
from quality.contract import META_COLUMNS, QUARANTINE_COLUMNS, Contract
from tests.conftest import Land, MakeContract, TakeUp

FIRST, SECOND, THIRD = date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 1)
KEY = {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1}
DAY = {"name": "d", "logicalType": "date", "physicalType": "date"}
NEW = {"name": "n", "logicalType": "number", "physicalType": "decimal(12, 2)"}


@pytest.fixture(scope="module")
def meter(make_contract: MakeContract) -> Contract:
    return make_contract([KEY, DAY])


@pytest.fixture(scope="module")
def grown(make_contract: MakeContract) -> Contract:
    """The same contract a version later: one column more, another order."""
    return make_contract([NEW, KEY, DAY], version="1.1.0")


@pytest.fixture(scope="module")
def shrunk(make_contract: MakeContract) -> Contract:
    return make_contract([KEY], version="2.0.0")


@pytest.fixture(scope="module")
def silent(make_contract: MakeContract) -> Contract:
    """A dataset that has never delivered."""
    return make_contract([KEY, NEW], dataset="pump")


def ask(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def keys(home: Home, schema: str = "raw", table: str = "water__meter") -> list[str]:
    return [k for (k,) in ask(home, f"select k from {schema}.{table} order by all")]


def text(*rows: str) -> str:
    return "\n".join(["k,d", *rows, ""])


def night(home: Home, on: date, *contracts: Contract) -> None:
    prepare(home, Catalogue(contracts, ()), on)


def test_views_show_what_was_delivered_by_then(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260630.csv", text("b,2026-01-01", "c,不详"))
    take_up(home, meter, SECOND)
    night(home, SECOND, meter)
    assert keys(home) == ["a", "b"]
    assert keys(home, "quarantine") == ["c"]
    assert ask(home, "select * from meta.night") == [(SECOND,)]
    night(home, FIRST, meter)
    assert keys(home) == ["a"]
    assert keys(home, "quarantine") == []
    assert ask(home, "select count(*) from meta.delivery") == [(1,)]
    night(home, SECOND, meter)
    assert keys(home) == ["a", "b"]


def test_a_late_delivery_does_not_change_the_nights_before_it_came(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """Else a figure published on Monday could not be computed again on Friday."""
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260629_2.csv", text("late,2026-01-01"))
    take_up(home, meter, THIRD)
    night(home, SECOND, meter)
    assert keys(home) == ["a"]
    night(home, THIRD, meter)
    assert keys(home) == ["a", "late"]


def test_a_corrected_file_of_the_same_name_replaces_the_first_from_its_night_on(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01", "bad,x"))
    (first,) = take_up(home, meter, FIRST)
    land(home, "water", "meter_20260629.csv", text("a,2026-01-02"))
    (corrected,) = take_up(home, meter, SECOND)
    night(home, SECOND, meter)
    assert ask(home, "select d from raw.water__meter") == [(date(2026, 1, 2),)]
    assert keys(home, "quarantine") == []
    assert ask(home, "select delivery_id, superseded_by from meta.delivery order by sequence") == [
        (first.delivery_id, corrected.delivery_id),
        (corrected.delivery_id, None),
    ]
    night(home, FIRST, meter)
    assert ask(home, "select d from raw.water__meter") == [(date(2026, 1, 1),)]
    assert ask(home, "select superseded_by from meta.delivery") == [(None,)]


def test_an_unreadable_correction_replaces_nothing(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260629.csv", "broken\n")
    take_up(home, meter, SECOND)
    night(home, SECOND, meter)
    assert keys(home) == ["a"]
    assert [s for (s,) in ask(home, "select status from meta.delivery order by sequence")] == [
        "loaded",
        "refused",
    ]


def test_a_dataset_without_files_has_views_of_its_columns_and_types(
    home: Home, silent: Contract
) -> None:
    """A department that has not delivered must not stop the models of the others."""
    night(home, FIRST, silent)
    for schema, meta in (("raw", META_COLUMNS), ("quarantine", QUARANTINE_COLUMNS)):
        columns = ask(home, f"describe {schema}.water__pump")
        assert {name: kind.lower() for name, kind, *_ in columns} == {
            "k": "varchar",
            "n": "decimal(12,2)",
            **meta,
        }
        assert ask(home, f"select count(*) from {schema}.water__pump") == [(0,)]
    assert ask(home, "select count(*) from meta.delivery") == [(0,)]


def test_views_have_the_same_types_with_and_without_files(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    night(home, FIRST, meter)
    empty = [ask(home, f"describe {s}.water__meter") for s in ("raw", "quarantine")]
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01", "b,x"))
    take_up(home, meter, FIRST)
    night(home, FIRST, meter)
    assert [ask(home, f"describe {s}.water__meter") for s in ("raw", "quarantine")] == empty


def test_a_contract_that_grew_a_column_reads_older_files_too(
    home: Home, meter: Contract, grown: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    take_up(home, meter, FIRST)
    night(home, FIRST, grown)
    assert ask(home, "select n, k, d from raw.water__meter") == [(None, "a", date(2026, 1, 1))]
    land(home, "water", "meter_20260630.csv", "k,d,n\nb,2026-01-01,1.5\n")
    take_up(home, grown, SECOND)
    night(home, SECOND, grown)
    rows = ask(home, "select k, n::double from raw.water__meter order by k")
    assert rows == [("a", None), ("b", 1.5)]


def test_a_contract_that_lost_a_column_reads_older_files_too(
    home: Home, meter: Contract, shrunk: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    take_up(home, meter, FIRST)
    night(home, FIRST, shrunk)
    names = [name for name, *_ in ask(home, "describe raw.water__meter")]
    assert names == ["k", *META_COLUMNS]
    assert keys(home) == ["a"]


def test_a_file_without_receipt_does_not_count(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """It is what a crash leaves."""
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    (receipt,) = take_up(home, meter, FIRST)
    (path,) = home.raw.rglob("*.json")
    path.unlink()
    night(home, FIRST, meter)
    assert keys(home) == []
    assert (path.parent / f"{receipt.delivery_id}.parquet").exists()


def test_a_home_with_a_quote_in_its_path_is_read(
    tmp_path: Path, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    home = Home(tmp_path / "o'brien").create()
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    take_up(home, meter, FIRST)
    night(home, FIRST, meter)
    assert keys(home) == ["a"]


def test_the_ledger_tells_every_delivery_with_its_counts(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01", "b,x"))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260629_2.csv", text("a,2026-01-01", "b,x"))
    take_up(home, meter, SECOND)
    land(home, "water", "meter_20260630.csv", "")
    take_up(home, meter, SECOND)
    night(home, SECOND, meter)
    rows = ask(
        home,
        "select status, business_date, night, sequence, rows_read, rows_accepted, "
        "rows_quarantined, split_part(reason, ':', 1), contract_version "
        "from meta.delivery order by sequence",
    )
    assert rows == [
        ("loaded", FIRST, FIRST, 1, 2, 1, 1, None, "1.0.0"),
        ("repeated", FIRST, SECOND, 2, 0, 0, 0, None, "1.0.0"),
        ("refused", SECOND, SECOND, 3, 0, 0, 0, "empty_file", "1.0.0"),
    ]


def test_the_ledger_keeps_deliveries_of_a_contract_that_is_gone(
    home: Home, meter: Contract, silent: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a,2026-01-01"))
    take_up(home, meter, FIRST)
    night(home, FIRST, silent)
    assert ask(home, "select dataset, status from meta.delivery") == [("meter", "loaded")]
    assert read_ledger(home, FIRST).loaded(silent) == []


def test_the_catalogue_in_the_warehouse_is_that_of_the_contracts(
    home: Home, shipped: Catalogue
) -> None:
    prepare(home, shipped, FIRST)
    assert ask(home, "select count(*) from governance.dataset") == [(len(shipped.contracts),)]
    (contract, *_) = shipped.contracts
    rows = ask(
        home,
        "select column_name, header, level, is_required, key_position "
        f"from governance.data_column where dataset = '{contract.dataset}' order by rowid",
    )
    assert rows == [(c.name, c.header, c.level, c.required, c.key_position)
                    for c in contract.columns]  # fmt: skip


def test_the_file_is_free_after_a_failure_inside(home: Home) -> None:
    """A connection that stays open would lock the next night out."""
    with pytest.raises(duckdb.CatalogException), open_warehouse(home) as connection:
        connection.execute("select * from nowhere")
    with open_warehouse(home) as connection:
        connection.execute("create table t (a int)")
    assert ask(home, "select count(*) from t") == [(0,)]
