"""Text → the types of the contract, with a mark where a text cannot be read as its type.

Belongs here: what a text may look like and still be the value that it means.
Does not belong here: whether the value is right (`quality.row_rules`).

Nothing is guessed: a text that none of the readings below fits becomes null with its marker
set, and the rule `<column>__type` refuses the row. Whatever reading changed is kept, as it
was delivered, in `_original`.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pipelines.ingest.parse import LINE, ROW
from quality.contract import Column, Contract
from quality.pandera_schemas import RAGGED
from quality.row_rules import uncast_marker
from quality.sql_types import polars_type

_SPACE = " \t\r\n\u3000\u00a0\ufeff"
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y.%m.%d")
_TIMESTAMP_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
# Digits are written out: in Rust's patterns `\d` also means the digits of other scripts.
_WHOLE_YEAR = r"^[0-9]{4}([-/.年]|[0-9]{4}$)"
_PLAIN_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_PLAIN_TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
_FLOAT = r"^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"
_GROUPED = r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_CAPITAL = rf"^\(?(?:万元?(?:人民币|美元|港元|欧元|日元)?\)?)?\s*({_GROUPED})\s*(.*)$"
_CAPITAL_UNIT = r"^\(?万?(元|人民币|美元|港元|欧元|日元|港币)*\)?$"
_CURRENCIES = {"美元": "USD", "港元": "HKD", "港币": "HKD", "欧元": "EUR", "日元": "JPY"}


def cast(texts: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Cast one chunk.

    Args:
        texts: a chunk from `parse.chunks`.
        contract: gives each column's header, type, reading and spellings of "missing".

    Returns:
        Columns: every contract column typed; `<column>__uncast` Booleans; `_ragged`;
        `_line_number`; `_original` (JSON object column → delivered text, of changed values
        only; null where nothing changed); `_texts`, a struct of all delivered texts; `_row`.
    """
    readings = [_reading(column) for column in contract.columns]
    cleaned = texts.with_columns(
        reading.alias(f"{column.name}__value")
        for column, reading in zip(contract.columns, readings, strict=True)
    )
    typed = cleaned.select(
        *(pl.col(f"{c.name}__value").alias(c.name) for c in contract.columns),
        *(_uncast(c).alias(uncast_marker(c.name)) for c in contract.columns),
        *(_changed(c).alias(f"{c.name}__changed") for c in contract.columns),
        RAGGED,
        LINE,
        ROW,
        pl.struct(pl.col(c.header).alias(c.name) for c in contract.columns).alias("_texts"),
    )
    changed = [f"{c.name}__changed" for c in contract.columns]
    original = _changed_texts(typed, contract.columns)
    return typed.with_columns(original).drop(changed)


def _clean(column: Column) -> pl.Expr:
    """The delivered text without surrounding space; null where it says that nothing is known."""
    text = pl.col(column.header).str.strip_chars(_SPACE)
    return pl.when(~text.is_in(["", *column.missing])).then(text)


def _reading(column: Column) -> pl.Expr:
    clean = _clean(column)
    by_parse: dict[str | None, Callable[[pl.Expr, Column], pl.Expr]] = {
        "code": _code,
        "amount": _amount,
        "capital_amount": _capital_amount,
        "capital_currency": _capital_currency,
    }
    if column.parse:
        return by_parse[column.parse](clean, column)
    if column.logical_type == "string":
        return clean
    dated = pl.when(clean.str.contains(_WHOLE_YEAR)).then(clean)
    if column.logical_type == "date":
        return pl.coalesce(dated.str.to_date(form, strict=False) for form in _DATE_FORMATS)
    if column.logical_type == "timestamp":
        return pl.coalesce(
            dated.str.to_datetime(form, strict=False, time_unit="us") for form in _TIMESTAMP_FORMATS
        )
    if column.logical_type == "boolean":
        known = {"是": True, "否": False, "true": True, "false": False, "1": True, "0": False}
        return clean.str.to_lowercase().replace_strict(known, default=None, return_dtype=pl.Boolean)
    if column.logical_type == "integer":
        return clean.cast(polars_type(column.sql_type), strict=False)
    return _number(clean, column)


