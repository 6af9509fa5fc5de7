"""Text → the types of the contract, with a mark where a text cannot be read as its type.

Belongs here: the two ways of reading a chunk, and keeping what a reading has changed.
Does not belong here: the spellings of each type (`readings`), or whether a value is right
(`quality.row_rules`).

Nothing is guessed: a text that no reading fits becomes null with its marker
set, and the rule `<column>__type` refuses the row. Whatever reading changed is kept, as it
was delivered, in `_original`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.ingest import readings
from pipelines.ingest.frames import column_name
from pipelines.ingest.normalisations import Normalisations
from pipelines.ingest.parse import LINE, ROW
from quality.contract import Column, Contract
from quality.pandera_schemas import RAGGED
from quality.row_rules import uncast_marker
from quality.sql_types import polars_type
from quality.text_bytes import digits, everywhere, places, text_bytes

# Digits are written out: in Rust's patterns `\d` also means the digits of other scripts.
_PLAIN_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_PLAIN_TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_PLAIN_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"
_VALUE, _POSITION = "\0value", "\0position"
"""No header has a NUL (`header.clean`)."""
_PLAIN = "_plain_"


def cast(
    texts: pl.DataFrame, contract: Contract, normalisations: Normalisations | None = None
) -> pl.DataFrame:
    """Cast one chunk.

    Most values of a well-kept register need no reading: they are plain. Each column is first
    read as such, in one pass, and only what is not plain takes the patient way.

    Args:
        texts: a chunk from `parse.chunks`.
        contract: gives each column's header, type, reading and spellings of "missing".
        normalisations: counts what the readings change.

    Returns:
        Columns: every contract column typed; `<column>__uncast` Booleans; `_ragged`;
        `_line_number`; `_original` (JSON object column → delivered text, of changed values
        only; null where nothing changed); `_texts`, a struct of all delivered texts; `_row`.
    """
    named = pl.DataFrame(
        [texts[column_name(column.header)].alias(column.name) for column in contract.columns]
    )
    looked = _look(named, contract)
    read = {
        column.name: _read(column, named[column.name], looked, normalisations)
        for column in contract.columns
    }
    return pl.DataFrame(
        [
            *(found.values.alias(name) for name, found in read.items()),
            *(found.uncast.alias(uncast_marker(name)) for name, found in read.items()),
            *texts.select(RAGGED, LINE, ROW),
            _changed_texts(texts.height, {name: found.changed for name, found in read.items()}),
            named.to_struct("_texts"),
        ]
    )  # fmt: skip


@dataclass(frozen=True)
class _Read:
    """One column of a chunk: typed values, where a text could not be read, what was changed.

    `changed` has the columns `row` (position in the chunk) and `text` (as delivered).
    """

    values: pl.Series
    uncast: pl.Series
    changed: pl.DataFrame | None


def _read(
    column: Column,
    texts: pl.Series,
    looked: pl.DataFrame,
    normalisations: Normalisations | None,
) -> _Read:
    plain = looked[_PLAIN + column.name]
    values = looked[column.name] if column.name in looked.columns else texts
    if values is not texts and values.null_count():
        plain &= values.is_not_null() | (texts == "")
    if column.logical_type == "string":
        empty = texts == ""
        if empty.any():
            values = pl.select(pl.when(~empty).then(values)).to_series()
    uncast = everywhere(False, len(texts))
    if plain.all():
        return _Read(values, uncast, None)
    rows = (~plain).arg_true()
    patient = _read_patiently(column, texts.gather(rows))
    if normalisations is not None:
        normalisations.add(column, patient.filter(pl.col("changed") & ~pl.col("uncast"))["text"])
    changed = patient.filter("changed").select(pl.col("row"), pl.col("text"))
    return _Read(
        values.scatter(rows, patient["value"]),
        uncast.scatter(rows, patient["uncast"]),
        changed.with_columns(rows.gather(changed["row"]).alias("row")),
    )


def _look(named: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """All columns read as if every text were plain, in one pass.

    A plain text is empty (missing) or already the value that it means.

    Returns:
        Columns: `<column>`, its values, unless they are the texts; those of texts that are not
        plain are not to be used. `_plain_<column>`, which texts have the form of a plain one;
        without a value only the empty text is plain.
    """
    return named.select(
        expression for column in contract.columns for expression in _plain_reading(column)
    )


def _plain_reading(column: Column) -> list[pl.Expr]:
    text = pl.col(column.name)
    empty = text == ""
    kind = polars_type(column.sql_type)
    values: pl.Expr | None = None
    if column.parse in ("capital_amount", "capital_currency") or column.logical_type == "boolean":
        values, plain = pl.repeat(None, pl.len(), dtype=kind), empty
    elif column.parse == "code":
        plain = text.map_batches(_is_plain_code, return_dtype=pl.Boolean)
    elif column.logical_type == "string":
        plain = text.map_batches(_is_bare, return_dtype=pl.Boolean)
    elif column.logical_type == "date":
        values = text.str.to_date("%Y-%m-%d", strict=False)
        is_date = text.map_batches(_is_plain_date, return_dtype=pl.Boolean)
        plain = empty | is_date
    elif column.logical_type == "timestamp":
        values = text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
        is_moment = text.map_batches(_is_plain_moment, return_dtype=pl.Boolean)
        plain = empty | is_moment
    else:
        values = text.cast(kind, strict=False)
        is_number = text.str.contains(_plain_number(kind))
        plain = empty | is_number
    if column.missing:
        plain &= ~text.is_in(list(column.missing))
    read = [] if values is None else [values.alias(column.name)]
    return [*read, plain.alias(_PLAIN + column.name)]


def _is_bare(texts: pl.Series) -> pl.Series:
    """Without space around it; nothing else is read into a text."""
    if not texts.null_count() and not text_bytes(texts).may_hold_space:
        return everywhere(True, len(texts))
    # Surrounding space shows by the length.
    bare = texts.str.strip_chars().str.len_bytes() == texts.str.len_bytes()
    return bare & ~(texts.str.starts_with(readings.MARK) | texts.str.ends_with(readings.MARK))


def _is_plain_code(texts: pl.Series) -> pl.Series:
    """Digits and capital letters alone."""
    found = text_bytes(texts)
    return found.without(~digits(found.data) & ((found.data - np.uint8(ord("A"))) >= 26))


def _is_plain_date(texts: pl.Series) -> pl.Series:
    """`_PLAIN_DATE`, place by place."""
    found = places(texts, len("2026-01-31"))
    year, month, day = found.bytes[:4], found.bytes[5:7], found.bytes[8:]
    plain = (found.bytes[[4, 7]] == ord("-")).all(axis=0)
    for part in (year, month, day):
        plain &= digits(part).all(axis=0)
    return found.spread(plain, otherwise=False)


def _is_plain_moment(texts: pl.Series) -> pl.Series:
    """`_PLAIN_TIMESTAMP`, place by place; a 60th second is not plain, though it reads as one."""
    found = places(texts, len("2026-01-31 08:30:00"))
    signs = np.frombuffer(b"-- ::", dtype=np.uint8)[:, None]
    plain = (found.bytes[[4, 7, 10, 13, 16]] == signs).all(axis=0)
    for part in (slice(4), slice(5, 7), slice(8, 10), slice(11, 13), slice(14, 16), slice(17, 19)):
        plain &= digits(found.bytes[part]).all(axis=0)
    return found.spread(plain & (found.bytes[17] < ord("6")), otherwise=False)


def _plain_number(kind: pl.DataType) -> str:
    if isinstance(kind, pl.Decimal):
        whole = (kind.precision or 38) - kind.scale
        before = rf"(0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "0"
        after = rf"(\.[0-9]{{1,{kind.scale}}})?" if kind.scale else ""
        return f"^-?{before}{after}$"
    return _PLAIN_NUMBER


def _read_patiently(column: Column, texts: pl.Series) -> pl.DataFrame:
    """Columns `row`, `text`, `value`, `uncast`, `changed` of texts that are not plain."""
    frame = texts.alias(column_name(column.header)).to_frame().with_row_index(_POSITION)
    read = frame.with_columns(readings.reading(column).alias(_VALUE))
    return read.select(
        pl.col(_POSITION).alias("row"),
        pl.col(column_name(column.header)).alias("text"),
        pl.col(_VALUE).alias("value"),
        _uncast(column).alias("uncast"),
        _changed(column).fill_null(False).alias("changed"),
    )


def _uncast(column: Column) -> pl.Expr:
    if column.logical_type == "string" and column.parse != "capital_currency":
        return pl.lit(False)
    return readings.clean(column).is_not_null() & pl.col(_VALUE).is_null()


def _changed(column: Column) -> pl.Expr:
    """Whether the value says something else than the delivered text, letter by letter."""
    raw, value = pl.col(column_name(column.header)), pl.col(_VALUE)
    if column.logical_type == "string":
        same = raw == value
    elif column.logical_type == "date":
        same = raw.str.contains(_PLAIN_DATE)
    elif column.logical_type == "timestamp":
        same = raw.str.contains(_PLAIN_TIMESTAMP)
    elif column.logical_type in ("number", "integer"):
        same = raw.str.contains(_PLAIN_NUMBER)
    else:
        same = raw == value.cast(pl.String)
    return (raw != "") & ~pl.when(value.is_null()).then(pl.lit(False)).otherwise(same)


def _changed_texts(height: int, changed: dict[str, pl.DataFrame | None]) -> pl.Series:
    """`_original` of a chunk, built only for the rows that have a changed value."""
    members = [
        found.select(
            "row",
            pl.struct(pl.col("text").alias(name)).struct.json_encode().str.slice(1)
            .str.strip_suffix("}").alias("member"),
        )
        for name, found in changed.items()
        if found is not None and found.height
    ]  # fmt: skip
    original = pl.repeat(None, height, dtype=pl.String, eager=True).alias("_original")
    if not members:
        return original
    rows = (
        pl.concat(members)
        .group_by("row", maintain_order=True)
        .agg(pl.col("member").str.join(","))
        .with_columns(pl.concat_str(pl.lit("{"), "member", pl.lit("}")).alias("_original"))
    )
    return original.scatter(rows["row"], rows["_original"])
