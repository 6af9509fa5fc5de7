"""A PostgreSQL table comes through the door as a file does, row for row and value for value."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pipelines.fetch import fetch
from pipelines.fetch.error import FetchError
from pipelines.home import Home
from pipelines.ingest import store
from quality.contract import Contract
from tests.integration.fetch.conftest import FetchNight, Postgres, free_port

DAY = date(2026, 3, 5)
COLUMNS = [
    {"name": "meter_number", "physicalName": "编号", "required": True, "primaryKey": True},
    {"name": "sequence_number", "physicalName": "流水号", "logicalType": "integer",
     "physicalType": "bigint"},
    {"name": "owner", "physicalName": "户主"},
    {"name": "amount", "physicalName": "金额", "logicalType": "number",
     "physicalType": "decimal(18, 2)"},
    {"name": "read_on", "physicalName": "抄表日期", "logicalType": "date", "physicalType": "date"},
    {"name": "changed_at", "physicalName": "更新时间", "logicalType": "timestamp",
     "physicalType": "timestamp"},
    {"name": "is_open", "physicalName": "在用", "logicalType": "boolean",
     "physicalType": "boolean"},
]  # fmt: skip
QUERY = (
    'select number as "编号", id as "流水号", owner as "户主", amount as "金额",'
    ' read_on as "抄表日期",'
    ' changed_at as "更新时间", is_open as "在用" from water.meter'
)

MakeSource = Callable[..., Contract]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, postgres: Postgres) -> None:
    monkeypatch.setenv("TEST_DB_USER", postgres.user)
    monkeypatch.setenv("TEST_DB_PASSWORD", postgres.password)


@pytest.fixture(autouse=True)
def table(postgres: Postgres) -> None:
    postgres.run(
        "drop schema if exists water cascade",
        "create schema water",
        """create table water.meter (id bigint generated always as identity, number text,
           owner text, amount numeric(18, 2), read_on date, changed_at timestamptz,
           is_open boolean)""",
        """insert into water.meter (number, owner, amount, read_on, changed_at, is_open) values
           ('371302199001011234', '张"三",丰', 9007199254740993.10, '2026-03-01',
            '2026-03-05 01:00+08', true),
           ('A2', E'两\\n行', -0.50, null, '2026-03-04 23:59:59+08', false),
           ('A3', null, null, '2026-02-28', '2026-03-05 23:30+08', null)""",
    )


@pytest.fixture
def make_source(make_contract: Callable[..., Contract], postgres: Postgres) -> MakeSource:
    def make(custom: dict[str, Any] | None = None, **server: Any) -> Contract:
        settings = {"query": QUERY, "credentials": "TEST_DB", **(custom or {})}
        return make_contract(
            COLUMNS,
            server={
                "type": "postgres", "host": "127.0.0.1", "port": postgres.port,
                "database": "postgres", **server,
                "customProperties": [
                    {"property": k, "value": v} for k, v in settings.items() if v is not None
                ],
            },
            custom={"delivery": "increment"},
        )  # fmt: skip

    return make


def rows(home: Home, contract: Contract) -> list[dict[str, Any]]:
    paths = sorted((home.raw / contract.department / contract.dataset).glob("*/*.parquet"))
    frame = pl.concat([pl.read_parquet(path) for path in paths])
    return frame.sort("_business_date", "meter_number").to_dicts()


def refusal(home: Home, contract: Contract, night: date = DAY) -> tuple[str, str]:
    """Rule and reason of the night's refused delivery."""
    fetch.before_door(home, contract, night)
    receipts = store.read_receipts(home.raw, contract.department, contract.dataset)
    assert [r.status for r in receipts] == ["refused"], "a failed fetch must be a refused delivery"
    assert not list(home.landing.glob("*/*")), "a failed fetch must leave nothing in landing"
    reason = receipts[0].reason or ""
    return reason.split(":")[0], reason


