"""Typed rows → accepted and quarantined rows, with reasons.

Belongs here: splitting a chunk by what Pandera found. Does not belong here: the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.ingest.parse import ROW
from quality.contract import META_COLUMNS, Contract
from quality.garbled_text import GARBLED_PATTERN
from quality.pandera_schemas import INDEX, failures, row_schema
from quality.text_bytes import everywhere

_NO_FLAGS = pl.lit(None, dtype=pl.String).alias("_flags")


@dataclass(frozen=True)
class DeliveryColumns:
    """What is the same for every row of a delivery."""

    delivery_id: str
    business_date: date
    sequence: int


class Validator:
    """Judges the chunks of one delivery by its contract."""

    def __init__(self, contract: Contract, delivery: DeliveryColumns) -> None:
        self._contract = contract
        self._schema = row_schema(contract, delivery.business_date)
        rules = contract.rules_of("row")
        self._order = {rule.rule_id: position for position, rule in enumerate(rules)}
        self._errors = [rule.rule_id for rule in rules if rule.severity == "error"]
        self._columns = {rule.rule_id: ",".join(rule.columns) for rule in rules}
        self._raw = [*(column.name for column in contract.columns), *META_COLUMNS]
        self._constants = [
            pl.lit(delivery.delivery_id).alias("_delivery_id"),
            pl.lit(delivery.business_date).alias("_business_date"),
            pl.lit(delivery.sequence, dtype=pl.Int64).alias("_sequence"),
        ]

    def split(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """One chunk from `cast` → accepted (the columns of a raw table), quarantined (all)."""
        rows = rows.with_row_index(INDEX).with_columns(self._constants)
        found = failures(self._schema, self._contract, rows)
        if not found.height:
            rows = rows.with_columns(_NO_FLAGS)
            return rows.select(self._raw), rows.clear()
        named = self._with_columns(found, rows).with_columns(
            pl.col("rule_id").replace_strict(self._order, return_dtype=pl.Int32).alias("order"),
            pl.col("rule_id").is_in(self._errors).alias("is_error"),
        )
        refused = _joined(named.filter("is_error"))
        flags = _joined(named.filter(~pl.col("is_error")))
        rows = rows.with_columns(_placed(rows.height, flags).alias("_flags"))
        keeps = everywhere(True, rows.height).scatter(refused[INDEX], False)
        # What was delivered is needed of the refused rows alone; to carry it along costs as much
        # as all the rest of a row. Both are in the order of the rows.
        quarantined = rows.filter(~keeps).hstack(refused.drop(INDEX))
        return (
            rows.select(self._raw).filter(keeps),
            quarantined.with_columns(_delivered_row().alias("_original")),
        )

    def _with_columns(self, found: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """Adds `columns`: those that the rule names, or of a garbled row those that are garbled."""
        declared = pl.col("rule_id").replace_strict(self._columns, return_dtype=pl.String)
        is_garbled = pl.col("rule_id") == "readable_text"
        if not (found["rule_id"] == "readable_text").any():
            return found.with_columns(declared.alias("columns"))
        texts = [c.name for c in self._contract.columns if c.logical_type == "string"]
        garbled = rows.join(found.filter(is_garbled), on=INDEX, how="semi").select(
            INDEX,
            pl.concat_str(
                [pl.when(pl.col(n).str.contains(GARBLED_PATTERN)).then(pl.lit(n)) for n in texts],
                separator=",",
                ignore_nulls=True,
            ).alias("garbled"),
        )
        return found.join(garbled, on=INDEX, how="left").with_columns(
            pl.when(is_garbled).then("garbled").otherwise(declared).alias("columns")
        )


def _placed(height: int, flags: pl.DataFrame) -> pl.Series:
    """The flags of a chunk's rows, null where a row has none."""
    nothing = pl.repeat(None, height, dtype=pl.String, eager=True)
    return nothing.scatter(flags[INDEX], flags["_rules"]) if flags.height else nothing


def _joined(named: pl.DataFrame) -> pl.DataFrame:
    """One row an index: `_rules` and `_columns`, comma-separated, in the contract's order."""
    joined = (
        named.sort(INDEX, "order")
        .group_by(INDEX, maintain_order=True)
        .agg(
            pl.col("rule_id").str.join(",").alias("_rules"),
            pl.col("columns").filter(pl.col("columns") != "").str.join(",").alias("_columns"),
        )
    )
    once = pl.col("_columns").str.split(",").list.unique(maintain_order=True).list.join(",")
    return joined.with_columns(once)


def _delivered_row() -> pl.Expr:
    """All texts of a row as a JSON object; of a misshapen row its fields under `_row`."""
    whole = pl.col("_texts").struct.json_encode()
    misshapen = pl.concat_str([pl.lit('{"_row":'), pl.col(ROW), pl.lit("}")])
    return pl.when(pl.col(ROW).is_not_null()).then(misshapen).otherwise(whole)
