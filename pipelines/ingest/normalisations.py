"""What the readings have changed in a delivery: per column, which kinds of change, how often.

Belongs here: telling the kinds apart by the delivered text, and counting them. Does not belong
here: the readings themselves (`readings`), the changed texts, which stay with their rows in
`_original` (`cast`), or reading the counts again (`normalisation_counts`). No value is ever kept
here.

Only texts that a reading changed are looked at; a plain text costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from pipelines.ingest import readings
from quality.contract import Column

OTHER = "other"
_TEXT = "text"
_DATED = ("date", "timestamp")
_TIME_ZONE = r":[0-9]{2}(\.[0-9]+)? ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"
_PLAIN_TIMESTAMP = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}([Zz]|[+-][0-9:]{2,5})?)?$"
)
_CURRENCY = r"元|圆|整|币|RMB|CNY|¥"
_UNIT = "[万亿]|百万|千万"
_NUMBER_PARSES = ("amount", "percent", "capital_amount")


class Normalisations:
    """The changes of one delivery, counted chunk by chunk."""

    def __init__(self) -> None:
        self._values: Counter[str] = Counter()
        self._kinds: dict[str, Counter[str]] = {}

    def add(self, column: Column, texts: pl.Series) -> None:
        """Count the delivered texts of a column that were read as something else."""
        if texts.is_empty():
            return
        kinds = dict(_kinds(column))
        frame = texts.alias(_TEXT).to_frame().select(**kinds)
        known = frame.select(pl.all().sum(), pl.any_horizontal(pl.all()).not_().sum().alias(OTHER))
        counts = {kind: count for kind, count in known.row(0, named=True).items() if count}
        self._values[column.name] += len(texts)
        self._kinds.setdefault(column.name, Counter()).update(counts)

    def found(self) -> dict[str, Any]:
        """Column → `values`, how many were changed, and `kinds`, how many show each kind.

        A value can show several: `￥１,２００` is full-width, has separators, and a currency.
        """
        return {
            column: {"values": self._values[column], "kinds": dict(sorted(kinds.items()))}
            for column, kinds in self._kinds.items()
        }


def _kinds(column: Column) -> Iterator[tuple[str, pl.Expr]]:
    """The kinds that a changed text of this column can show."""
    raw = pl.col(_TEXT)
    bare = raw.str.strip_chars(readings.SPACE)
    is_missing = bare.is_in(list(column.missing)) if column.missing else pl.lit(False)
    said = ~is_missing & (bare != "")
    yield "missing", is_missing
    yield "blank", bare == ""
    yield "space", said & (raw != bare)
    if column.logical_type == "string" and not column.parse:
        return
    folded = readings.fold(raw)
    yield "full_width", said & (bare.str.normalize("NFKC") != bare)
    yield "apostrophe", said & bare.str.normalize("NFKC").str.starts_with("'")
    for kind, shows in _own_kinds(column, folded):
        yield kind, said & shows


def _own_kinds(column: Column, text: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    if column.parse == "code":
        yield "lower_case", text != text.str.to_uppercase()
    elif column.parse == "capital_currency":
        yield "currency", pl.lit(True)
    elif column.logical_type in _DATED:
        yield from _kinds_of_dates(column, text)
    elif column.logical_type == "boolean":
        yield "word", ~text.is_in(["true", "false"])
    else:
        yield "thousands", text.str.contains(r"[0-9],[0-9]{3}")
        yield "leading_zeros", text.str.contains(r"^[-+]?0[0-9]")
        yield "exponent", text.str.contains(r"[0-9][eE][-+]?[0-9]")
        if column.parse in _NUMBER_PARSES:
            yield "currency", text.str.contains(_CURRENCY)
            yield "unit", _has_unit(column, text)
            yield "percent", text.str.contains("%", literal=True)


def _has_unit(column: Column, text: pl.Expr) -> pl.Expr:
    """Whether the number was counted in another unit than the column's, or the unit was named."""
    unit = text.str.contains(_UNIT)
    return unit | text.str.contains(_CURRENCY) if column.parse == "capital_amount" else unit


def _kinds_of_dates(column: Column, text: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    serial = text.str.contains(readings.SERIAL) | text.str.contains(readings.SERIAL_TIME)
    chinese = text.str.contains("年", literal=True)
    has_time = text.str.contains(r"[0-9日 T][0-9]{1,2}:[0-9]{2}") | text.str.contains("^[0-9]{14}$")
    yield "excel_serial", serial
    yield "chinese_date", chinese
    yield "time_zone", text.str.contains(_TIME_ZONE)
    if column.logical_type == "date":
        yield "midnight", has_time
        plain = text.str.contains("^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?$")
    else:
        yield "date_alone", ~has_time & ~serial
        plain = text.str.contains(_PLAIN_TIMESTAMP)
    yield "date_style", ~serial & ~chinese & ~plain