def test_every_value_arrives_as_it_stands_in_the_database(
    home: Home, make_source: MakeSource, fetch_night: FetchNight
) -> None:
    """Rounded numerics, shifted zones, broken quotes: each would be a wrong row nobody sees."""
    contract = make_source()
    (receipt,) = fetch_night(home, contract, DAY)
    assert (receipt.status, receipt.rows_read, receipt.rows_accepted) == ("loaded", 3, 3)
    assert receipt.file_name == "meter_20260305.csv"
    assert receipt.findings["fetch"] == {"source": "postgres", "rows": 3}
    first, second, third = rows(home, contract)
    assert first["meter_number"] == "371302199001011234"
    assert (first["owner"], str(first["amount"])) == ('张"三",丰', "9007199254740993.10")
    assert (str(first["read_on"]), str(first["changed_at"])) == (
        "2026-03-01",
        "2026-03-05 01:00:00",
    )
    assert (second["owner"], second["is_open"], second["read_on"]) == ("两\n行", False, None)
    assert (third["owner"], third["amount"], third["is_open"]) == (None, None, None)


def test_a_date_that_is_loaded_is_not_fetched_again(
    home: Home, make_source: MakeSource, fetch_night: FetchNight, postgres: Postgres
) -> None:
    """A night that runs again must not ask the department's server again, nor load twice."""
    contract = make_source()
    fetch_night(home, contract, DAY)
    postgres.run("drop table water.meter")
    assert fetch_night(home, contract, DAY) == []
    assert fetch_night(home, contract, DAY - timedelta(days=1)) == []


def test_fetching_again_by_hand_is_known_as_a_repetition(
    home: Home, make_source: MakeSource, fetch_night: FetchNight, take_up: Callable[..., Any]
) -> None:
    contract = make_source()
    fetch_night(home, contract, DAY)
    assert len(fetch.fetch(home, contract, DAY, again=True)) == 1
    assert [receipt.status for receipt in take_up(home, contract, DAY)] == ["repeated"]


@pytest.mark.parametrize("column", ["changed_at", "sequence_number"])
def test_only_what_is_new_is_asked_for(
    column: str,
    home: Home,
    make_source: MakeSource,
    fetch_night: FetchNight,
    postgres: Postgres,
) -> None:
    """By time and by key; a row without a time, or with the same time as the last, is not lost."""
    contract = make_source({"incrementalBy": column})
    (first,) = fetch_night(home, contract, DAY)
    assert first.rows_read == 3
    postgres.run(
        """insert into water.meter (number, changed_at) values
           ('B1', '2026-03-05 23:30+08'), ('B2', '2026-03-06 08:00+08'), ('B3', null),
           ('B4', '2026-03-07 00:00+08')"""
    )
    second_day = DAY + timedelta(days=1)
    fetch_night(home, contract, second_day)
    new = {row["meter_number"] for row in rows(home, contract) if row["_business_date"] > DAY}
    if column == "changed_at":
        assert new == {"A3", "B1", "B2", "B3"}, "B4 belongs to the next business date"
        (third,) = fetch_night(home, contract, DAY + timedelta(days=2))
        assert third.rows_read == 3, "B2 (the same time), B3 (no time) and B4"
    else:
        assert new == {"B1", "B2", "B3", "B4"}
        (third,) = fetch_night(home, contract, DAY + timedelta(days=2))
        assert (third.status, third.rows_read) == ("loaded", 0), "nothing new is a delivery too"


def test_a_failed_night_is_made_up_for_by_the_next(
    home: Home, make_source: MakeSource, fetch_night: FetchNight, postgres: Postgres
) -> None:
    """The watermark comes from what was loaded, so a night that failed leaves no gap."""
    contract = make_source({"incrementalBy": "changed_at"})
    fetch_night(home, contract, DAY)
    postgres.run(
        "insert into water.meter (number, changed_at) values ('C1', '2026-03-06 09:00+08')",
        "alter table water.meter rename to gone",
    )
    assert fetch_night(home, contract, DAY + timedelta(days=1)) == []
    postgres.run("alter table water.gone rename to meter")
    (receipt,) = fetch_night(home, contract, DAY + timedelta(days=2))
    assert (receipt.status, receipt.rows_read) == ("loaded", 2)
    assert "C1" in {row["meter_number"] for row in rows(home, contract)}


