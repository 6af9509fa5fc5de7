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


REAL = urlsplit(os.environ.get("YISHU_TEST_MYSQL", ""))
needs_real = pytest.mark.skipif(
    not REAL.hostname, reason="set YISHU_TEST_MYSQL=mysql://user:password@host:port/database"
)


@pytest.fixture
def real(make_source: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str, Any]]:
    """A cursor on the real server, the name of a table there, and contracts that ask it."""
    monkeypatch.setenv("TEST_DB_USER", REAL.username or "")
    monkeypatch.setenv("TEST_DB_PASSWORD", REAL.password or "")
    where = {"host": REAL.hostname, "port": REAL.port or 3306, "database": REAL.path.strip("/")}
    table = f"yishu_meter_{os.getpid()}"

    def source(query: str, **custom: Any) -> Contract:
        return make_source(**where, query=query.replace("meter", table), **custom)

    with pymysql.connect(user=REAL.username, password=REAL.password or "", autocommit=True,
                         **where) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("set session time_zone = '+08:00', sql_mode = ''")
        try:
            yield cursor, table, source
        finally:
            cursor.execute(f"drop table if exists {table}")


@needs_real
def test_a_real_server_answers_alike(home: Home, real: Any, fetch_night: FetchNight) -> None:
    """The SQL itself: quoting, windows, read-only session."""
    cursor, table, source = real
    cursor.execute(f"create table {table} (number varchar(20), amount decimal(18, 2), "
                   "changed_at datetime) character set utf8mb4")  # fmt: skip
    cursor.execute(f"insert into {table} values ('甲', 9007199254740993.10, "
                   "'2026-03-05 01:00:00'), ('乙', null, null)")  # fmt: skip
    contract = source(QUERY, incrementalBy="changed_at")
    (first,) = fetch_night(home, contract, DAY)
    cursor.execute(f"insert into {table} values ('丙', 1, '2026-03-06 08:00:00')")
    (second,) = fetch_night(home, contract, DAY + timedelta(days=1))
    assert (first.rows_accepted, second.rows_accepted) == (2, 3)


@needs_real
def test_every_type_of_a_real_server_comes_as_the_text_it_shows(home: Home, real: Any) -> None:
    """A driver's own conversion would round, shift a zone, or fail on a zero date."""
    cursor, table, source = real
    values = {
        "bigint unsigned": "18446744073709551615",
        "decimal(38, 10)": "1234567890123456789012345678.1234567890",
        "double": "0.1",
        "date": "0000-00-00",
        "timestamp null": "2026-03-05 01:02:03",
        "datetime(6)": "2026-03-05 01:02:03.000004",
        "time": "-838:59:59",
        "year": "2026",
        "enum('甲', '乙')": "乙",
        "set('a', 'b')": "a,b",
        "tinyint(1)": "1",
        "text": '👨‍👩‍👧\n第二行,"x"',
        "json": '{"a": 1.10}',
        "varchar(20) character set gbk": "沂河",
    }
    columns = ", ".join(f"c{place} {kind}" for place, kind in enumerate(values))
    cursor.execute(f"create table {table} ({columns}) character set utf8mb4")
    marks = ", ".join(["%s"] * len(values))
    cursor.execute(f"insert into {table} values ({marks})", list(values.values()))
    for place, text in enumerate(values.values()):
        query = f"select c{place} as `编号`, null as `金额`, null as `更新时间` from meter"
        (path,) = fetch.fetch(home, source(query), DAY)
        with path.open(encoding="utf-8", newline="") as file:
            assert list(csv.reader(file))[1][0] == text
        path.unlink()


@needs_real
@pytest.mark.parametrize(
    ("query", "custom", "rule"),
    [
        ("select 1 as `编号` from meter", {}, "wrong_header.*金额"),
        (QUERY.replace("meter", "nowhere_at_all"), {}, "query_failed.*nowhere_at_all"),
        (QUERY.replace("from", "frm"), {}, "query_failed"),
        (QUERY.replace("number as", "cast(number as binary) as"), {}, "unsupported_type.*编号"),
        (QUERY.replace("amount as", "sleep(3) as"), {"timeoutSeconds": 1}, "query_timeout"),
        (f"{QUERY} for update", {}, "query_failed"),
    ],
)
def test_a_real_server_s_obstacles_are_told_apart(
    home: Home, real: Any, query: str, custom: dict[str, Any], rule: str
) -> None:
    cursor, table, source = real
    cursor.execute(f"create table {table} (number int, amount int, changed_at datetime)")
    cursor.execute(f"insert into {table} values (1, 2, null)")
    with pytest.raises(FetchError, match=rule) as failure:
        fetch.fetch(home, source(query, **custom), DAY)
    assert "\n" not in str(failure.value)


@needs_real
def test_a_real_server_refuses_a_wrong_password(
    home: Home, real: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DB_PASSWORD", "wrong")
    with pytest.raises(FetchError, match="access_denied"):
        fetch.fetch(home, real[2](QUERY), DAY)
