"""Contract → Pandera schema, and one chunk of rows → what each row fails.

Belongs here: judging rows with Pandera on Polars.
Does not belong here: what a rule means (`row_rules`), reading or storing rows (the door).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from quality.contract import Contract, Rule
from quality.row_rules import uncast_marker, verdict
from quality.sql_types import polars_type
from quality.text_bytes import remembering

# Pandera skips data checks on lazy frames unless told otherwise; say it before the import.
os.environ.setdefault("PANDERA_VALIDATION_DEPTH", "SCHEMA_AND_DATA")

import pandera.polars as pa

INDEX = "_index"
"""Position of a row in its chunk; a name that no contract can use."""
_CASE = "index"
"""What Pandera calls it."""

RAGGED = "_ragged"
"""Name of the Boolean that the door sets where a row has too few or too many values."""


@dataclass(frozen=True)
class RowSchema:
    """What Pandera judges of one chunk: the types of its columns, and one check per row rule."""

    types: pa.DataFrameSchema
    rules: dict[str, pa.Column]
    """One Boolean column per rule, with the check of the rule's name."""
    verdicts: tuple[pl.Expr, ...]
    """One Boolean column per rule, named by its id; all are worked out in one pass."""
    markers: tuple[str, ...]
    """The Boolean columns that are never null."""
    sound: list[pl.Schema] = field(default_factory=list)
    """Columns and types that Pandera has passed: a delivery has the same in all its chunks."""


def row_schema(contract: Contract, business_date: date) -> RowSchema:
    """The schemas of one dataset's rows on one business date."""
    columns = {c.name: pa.Column(polars_type(c.sql_type), nullable=True) for c in contract.columns}
    markers = [uncast_marker(c.name) for c in contract.columns] + [RAGGED]
    columns |= {name: pa.Column(pl.Boolean, nullable=False) for name in markers}
    rules = contract.rules_of("row")
    holds = {
        rule.rule_id: pa.Column(pl.Boolean, pa.Check.equal_to(True, name=rule.rule_id))
        for rule in rules
    }
    return RowSchema(
        types=pa.DataFrameSchema(columns, strict=False, name=contract.table),
        rules=holds,
        verdicts=tuple(verdict(rule, business_date).fill_null(True) for rule in rules),
        markers=tuple(markers),
    )


def failures(schema: RowSchema, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
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
    unmarked = any(rows[name].null_count() for name in schema.markers if name in rows.columns)
    if unmarked or rows.schema not in schema.sound:
        schema.types.validate(rows, lazy=True)
        schema.sound.append(rows.schema)
    with remembering():
        verdicts = rows.select(schema.verdicts)
    # Asking Pandera costs milliseconds a rule; a rule that every row of the chunk passes need
    # not be asked about.
    doubtful = [name for name in verdicts.columns if not verdicts[name].all()]
    if not doubtful:
        return pl.DataFrame(schema={INDEX: pl.UInt32, "rule_id": pl.String})
    rules = pa.DataFrameSchema({name: schema.rules[name] for name in doubtful})
    try:
        rules.validate(verdicts.select(doubtful), lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if cases[_CASE].null_count():
            raise
        found = cases.select(
            pl.col(_CASE).cast(pl.UInt32).alias(INDEX), pl.col("column").alias("rule_id")
        )
        return _one_finding_a_cause(found, contract)
    raise AssertionError(f"{contract.name}: Pandera passes what {', '.join(doubtful)} refuse")


def _one_finding_a_cause(found: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    causes = {"row_shape", "readable_text"}
    causes |= {rule.rule_id for rule in contract.rules_of("row") if rule.check == "whole_code"}
    if not found["rule_id"].is_in(causes).any():
        return found
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