def test_each_obstacle_is_told_apart(home: Home, make_source: MakeSource) -> None:
    """ "It failed" sends a person to the wrong desk: name, port, password, query, type."""
    unreachable = make_source(host="nowhere.invalid")
    with pytest.raises(FetchError, match="unknown_host"):
        fetch.fetch(home, unreachable, DAY)
    with pytest.raises(FetchError, match="connection_refused"):
        fetch.fetch(home, make_source(port=free_port()), DAY)
    with pytest.raises(FetchError, match="no_database"):
        fetch.fetch(home, make_source(database="nowhere"), DAY)
    for query, rule, told in (
        (QUERY.replace("water.meter", "water.metre"), "query_failed", "water.metre"),
        (QUERY.replace("owner as", "owned as"), "query_failed", "owned"),
        (QUERY.replace(', is_open as "在用"', ""), "wrong_header", "在用"),
        (QUERY.replace("is_open as", "'\\x00'::bytea as"), "unsupported_type", "在用（bytea）"),
        (QUERY.replace("is_open as", "array[number] as"), "unsupported_type", "在用（text[]）"),
        (QUERY.replace("from water", ", pg_sleep(5)::text from water"), "query_timeout", "时间"),
    ):
        contract = make_source({"query": query, "timeoutSeconds": 0.5})
        with pytest.raises(FetchError, match=rule) as caught:
            fetch.fetch(home, contract, DAY)
        assert told in caught.value.message
    assert not list(home.landing.glob("*/*"))


def test_a_wrong_password_is_told_without_telling_it(
    home: Home, make_source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DB_PASSWORD", "Geheim#42")
    monkeypatch.setenv("TEST_DB_USER", "clerk_of_water")
    rule, reason = refusal(home, make_source())
    assert rule == "access_denied"
    receipt = next(home.raw.rglob("*.json")).read_text()
    for secret in ("Geheim", "clerk_of_water"):
        assert secret not in reason + receipt


def test_unset_credentials_are_named(
    home: Home, make_source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_DB_PASSWORD")
    rule, reason = refusal(home, make_source())
    assert (rule, "TEST_DB_PASSWORD" in reason) == ("no_credentials", True)


def test_no_value_of_a_row_stands_in_an_error(home: Home, make_source: MakeSource) -> None:
    """PostgreSQL quotes the value that it cannot convert; that would be a resident's number."""
    query = QUERY.replace("number as", "(number || 'x')::bigint::text as")
    rule, reason = refusal(home, make_source({"query": query}))
    assert rule == "query_failed"
    assert "3713021990" not in reason


def test_the_contract_cannot_change_the_department_s_data(
    home: Home, make_source: MakeSource, postgres: Postgres
) -> None:
    """A query that calls a writing function must fail, not write."""
    postgres.run(
        "create function water.wipe() returns text language sql as "
        "'delete from water.meter returning number'"
    )
    query = QUERY.replace("owner as", "water.wipe() as")
    assert refusal(home, make_source({"query": query}))[0] == "query_failed"
    query = QUERY + " where number <> 'A2'"
    assert len(fetch.fetch(home, make_source({"query": query}), DAY)) == 1


def test_a_failed_fetch_is_forgiven_when_it_succeeds_later(
    home: Home, make_source: MakeSource, fetch_night: FetchNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same night failing twice is one refused delivery; a later success outranks it."""
    contract = make_source()
    password = os.environ["TEST_DB_PASSWORD"]
    monkeypatch.setenv("TEST_DB_PASSWORD", "wrong")
    fetch_night(home, contract, DAY)
    fetch_night(home, contract, DAY)
    monkeypatch.setenv("TEST_DB_PASSWORD", password)
    fetch_night(home, contract, DAY)
    receipts = store.read_receipts(home.raw, contract.department, contract.dataset)
    assert [(r.status, r.sequence) for r in receipts] == [("refused", 1), ("loaded", 2)]
    assert receipts[0].file_name == "meter_20260305 (postgres)"
    json.dumps(receipts[0].findings)


def test_memory_does_not_grow_with_the_table(home: Home, make_source: MakeSource) -> None:
    """A table of millions of rows must not be held in memory; only a batch of it is."""
    peaks, size = [], 0
    for count in (100_000, 1_500_000):
        query = (
            'select n::text as "编号", n as "流水号", repeat(\'临\', 20) as "户主", '
            '1 as "金额", date \'2026-01-01\' as "抄表日期", now() as "更新时间", '
            f'true as "在用" from generate_series(1, {count}) as n'
        )
        (path,) = fetch.fetch(home, make_source({"query": query}), DAY)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        size = path.stat().st_size
        path.unlink()
    assert size > 150 << 20
    assert peaks[1] - peaks[0] < 64 << 20