def _code(clean: pl.Expr, _: Column) -> pl.Expr:
    """A code: full-width characters made plain, a leading apostrophe off, upper case."""
    plain = clean.str.normalize("NFKC").str.strip_prefix("'").str.strip_chars(_SPACE)
    return pl.when(plain != "").then(plain.str.to_uppercase())


def _number(clean: pl.Expr, column: Column) -> pl.Expr:
    """A number, if its type holds it exactly; a decimal is never rounded."""
    kind = polars_type(column.sql_type)
    if isinstance(kind, pl.Decimal):
        whole, scale = max((kind.precision or 38) - kind.scale, 1), kind.scale
        exact = clean.str.contains(rf"^-?0*[0-9]{{1,{whole}}}(\.[0-9]{{0,{scale}}}0*)?$")
        return pl.when(exact).then(clean).cast(kind, strict=False)
    value = pl.when(clean.str.contains(_FLOAT)).then(clean).cast(kind, strict=False)
    return pl.when(value.is_finite()).then(value)


def _amount(clean: pl.Expr, column: Column) -> pl.Expr:
    """An amount: full-width digits made plain, thousands separators, ￥ and 元 off."""
    plain = clean.str.normalize("NFKC").str.replace(r"^[¥￥]\s*", "").str.replace(r"元$", "")
    grouped = plain.str.contains(r"^-?\d{1,3}(,\d{3})+(\.\d+)?$")
    return _number(pl.when(grouped).then(plain.str.replace_all(",", "")).otherwise(plain), column)


def _capital_parts(clean: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    plain = clean.str.normalize("NFKC")
    number = plain.str.extract(_CAPITAL, 1).str.replace_all(",", "")
    return number, plain


def _capital_amount(clean: pl.Expr, column: Column) -> pl.Expr:
    """Registered capital in ten thousands of its currency, as registers export it.

    `2150万人民币`, `(万元人民币)500`, `300(万元人民币)` and a bare `50` are in ten thousands
    (the register's own unit); `500000元` is in units and divided.
    """
    number, plain = _capital_parts(clean)
    known = plain.str.extract(_CAPITAL, 2).str.contains(_CAPITAL_UNIT)
    in_units = plain.str.contains("元|币") & ~plain.str.contains("万")
    value = _number(pl.when(known).then(number), column)
    divided = (value / 10_000).cast(polars_type(column.sql_type), strict=False)
    exact = pl.when(divided * 10_000 == value).then(divided)
    return pl.when(in_units).then(exact).otherwise(value)


def _capital_currency(clean: pl.Expr, _: Column) -> pl.Expr:
    """ISO 4217 code of the currency that a capital text names; CNY where it names none."""
    number, plain = _capital_parts(clean)
    named: pl.Expr = pl.lit("CNY")
    for word, code in _CURRENCIES.items():
        named = pl.when(plain.str.contains(word, literal=True)).then(pl.lit(code)).otherwise(named)
    return pl.when(number.is_not_null()).then(named)


def _uncast(column: Column) -> pl.Expr:
    if column.logical_type == "string" and column.parse != "capital_currency":
        return pl.lit(False)
    return _clean(column).is_not_null() & pl.col(f"{column.name}__value").is_null()


def _changed(column: Column) -> pl.Expr:
    """Whether the value says something else than the delivered text, letter by letter."""
    raw, value = pl.col(column.header), pl.col(f"{column.name}__value")
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


def _changed_texts(typed: pl.DataFrame, columns: tuple[Column, ...]) -> pl.Series:
    """`_original`: built only for the rows that have a changed value."""
    any_changed = typed.select(
        pl.any_horizontal(pl.col(f"{c.name}__changed").fill_null(False) for c in columns)
    ).to_series()
    if not any_changed.any():
        return pl.Series("_original", [None] * typed.height, dtype=pl.String)
    members = [
        pl.when(pl.col(f"{c.name}__changed")).then(
            pl.struct(pl.col("_texts").struct.field(c.name)).struct.json_encode().str.slice(1)
            .str.strip_suffix("}")
        )
        for c in columns
    ]  # fmt: skip
    rows = typed.filter(any_changed).select(
        LINE, pl.concat_str([pl.lit("{"), pl.concat_str(members, separator=",", ignore_nulls=True),
                             pl.lit("}")]).alias("_original"),
    )  # fmt: skip
    return typed.select(LINE).join(rows, on=LINE, how="left", maintain_order="left")["_original"]
