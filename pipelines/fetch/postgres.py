"""PostgreSQL → a delivery, streamed as Arrow through ADBC.

Belongs here: connection, types, errors of PostgreSQL. Does not belong here: what to ask (`query`).

The session is read-only, and the server itself writes each value as text, so that a numeric or a
time reads as PostgreSQL shows it; a time with a zone is told in the source's zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode

import polars as pl
import pyarrow as pa

from pipelines.fetch.credentials import credential
from pipelines.fetch.delivery import RowFile
from pipelines.fetch.error import FetchError, driver_missing
from pipelines.fetch.network import CONNECT_SECONDS, reach
from pipelines.fetch.query import check_headers, declared, narrowed, quoted, refuse_types
from pipelines.fetch.window import Window
from quality.contract import Contract
from quality.source import DatabaseSource

_BATCH_BYTES = 4 << 20
_UNTELLABLE = ("bytea", "record", "void")
_TELLABLE_CLASSES = ("42", "3D", "3F", "25")
"""SQLSTATE classes whose text names objects of the database, never a value of a row."""
_SERVER_ERROR = "PGRES_FATAL_ERROR"
"""libpq's own name for an error that the server reports while rows come."""
_STATES = {
    "28": ("access_denied", "用户名或密码不对，或该用户无权登录，请核对环境变量。"),
    "42501": ("access_denied", "该用户无权读取查询中的表，请由对方授权。"),
    "57014": ("query_timeout", "查询超过合同规定的时间，已取消。"),
    "22": ("query_failed", "查询在读取某行时出错，请在数据库上运行 query 查明（此处不显示数据）。"),
    "53": ("server_busy", "服务器资源不足（连接数、内存或磁盘），请稍后重试。"),
    "57": ("server_stopped", "服务器正在关闭或重启，请稍后重试。"),
    "08": ("connection_lost", "与服务器的连接中断，请检查网络后重试。"),
}


def fetch(
    source: DatabaseSource, contract: Contract, window: Window | None, day: date, rows: RowFile
) -> dict[str, Any]:
    """Run the declared query and write its rows.

    Returns:
        The facts of the fetch.

    Raises:
        FetchError: not reachable, not admitted, a wrong query, a wrong column.
    """
    reach(source.host, source.port)
    query = declared(source, day)
    with _cursor(source) as cursor:
        schema = cursor.adbc_execute_schema(query)
        check_headers(schema.names, contract)
        columns = [_as_text(schema.field(header), source) for header in contract.headers]
        cursor.execute(narrowed(query, columns, window, '"'))
        for batch in cursor.fetch_record_batch():
            frame = pl.from_arrow(batch)
            rows.append(frame if isinstance(frame, pl.DataFrame) else frame.to_frame())
    return {"source": "postgres", "rows": rows.rows}


@contextmanager
def _cursor(source: DatabaseSource) -> Iterator[Any]:
    try:
        from adbc_driver_postgresql import StatementOptions, dbapi
    except ImportError as error:
        raise driver_missing("adbc-driver-postgresql") from error
    begun = monotonic()
    try:
        with (
            dbapi.connect(_address(source)) as connection,
            connection.cursor(
                adbc_stmt_kwargs={StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(_BATCH_BYTES)}
            ) as cursor,
        ):
            yield cursor
    except (dbapi.Error, pa.ArrowException, OSError) as error:
        # Not chained: the driver's text may hold a value of a row, or the user.
        raise _failure(error, source, monotonic() - begun) from None


def _address(source: DatabaseSource) -> str:
    user = quote(credential(source.credentials, "USER"), safe="")
    password = quote(credential(source.credentials, "PASSWORD"), safe="")
    seconds = int(source.timeout_seconds * 1000)
    session = [f"-c statement_timeout={seconds}", "-c default_transaction_read_only=on",
               f"-c TimeZone={source.timezone}", "-c DateStyle=ISO", "-c IntervalStyle=iso_8601",
               "-c extra_float_digits=1"]  # fmt: skip
    if source.schema:
        session.append("-c search_path=" + source.schema.replace("\\", "\\\\").replace(" ", "\\ "))
    settings = {
        "connect_timeout": str(int(CONNECT_SECONDS)),
        "tcp_user_timeout": str(seconds),
        "keepalives_idle": "30",
        "application_name": "yishu",
        "sslmode": source.tls,
        "options": " ".join(session),
    }
    host = f"[{source.host}]" if ":" in source.host else source.host
    where = f"{host}:{source.port}/{quote(source.database, safe='')}"
    return f"postgresql://{user}:{password}@{where}?{urlencode(settings, quote_via=quote)}"


def _as_text(field: pa.Field, source: DatabaseSource) -> str:
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    if kind in _UNTELLABLE or kind.startswith("_"):
        refuse_types([(field.name, f"{kind[1:]}[]" if kind.startswith("_") else kind)])
    header = value = quoted(field.name, '"')
    if kind == "timestamptz":
        value = f"({header} at time zone '{source.timezone}')"
    return f"{value}::text as {header}"


def _failure(error: BaseException, source: DatabaseSource, seconds: float) -> FetchError:
    """The reason; of the server's own text only what names objects of the database is told.

    Args:
        error: of the driver; its SQLSTATE is missing before a session stands, and while rows
            come. There the text decides, as far as it does not depend on the server's language.
        source: whose time limit may have run out.
        seconds: that the fetch has taken.
    """
    state, text = str(getattr(error, "sqlstate", None) or ""), str(error)
    for prefix in (state, state[:2]) if state else ():
        if prefix in _STATES:
            return FetchError(*_STATES[prefix])
    if state:
        told = f"（{_server_text(text)}）" if state[:2] in _TELLABLE_CLASSES else ""
        message = f"数据库拒绝了查询，SQLSTATE {state}{told}，请更正合同中的 query。"
        return FetchError("query_failed", message)
    if "Failed to connect" in text:
        return _failure_to_connect(text)
    if _SERVER_ERROR in text:
        return FetchError(*_STATES["57014" if seconds >= source.timeout_seconds else "22"])
    return FetchError(*_STATES["08"])


def _failure_to_connect(text: str) -> FetchError:
    """The server could be reached (see `reach`), so most often it is the server that refuses."""
    if "does not exist" in text and "database" in text:
        return FetchError("no_database", "服务器上没有合同所写的数据库，请更正 database。")
    if "SSL" in text or "certificate" in text:
        return FetchError("tls", "无法建立加密连接，请核对合同中的 tls 与服务器证书。")
    if "timeout" in text or "closed the connection" in text:
        return FetchError(*_STATES["08"])
    message = (
        "服务器拒绝登录，请依次核对环境变量中的用户和密码、合同中的 database、对方的访问许可。"
    )
    return FetchError("access_denied", message)


def _server_text(text: str) -> str:
    """The server's first line: `relation "x" does not exist`."""
    return text.split("ERROR:", 1)[-1].strip().splitlines()[0]
