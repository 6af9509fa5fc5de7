"""Contract → Pandera schema, and one chunk of rows → what each row fails.

Belongs here: judging rows with Pandera on Polars.
Does not belong here: what a rule means (`row_rules`), reading or storing rows (the door).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl

from quality.contract import Contract, Rule
from quality.row_rules import uncast_marker, verdict
from quality.sql_types import polars_type

# Pandera skips data checks on lazy frames unless told otherwise; say it before the import.
os.environ.setdefault("PANDERA_VALIDATION_DEPTH", "SCHEMA_AND_DATA")

import pandera.polars as pa

INDEX = "_index"
"""Position of a row in its chunk; a name that no contract can use."""
_CASE = "index"
"""What Pandera calls it."""

RAGGED = "_ragged"
"""Name of the Boolean that the door sets where a row has too few or too many values."""


def row_schema(contract: Contract, business_date: date) -> pa.DataFrameSchema:
    """The schema of one chunk: each column's type, and one named check per row rule."""
    columns = {c.name: pa.Column(polars_type(c.sql_type), nullable=True) for c in contract.columns}
    markers = [uncast_marker(c.name) for c in contract.columns] + [RAGGED]
    columns |= {name: pa.Column(pl.Boolean, nullable=False) for name in markers}
    checks = [
        pa.Check(_check(rule, business_date), name=rule.rule_id)
        for rule in contract.rules_of("row")
    ]
    return pa.DataFrameSchema(columns, checks=checks, strict=False, name=contract.table)


def _check(rule: Rule, business_date: date) -> Callable[[Any], pl.LazyFrame]:
    expression = verdict(rule, business_date).fill_null(True)

    def holds(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(expression)

    return holds


def failures(schema: pa.DataFrameSchema, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """What each row of a chunk fails.

    Args:
        schema: from `row_schema` for the same contract.
        contract: names the columns of each rule.
        rows: typed columns, one `…__uncast` marker each, and `_ragged`.

    Returns:
        Columns `_index` (position in `rows`, uint32) and `rule_id`, one row a finding. A row
        whose shape is broken fails that rule alone, and a garbled row fails no other rule on
        its texts: one cause, one finding.

    Raises:
        pandera.errors.SchemaErrors: the chunk has not the declared columns or types; that is
            a fault of the door, not of the data.
    """
    try:
        schema.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if cases.filter(pl.col(_CASE).is_null()).height:
            raise
        found = cases.select(
            pl.col(_CASE).cast(pl.UInt32).alias(INDEX), pl.col("check").alias("rule_id")
        ).unique(maintain_order=True)
        return _one_finding_a_cause(found, contract)
    return pl.DataFrame(schema={INDEX: pl.UInt32, "rule_id": pl.String})


def _one_finding_a_cause(found: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    text_columns = {c.name for c in contract.columns if c.logical_type == "string"}
    on_texts = [
        rule.rule_id
        for rule in contract.rules_of("row")
        if rule.rule_id != "readable_text" and set(rule.columns) & text_columns
    ]
    misshapen = found.filter(pl.col("rule_id") == "row_shape")[INDEX]
    garbled = found.filter(pl.col("rule_id") == "readable_text")[INDEX]
    follows_shape = pl.col(INDEX).is_in(misshapen.implode()) & (pl.col("rule_id") != "row_shape")
    follows_garbling = pl.col(INDEX).is_in(garbled.implode()) & pl.col("rule_id").is_in(on_texts)
    kept = found.filter(~follows_shape & ~follows_garbling)
    for rule in contract.rules_of("row"):
        if rule.check == "whole_code":
            kept = _without_followers(kept, rule, contract)
    return kept


def _without_followers(found: pl.DataFrame, cause: Rule, contract: Contract) -> pl.DataFrame:
    """Without the findings on a column where `cause` already says what is wrong with it."""
    rows = found.filter(pl.col("rule_id") == cause.rule_id)[INDEX]
    if not len(rows):
        return found
    followers = [
        rule.rule_id
        for rule in contract.rules_of("row")
        if rule.rule_id != cause.rule_id and cause.columns[0] in rule.columns
    ]
    follows = pl.col(INDEX).is_in(rows.implode()) & pl.col("rule_id").is_in(followers)
    return found.filter(~follows)
