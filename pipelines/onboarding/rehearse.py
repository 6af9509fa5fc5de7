"""A drafted contract against the rows that it was drafted from.

Belongs here: what the door would do with the sample. Does not belong here: loading it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.ingest.cast import cast
from pipelines.ingest.frames import DOOR_COLUMNS, column_name
from pipelines.ingest.validate import DeliveryColumns, Validator
from quality.contract import Contract

TOO_MANY = 0.05
"""From which share of refused rows on a drafted rule is the draft's fault, not the rows'."""
_OF_THE_FILE = ("row_shape", "readable_text")


@dataclass(frozen=True)
class Rehearsal:
    """What the door accepts of the sample, and which rules refuse or flag how many rows."""

    accepted: pl.DataFrame
    refused_rows: int
    refused: dict[str, int]
    flagged: dict[str, int]

    def doubtful(self, contract: Contract) -> dict[str, str]:
        """Column → rule, where a drafted rule refuses more rows than defects explain.

        A code that a spreadsheet has cut stays refused, however many there are: its digits are
        gone.
        """
        rows = self.accepted.height + self.refused_rows
        found: dict[str, str] = {}
        for rule in contract.rules_of("row"):
            if rule.rule_id in _OF_THE_FILE or rule.check == "whole_code":
                continue
            if self.refused.get(rule.rule_id, 0) > TOO_MANY * rows:
                found |= dict.fromkeys(rule.columns, rule.rule_id)
        return found


def rehearse(rows: pl.DataFrame, contract: Contract) -> Rehearsal:
    """Cast and judge the rows of a sample as the door would."""
    delivery = DeliveryColumns("rehearsal", date.today(), 1)
    texts = rows.select(*map(column_name, contract.headers), *DOOR_COLUMNS)
    kept, refused = Validator(contract, delivery).split(cast(texts, contract))
    names = [column.name for column in contract.columns]
    flags = pl.concat([kept["_flags"], refused["_flags"]])
    return Rehearsal(
        kept.select(names), refused.height, _counts(refused, "_rules"), _counts_of(flags)
    )


def _counts(rows: pl.DataFrame, column: str) -> dict[str, int]:
    return _counts_of(rows[column]) if column in rows.columns else {}


def _counts_of(joined: pl.Series) -> dict[str, int]:
    single = joined.drop_nulls().str.split(",").explode().alias("rule_id")
    counted = single.value_counts(sort=True)
    return dict(zip(counted["rule_id"].to_list(), counted["count"].to_list(), strict=True))
