"""Typed rows → totals that stand among their parts: a city's row beside those of its counties.

Belongs here: finding such a row by evidence, and the rule that it must equal the sum. Does not
belong here: rows of sums below a table, which the door leaves out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.onboarding.keys import Key
from pipelines.onboarding.kind import Kind

_FEWEST_GROUPS, _FEWEST_PARTS = 3, 3
_MOST_VALUES = 200
_NAMES = ("words", "category", "division", "organisation", "code")
_SMALLEST = 0.01
_EXACT = 1e-8
"""Up to this share of the smallest total a difference is the arithmetic of floats."""


@dataclass(frozen=True)
class Total:
    """In every group of `group`, the row whose `part` is `whole` is the sum of the others."""

    measure: str
    part: str
    whole: str
    group: tuple[str, ...]
    groups: int
    """In how many groups it was seen to hold."""
    tolerance: float


def find(
    rows: pl.DataFrame, names: Sequence[str], kinds: Sequence[Kind], levels: Sequence[str], key: Key
) -> list[Total]:
    """The totals that hold in every group of a sample, by column of the key and measure.

    Args:
        rows: the typed rows that are accepted, with one column a name.
        levels: of a column above L2 no value is told, so that no total of it is.
    """
    keyed = [names[position] for position in key.positions]
    measures = [
        name for name, kind in zip(names, kinds, strict=True)
        if kind.logical in ("integer", "number") and kind.name in ("number", "amount")
        and name not in keyed
    ]  # fmt: skip
    found: list[Total] = []
    for position in key.positions:
        part, group = names[position], tuple(n for n in keyed if n != names[position])
        if kinds[position].name not in _NAMES or levels[position] > "L2" or not group:
            continue
        if not _FEWEST_PARTS < rows[part].n_unique() <= _MOST_VALUES:
            continue
        for measure in measures:
            total = _total(rows, measure, part, group, _unit(kinds[names.index(measure)]))
            if total:
                found.append(total)
    return found


def _unit(kind: Kind) -> float:
    """The last place that a number of this type shows; 0 of a float, which shows none."""
    scale = re.search(r", ([0-9]+)\)", kind.physical)
    if kind.logical == "integer":
        return 1.0
    return 10.0 ** -int(scale[1]) if scale else 0.0


def _total(
    rows: pl.DataFrame, measure: str, part: str, group: tuple[str, ...], unit: float
) -> Total | None:
    """The one value of `part` that is the greatest of each group and the sum of the rest.

    Parts and total may each be rounded by half of the last place, and no more.
    """
    number = pl.col(measure).cast(pl.Float64)
    tops = rows.group_by(group).agg(
        pl.col(part).get(number.arg_max()).alias("whole"),
        number.max().alias("total"),
        (number.sum() - 2 * number.max()).abs().alias("difference"),
        (pl.len() - 1).alias("parts"),
        number.null_count().alias("missing"),
    )
    if tops.height < _FEWEST_GROUPS or tops["whole"].n_unique() != 1 or tops["missing"].sum():
        return None
    if int(tops["parts"].min()) < _FEWEST_PARTS:  # type: ignore[arg-type]
        return None
    least, most = float(tops["total"].min()), float(tops["difference"].max())  # type: ignore[arg-type]
    rounding = (int(tops["parts"].max()) + 1) * unit / 2  # type: ignore[arg-type]
    if most > max(rounding, _EXACT * least):
        return None
    tolerance = max(_SMALLEST, 10.0 ** math.ceil(math.log10(2 * most)) if most else 0.0)
    return Total(measure, part, str(tops["whole"][0]), group, tops.height, tolerance)


def query(total: Total) -> str:
    """How many groups break the rule, on `{object}`; one without its total or its parts does."""
    whole = "'" + total.whole.replace("'", "''") + "'"
    grouped = ", ".join(total.group)
    return (
        f"select count(*) from (select {grouped},"
        f" sum({total.measure}) filter (where {total.part} = {whole}) as whole,"
        f" sum({total.measure}) filter (where {total.part} <> {whole}) as parts"
        f" from {{object}} group by {grouped}) as sums"
        f" where whole is null or parts is null or abs(whole - parts) > {total.tolerance:g}"
    )
