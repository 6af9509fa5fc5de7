"""What a condition in SQL hangs on: the columns of the two rows that it compares, if nothing else.

Belongs here: reading a condition of `exists_where` as DuckDB parses it.
Does not belong here: running it (`relation_rules`); judging it when a contract is read
(`relation_lint`).

Only what is known to say the same of the same two rows on every night is let pass; all else, such
as the date, chance, a query or a function that is not listed, may hang on anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

_FUNCTIONS = frozenset(
    (
        "+", "-", "*", "/", "//", "%", "||", "~~", "!~~", "~~*", "!~~*",
        "abs", "concat", "contains", "date_diff", "date_trunc", "day", "ends_with", "floor",
        "greatest", "least", "left", "length", "lower", "month", "regexp_matches", "right", "round",
        "starts_with", "strftime", "substr", "substring", "trim", "upper", "year",
    )
)  # fmt: skip
_TYPES = frozenset(
    (
        "bigint",
        "boolean",
        "date",
        "decimal",
        "double",
        "integer",
        "smallint",
        "timestamp",
        "varchar",
    )
)
_CLASSES = frozenset(
    ("BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "OPERATOR")
)


def columns_of(
    connection: duckdb.DuckDBPyConnection, condition: str
) -> frozenset[tuple[str, str]] | None:
    """(`here` or `there`, column) of a condition; None where it may hang on something else too.

    Raises:
        duckdb.Error: the condition is no SQL.
    """
    row = connection.execute(
        "select json_serialize_sql('select (' || ? || ')')", [condition]
    ).fetchone()
    parsed = json.loads(row[0]) if row else {"error": True}
    if parsed["error"] or len(parsed["statements"]) != 1:
        return None
    columns = set()
    for part in _parts(parsed["statements"][0]["node"]["select_list"]):
        if part["class"] == "COLUMN_REF":
            if len(part["column_names"]) != 2 or part["column_names"][0] not in ("here", "there"):
                return None
            columns.add(tuple(part["column_names"]))
        elif not _is_plain(part):
            return None
    return frozenset(columns)


def _is_plain(part: dict[str, Any]) -> bool:
    if part["class"] == "FUNCTION":
        return part["function_name"] in _FUNCTIONS
    if part["class"] == "TYPE":
        return part["type_name"].lower() in _TYPES
    return part["class"] in _CLASSES


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Every expression of a parsed list, the outer ones first."""
    if isinstance(tree, list):
        for each in tree:
            yield from _parts(each)
    elif isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _parts(value)
