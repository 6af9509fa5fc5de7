"""Typed rows → columns of one row that say the same: a birth date or sex and a resident number.

Belongs here: trying the row rules about resident numbers on a sample. Does not belong here: the
rules themselves (`quality.row_rules`), or what several rows say together (`totals`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import CHECKED, RuleDraft
from pipelines.onboarding.propose import ColumnDraft
from quality.contract import Rule
from quality.row_rules import verdict

_FEWEST = 20
"""Rows on which a pair must have been judged."""
_PAIRS = {
    "birth_date_agrees": ("birth", "date", "与公民身份号码中的出生日期不一致，请核对后更正。"),
    "sex_agrees": ("sex", "varchar", "与公民身份号码第17位不一致，请核对后更正。"),
}


def find(rows: pl.DataFrame, columns: Sequence[ColumnDraft]) -> list[ColumnDraft]:
    """The columns, with a rule where nearly all rows agree with one resident number.

    Which of several numbers a birth date belongs to, the child's or the guardian's, only the
    rows can say.
    """
    numbers = [column.name for column in columns if column.kind.name == "resident_number"]
    return [_with_rule(rows, column, numbers) for column in columns]


def _with_rule(rows: pl.DataFrame, column: ColumnDraft, numbers: Sequence[str]) -> ColumnDraft:
    for check, (hint, physical, message) in _PAIRS.items():
        if not Header(column.header).hints(hint) or column.kind.physical != physical:
            continue
        shares = {number: _share(rows, check, column.name, number) for number in numbers}
        best = max(numbers, key=shares.__getitem__, default="")
        if best and shares[best] >= CHECKED:
            rule = RuleDraft(
                "agrees_with_number", f"{check}({best})", "consistency", "error", message
            )
            return replace(column, kind=replace(column.kind, rules=(*column.kind.rules, rule)))
    return column


def _share(rows: pl.DataFrame, check: str, name: str, number: str) -> float:
    """Share of the judged rows that agree; 0 where too few were judged."""
    rule = Rule(check, "row", check, "consistency", "error", "", (name, number), (number,))
    judged = rows.select(verdict(rule, date.min)).to_series().drop_nulls()
    return float(judged.mean()) if len(judged) >= _FEWEST else 0.0  # type: ignore[arg-type]
