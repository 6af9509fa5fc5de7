"""MySQL: over its wire protocol here, and on a real server where YISHU_TEST_MYSQL names one."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from pipelines.fetch import fetch
from pipelines.fetch.error import FetchError
from pipelines.home import Home
from pipelines.ingest import store
from quality.contract import Contract
from tests.integration.fetch.conftest import FetchNight, free_port
from tests.integration.fetch.wire_mysql import BINARY, BLOB, DATETIME, DECIMAL, STRING, UTF8, Server

DAY = date(2026, 3, 5)
COLUMNS = [
    {"name": "number", "physicalName": "编号", "required": True, "primaryKey": True},
    {"name": "amount", "physicalName": "金额", "logicalType": "number",
     "physicalType": "decimal(18, 2)"},
    {"name": "changed_at", "physicalName": "更新时间", "logicalType": "timestamp",
     "physicalType": "timestamp"},
]  # fmt: skip
FIELDS = [("编号", STRING, UTF8), ("金额", DECIMAL, BINARY), ("更新时间", DATETIME, BINARY)]
ROWS: list[tuple[bytes | None, ...]] = [
    (b'A,"1"', b"9007199254740993.10", b"2026-03-05 01:00:00"),
    ("两\n行".encode(), None, b"0000-00-00 00:00:00"),
]
QUERY = "select number as `编号`, amount as `金额`, changed_at as `更新时间` from meter"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DB_USER", "clerk")
    monkeypatch.setenv("TEST_DB_PASSWORD", "right")


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    stops = []

    def run(rows: list[tuple[bytes | None, ...]] = ROWS, **options: Any) -> Server:
        server = Server(options.pop("columns", FIELDS), rows, **options)
        stops.append(server.start())
        return server

    yield run
    for stop in stops:
        stop()


@pytest.fixture
def make_source(make_contract: Callable[..., Contract]) -> Callable[..., Contract]:
    def make(
        port: int, host: str = "127.0.0.1", database: str = "water", **custom: Any
    ) -> Contract:
        settings = {"query": QUERY, "credentials": "TEST_DB", **custom}
        properties = [{"property": k, "value": v} for k, v in settings.items()]
        return make_contract(
            COLUMNS,
            server={"type": "mysql", "host": host, "port": port, "database": database,
                    "customProperties": properties},
            custom={"delivery": "increment"},
        )  # fmt: skip

    return make


def test_values_pass_as_the_server_writes_them(home: Home, start: Any, make_source: Any) -> None:
    """A driver that makes floats and dates of them would round one and lose the other."""
    server = start()
    (path,) = fetch.fetch(home, make_source(server.port), DAY)
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["编号", "金额", "更新时间"],
            ['A,"1"', "9007199254740993.10", "2026-03-05 01:00:00"],
            ["两\n行", "", "0000-00-00 00:00:00"],
        ]


def test_the_session_is_read_only_limited_and_in_the_source_s_zone(
    home: Home, start: Any, make_source: Any
) -> None:
    for version, limit in (("8.4.3", "max_execution_time = 600000"),
                           ("11.4.2-MariaDB", "max_statement_time = 600")):  # fmt: skip
        server = start(version=version)
        fetch.fetch(home, make_source(server.port), DAY)[0].unlink()
        told = "\n".join(server.statements)
        for part in ("transaction read only", "time_zone = '+08:00'", limit):
            assert part in told


def test_the_window_is_part_of_the_question(
    home: Home, start: Any, make_source: Any, fetch_night: FetchNight
) -> None:
    server = start([(b"A1", b"1.00", b"2026-03-05 01:00:00")])
    contract = make_source(server.port, incrementalBy="changed_at")
    fetch_night(home, contract, DAY)
    fetch_night(home, contract, DAY + timedelta(days=1))
    first, second = (s for s in server.statements if s.startswith("select") and "limit" not in s)
    assert "(`更新时间` < date '2026-03-06') or `更新时间` is null" in first
    assert "`更新时间` >= timestamp '2026-03-05 01:00:00' and" in second


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"password": "other"}, "access_denied"),
        ({"error": (1146, "Table 'water.meter' doesn't exist")}, "query_failed.*water.meter"),
        ({"error": (1142, "SELECT command denied to user 'clerk'")}, "access_denied"),
        ({"error": (3024, "maximum statement execution time exceeded")}, "query_timeout"),
        ({"error": (1292, "Truncated incorrect value: '371302199001011234'")}, "query_failed"),
        ({"cut_after": 1}, "connection_lost"),
        ({"columns": FIELDS[:2]}, "wrong_header.*更新时间"),
        ({"columns": [FIELDS[0], ("金额", BLOB, BINARY), FIELDS[2]]}, "unsupported_type.*金额"),
    ],
)
def test_each_obstacle_is_told_apart_and_nothing_leaks(
    home: Home, start: Any, make_source: Any, options: dict[str, Any], rule: str
) -> None:
    """MySQL's text names users and quotes values; neither may reach a receipt."""
    server = start(**options)
    contract = make_source(server.port)
    with pytest.raises(FetchError, match=rule):
        fetch.fetch(home, contract, DAY)
    fetch.before_door(home, contract, DAY)
    (receipt,) = store.read_receipts(home.raw, "water", "meter")
    assert receipt.status == "refused"
    for secret in ("clerk", "right", "3713021990"):
        assert secret not in (receipt.reason or "")
    assert not list(home.landing.glob("*/*"))


def test_nobody_listens(home: Home, make_source: Any) -> None:
    with pytest.raises(FetchError, match="connection_refused"):
        fetch.fetch(home, make_source(free_port()), DAY)


REAL = os.environ.get("YISHU_TEST_MYSQL", "")


@pytest.mark.skipif(
    not REAL, reason="set YISHU_TEST_MYSQL=mysql://user:password@host:port/database"
)
def test_a_real_server_answers_alike(
    home: Home, make_source: Any, fetch_night: FetchNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SQL itself: quoting, windows, zero dates, read-only session."""
    parts = urlsplit(REAL)
    database = parts.path.strip("/")
    monkeypatch.setenv("TEST_DB_USER", parts.username or "")
    monkeypatch.setenv("TEST_DB_PASSWORD", parts.password or "")
    table = f"yishu_meter_{os.getpid()}"
    with pymysql.connect(host=parts.hostname, port=parts.port or 3306, user=parts.username,
                         password=parts.password or "", database=database, autocommit=True
                         ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute(f"create table {table} (number varchar(20), amount decimal(18, 2), "
                       "changed_at datetime) character set utf8mb4")  # fmt: skip
        try:
            cursor.execute(f"insert into {table} values ('甲', 9007199254740993.10, "
                           "'2026-03-05 01:00:00'), ('乙', null, null)")  # fmt: skip
            contract = make_source(
                parts.port or 3306, parts.hostname, database, incrementalBy="changed_at",
                query=QUERY.replace("from meter", f"from {table}"),
            )  # fmt: skip
            (first,) = fetch_night(home, contract, DAY)
            cursor.execute(f"insert into {table} values ('丙', 1, '2026-03-06 08:00:00')")
            (second,) = fetch_night(home, contract, DAY + timedelta(days=1))
            assert (first.rows_accepted, second.rows_accepted) == (2, 3)
        finally:
            cursor.execute(f"drop table {table}")
