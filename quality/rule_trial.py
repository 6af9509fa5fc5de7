"""A trial of each row rule on two made-up rows, before any delivery meets it.

Belongs here: finding out that a rule cannot run on its columns' types, so that the lint says
so and not a night. Does not belong here: what a rule means (`row_rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from quality.contract import Column, Rule
from quality.row_rules import uncast_marker, verdict
from quality.sql_types import polars_type

_DAY = date(2026, 1, 1)
_EXAMPLES = {
    "string": "文",
    "date": _DAY,
    "timestamp": datetime(2026, 1, 1),
    "integer": 1,
    "number": Decimal(0),
    "boolean": True,
}


def rows_to_try(columns: Sequence[Column]) -> pl.DataFrame:
    """One row of values and one of nulls, typed as the door types them."""
    values = {
        c.name: pl.Series([_EXAMPLES[c.logical_type], None], dtype=polars_type(c.sql_type))
        for c in columns
    }
    markers = {uncast_marker(c.name): pl.Series([False, False]) for c in columns}
    return pl.DataFrame(values | markers)


def obstacle(rule: Rule, rows: pl.DataFrame) -> str | None:
    """Why a row rule cannot judge rows of these types, in words; None where it can."""
    try:
        verdicts = rows.select(verdict(rule, _DAY)).to_series()
    except pl.exceptions.PolarsError as error:
        return f"cannot run on the types of its columns: {str(error).splitlines()[0]}"
    if verdicts.dtype != pl.Boolean or len(verdicts) != rows.height:
        return "must say true or false for every row"
    return None
