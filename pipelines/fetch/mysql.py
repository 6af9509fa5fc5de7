"""MySQL or MariaDB → a delivery, row by row through PyMySQL's server-side cursor.

Belongs here: connection, types, errors of MySQL. Does not belong here: what to ask (`query`).

MySQL's text protocol carries each value as text already; it is passed on as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.fetch.credentials import credential
from pipelines.fetch.delivery import RowFile
from pipelines.fetch.error import FetchError, driver_missing
from pipelines.fetch.network import CONNECT_SECONDS, reach
from pipelines.fetch.query import check_headers, declared, narrowed, quoted, refuse_types
from pipelines.fetch.window import Window
from quality.contract import Contract
from quality.source import DatabaseSource

_CHUNK_ROWS = 10_000
_ERRORS = {
    1044: ("access_denied", "该用户无权使用合同所写的数据库，请由对方授权。"),
    1045: ("access_denied", "用户名或密码不对，或该用户无权登录，请核对环境变量。"),
    1142: ("access_denied", "该用户无权读取查询中的表，请由对方授权。"),
    1143: ("access_denied", "该用户无权读取查询中的列，请由对方授权。"),
    1698: ("access_denied", "用户名或密码不对，或该用户无权登录，请核对环境变量。"),
    1049: ("no_database", "服务器上没有合同所写的数据库，请更正 database。"),
    1040: ("server_busy", "服务器连接数已满，请稍后重试。"),
    1969: ("query_timeout", "查询超过合同规定的时间，已取消。"),
    3024: ("query_timeout", "查询超过合同规定的时间，已取消。"),
    2006: ("connection_lost", "与服务器的连接中断，请检查网络后重试。"),
    2013: ("connection_lost", "与服务器的连接中断，请检查网络后重试。"),
    2026: ("tls", "无法建立加密连接，请核对合同中的 tls 与服务器证书。"),
}
_TELLABLE = (1052, 1054, 1060, 1064, 1146)
"""Wrong names and syntax: the text of these quotes the query, never a value of a row."""


def fetch(
    source: DatabaseSource, contract: Contract, window: Window | None, day: date, rows: RowFile
) -> dict[str, Any]:
    """Run the declared query and write its rows.

    Returns:
        The facts of the fetch.

    Raises:
        FetchError: not reachable, not admitted, a wrong query, a wrong column.
    """
    try:
        from pipelines.fetch.mysql_stream import streaming
    except ImportError as error:
        raise driver_missing("PyMySQL") from error
    reach(source.host, source.port)
    query = declared(source, day)
    columns = [quoted(header, "`") for header in contract.headers]
    with _connection(source, day) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"select * from (\n{query}\n) as delivery limit 0")
            check_headers([item[0] for item in cursor.description], contract)
        with streaming(connection) as cursor:
            cursor.execute(narrowed(query, columns, window, "`"))
            while chunk := cursor.fetchmany(_CHUNK_ROWS):
                refuse_types(_binary(contract.headers, chunk))
                rows.append_records(chunk)
    return {"source": "mysql", "rows": rows.rows}


@contextmanager
def _connection(source: DatabaseSource, day: date) -> Iterator[Any]:
    import pymysql
    from pymysql.converters import encoders

    settings = {
        "host": source.host,
        "port": source.port,
        "user": credential(source.credentials, "USER"),
        "password": credential(source.credentials, "PASSWORD"),
        "database": source.database,
        "charset": "utf8mb4",
        "connect_timeout": int(CONNECT_SECONDS),
        "read_timeout": source.timeout_seconds,
        "write_timeout": source.timeout_seconds,
        "conv": encoders,  # and no decoders: values stay the texts that they came as
        "local_infile": False,
        "ssl_disabled": source.tls == "disable",
    }
    if source.tls == "require":
        settings["ssl"] = {"check_hostname": False, "verify_mode": "none"}
    if source.tls == "verify-full":
        settings |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
    connection = None
    try:
        connection = pymysql.connect(**settings)
        _prepare(connection, source, day)
        yield connection
    except (pymysql.MySQLError, OSError) as error:
        raise _failure(error) from None  # the driver's text may hold a row's value or the user
    finally:
        if connection is not None:
            with suppress(pymysql.MySQLError, OSError):
                connection.close()


def _prepare(connection: Any, source: DatabaseSource, day: date) -> None:
    """Read-only, in the source's zone, with a time limit that the server itself keeps."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(source.timezone))
    offset = noon.strftime("%z")
    if "mariadb" in str(connection.get_server_info()).lower():
        limit = f"max_statement_time = {source.timeout_seconds}"
    else:
        limit = f"max_execution_time = {int(source.timeout_seconds * 1000)}"
    with connection.cursor() as cursor:
        cursor.execute("set session transaction read only")
        cursor.execute(f"set session time_zone = '{offset[:3]}:{offset[3:]}'")
        cursor.execute(f"set session {limit}")


def _binary(headers: Sequence[str], chunk: Sequence[Sequence[Any]]) -> list[tuple[str, str]]:
    """The columns that hold bytes (blob, binary, bit): those have no text."""
    values = zip(*chunk, strict=True)
    return [
        (header, "binary")
        for header, column in zip(headers, values, strict=True)
        if any(isinstance(value, bytes) for value in column)
    ]


def _failure(error: BaseException) -> FetchError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if isinstance(error, TimeoutError):
        return FetchError(*_ERRORS[3024])
    if number in _ERRORS:
        return FetchError(*_ERRORS[number])
    if number == 0 or 2000 <= number < 3000:
        return FetchError(*_ERRORS[2013])
    told = f"（{' '.join(str(error.args[1]).split())}）" if number in _TELLABLE else ""
    message = f"数据库拒绝了查询，错误号 {number}{told}，请更正合同中的 query。"
    return FetchError("query_failed", message)
