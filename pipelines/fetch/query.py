"""The SQL that is sent to a database: the contract's query, narrowed to a window.

Belongs here: text alone. Does not belong here: a connection (`postgres`, `mysql`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pipelines.fetch.error import FetchError
from pipelines.fetch.window import Window
from quality.contract import Contract
from quality.source import DatabaseSource


def declared(source: DatabaseSource, business_date: date) -> str:
    """The contract's query with the business date in its place."""
    return source.query.replace("{business_date}", f"date '{business_date.isoformat()}'")


def narrowed(query: str, columns: Iterable[str], window: Window | None, mark: str) -> str:
    """`columns` (SQL expressions) of the query, for the rows of the window.

    Args:
        query: one select.
        columns: what to select of it.
        window: None asks for all rows.
        mark: the quotation mark of identifiers.
    """
    text = f"select {', '.join(columns)} from (\n{query}\n) as delivery"
    if window is not None:
        text += f"\nwhere {window.condition(quoted(window.column.header, mark))}"
    return text


def quoted(name: str, mark: str) -> str:
    """An identifier in quotation marks."""
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def check_headers(found: Iterable[str], contract: Contract) -> None:
    """The query must give a column for each header of the contract.

    Raises:
        FetchError: names the headers that are missing.
    """
    given = set(found)
    missing = [header for header in contract.headers if header not in given]
    if missing:
        message = f"查询结果缺少列：{'、'.join(missing)}。请在合同的 query 中用 as 给出这些列名。"
        raise FetchError("wrong_header", message)


def refuse_types(columns: Iterable[tuple[str, str]]) -> None:
    """Columns that have no text of their own are named, not guessed at.

    Raises:
        FetchError: `columns` (header, type) is not empty.
    """
    named = "、".join(f"{header}（{kind}）" for header, kind in columns)
    if named:
        message = f"查询结果中有无法写成文本的列：{named}。请在 query 中转换或去掉。"
        raise FetchError("unsupported_type", message)
