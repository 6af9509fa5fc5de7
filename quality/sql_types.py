"""The physical types that a contract may name, and the names that SQL keeps for itself.

Belongs here: which types hold which logical type, and their Polars counterparts.
Does not belong here: reading a text as its type (`pipelines.ingest.cast`).
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

LOGICAL_TYPES: dict[str, str] = {
    "string": r"varchar",
    "date": r"date",
    "timestamp": r"timestamp",
    "integer": r"(integer|bigint)",
    "number": r"(double|decimal\((\d+),\s*(\d+)\))",
    "boolean": r"boolean",
}
"""Logical type → pattern of the physical types that may stand for it."""

LARGEST_PRECISION = 38


def obstacle(logical: str, physical: str) -> str | None:
    """Why a physical type cannot hold a logical type, in words; None where it can."""
    match = re.fullmatch(LOGICAL_TYPES[logical], physical)
    if not match:
        return f"physicalType {physical!r} does not hold a {logical}"
    if physical.startswith("decimal"):
        precision, scale = int(match[2]), int(match[3])
        if not scale <= precision <= LARGEST_PRECISION or precision == 0:
            return (
                f"physicalType {physical!r}: precision must be 1 to {LARGEST_PRECISION} and "
                "scale at most the precision"
            )
    return None


def polars_type(sql_type: str) -> pl.DataType:
    """The Polars type of a contract's physical type.

    Raises:
        KeyError: a physical type that the contract lint does not admit.
    """
    if sql_type.startswith("decimal"):
        precision, scale = sql_type.removeprefix("decimal(").rstrip(")").split(",")
        return pl.Decimal(int(precision), int(scale))
    return {
        "varchar": pl.String(),
        "date": pl.Date(),
        "timestamp": pl.Datetime("us"),
        "integer": pl.Int32(),
        "bigint": pl.Int64(),
        "double": pl.Float64(),
        "boolean": pl.Boolean(),
    }[sql_type]


def widens(old: pl.DataType, new: pl.DataType) -> bool:
    """Whether every value of one type is a value of the other, which a cast gives unchanged.

    A number made a text is none: `007` that was read as 7 would come out as `7`.
    """
    if old == new:
        return True
    if isinstance(new, pl.Decimal):
        digits = _digits(old)
        return digits is not None and all(
            wide >= narrow for wide, narrow in zip(_digits(new) or (), digits, strict=True)
        )
    if old == pl.Int32():
        return new == pl.Int64() or new == pl.Float64()
    return old == pl.Date() and new == pl.Datetime("us")


def _digits(kind: pl.DataType) -> tuple[int, int] | None:
    """Digits before and behind the point that a number may have; None of what is not exact."""
    if isinstance(kind, pl.Decimal):
        return (kind.precision or LARGEST_PRECISION) - kind.scale, kind.scale
    if kind == pl.Int32():
        return 10, 0
    return (19, 0) if kind == pl.Int64() else None


@cache
def reserved_words() -> frozenset[str]:
    """The words that the warehouse does not take as the name of a column."""
    import duckdb

    with duckdb.connect() as connection:
        words = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
        ).fetchall()
    return frozenset(word for (word,) in words)
