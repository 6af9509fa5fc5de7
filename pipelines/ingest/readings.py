"""How a text that is not plain may still say one value, type by type.

Belongs here: the spellings of dates, numbers, amounts, shares, codes and capital that registers,
spreadsheets and clerks use. Does not belong here: finding the texts that need it, or keeping
what they said (`cast`); whether a value is right (`quality.row_rules`).

Every reading is exact and has one meaning. Where a text could mean two values, or loses digits
in its type, the reading gives null and the row goes back to its department.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pipelines.ingest.frames import column_name
from quality.contract import Column
from quality.sql_types import polars_type

MARK = "\ufeff"
SPACE = f" \t\r\n\u3000\u00a0{MARK}"

# Digits are written out: in Rust's patterns `\d` also means the digits of other scripts.
_WHOLE_YEAR = r"^[0-9]{4}([-/.年]|[0-9]{4}$|[0-9]{10}$)"
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y.%m.%d", "%Y年%m月%d")
_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y%m%d%H%M%S",
)
_SIXTIETH = r":60([^0-9]|$)|^[0-9]{12}60$"
"""A second that is none; the library would read the minute after."""
_MIDNIGHT = r"[ T]0?0:00(:00(\.0+)?)?$"
SERIAL = r"^[2-6][0-9]{4}(\.0+)?$"
"""A day as a spreadsheet counts it, 1954 to 2091; shorter numbers could be anything."""
SERIAL_TIME = r"^[2-6][0-9]{4}\.[0-9]{1,17}$"
"""The same with the part of the day behind the point, which tells a time to the second."""
_SERIAL_ORIGIN = "1899-12-30"
_ZONED = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?) ?"
    r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})?)$"
)
"""A moment as ISO 8601 writes it: date, time of day, then Z, or sign, hours and minutes."""
_LOCAL = "Asia/Shanghai"
"""With its summers of 1986 to 1991, when clocks stood an hour ahead."""
_WEST, _EAST = -12 * 60, 14 * 60
"""The offsets that there are, in minutes."""
_CHINESE_TENS = (
    (r"([二三])十([一二三四五六七八九])", "$1$2"),
    (r"([二三])十", "${1}0"),
    (r"十([一二三四五六七八九])", "1$1"),
    (r"十", "10"),
)
_CHINESE_DIGITS = dict(zip("〇零○一二三四五六七八九", "000123456789", strict=True))
_FLOAT = r"^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"
_GROUPED = r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_AMOUNT = rf"^(?:人民币|RMB|CNY|¥)?\s*({_GROUPED})\s*(万|亿|百万|千万)?\s*(?:元|圆|人民币元?)?整?$"
_UNITS = {"万": 10_000, "百万": 1_000_000, "千万": 10_000_000, "亿": 100_000_000}
_PERCENT = rf"^({_GROUPED})\s*%?$"
_CAPITAL = rf"^\(?(?:万元?(?:人民币|美元|港元|欧元|日元)?\)?)?\s*({_GROUPED})\s*(.*)$"
_CAPITAL_UNIT = r"^\(?万?(元|人民币|美元|港元|欧元|日元|港币)*\)?$"
_CURRENCIES = {"美元": "USD", "港元": "HKD", "港币": "HKD", "欧元": "EUR", "日元": "JPY"}
_BOOLEANS = {"是": True, "否": False, "有": True, "无": False, "y": True, "n": False, "yes": True,
             "no": False, "true": True, "false": False, "1": True, "0": False}  # fmt: skip


def clean(column: Column) -> pl.Expr:
    """The delivered text without surrounding space; null where it says that nothing is known."""
    text = pl.col(column_name(column.header)).str.strip_chars(SPACE)
    return pl.when(~text.is_in(["", *column.missing])).then(text)


def reading(column: Column) -> pl.Expr:
    """The value that a delivered text of this column says; null where it says none."""
    text = clean(column)
    if column.parse:
        return _BY_PARSE[column.parse](text, column)
    return _BY_TYPE[column.logical_type](text, column)


def fold(text: pl.Expr) -> pl.Expr:
    """Full-width characters made plain, a spreadsheet's leading apostrophe off."""
    return text.str.normalize("NFKC").str.strip_prefix("'").str.strip_chars(SPACE)


def _text(text: pl.Expr, _: Column) -> pl.Expr:
    return text


def _code(text: pl.Expr, _: Column) -> pl.Expr:
    folded = fold(text)
    return pl.when(folded != "").then(folded.str.to_uppercase())


def _arabic(text: pl.Expr) -> pl.Expr:
    """A date in Chinese numerals with Arabic ones: 二〇二六年三月十五日 → 2026年3月15日."""
    plain = text
    for pattern, replacement in _CHINESE_TENS:
        plain = plain.str.replace_all(pattern, replacement)
    plain = plain.str.replace_many(_CHINESE_DIGITS)
    return pl.when(text.str.contains("年")).then(plain).otherwise(text)


def _date(text: pl.Expr, _: Column) -> pl.Expr:
    plain = fold(text)
    folded = _arabic(plain.str.replace(_MIDNIGHT, "").str.replace_all(r"\s", ""))
    dated = pl.when(folded.str.contains(_WHOLE_YEAR)).then(folded)
    serial = pl.when(folded.str.contains(SERIAL)).then(folded).cast(pl.Float64, strict=False)
    days = pl.lit(_SERIAL_ORIGIN).str.to_date() + pl.duration(days=serial.cast(pl.Int64))
    spelled = [dated.str.to_date(form, strict=False) for form in _DATE_FORMATS]
    return pl.coalesce(*spelled, days, _local_date(plain))


def _timestamp(text: pl.Expr, column: Column) -> pl.Expr:
    folded = fold(text)
    is_dated = folded.str.contains(_WHOLE_YEAR) & ~folded.str.contains(_SIXTIETH)
    dated = pl.when(is_dated).then(folded)
    timed = [dated.str.to_datetime(f, strict=False, time_unit="us") for f in _TIME_FORMATS]
    moment = pl.when(folded.str.contains(SERIAL_TIME)).then(folded).cast(pl.Float64, strict=False)
    seconds = pl.duration(seconds=(moment * 86_400).round().cast(pl.Int64))
    serial = pl.lit(_SERIAL_ORIGIN).str.to_date().cast(pl.Datetime("us")) + seconds
    day = _date(text, column).cast(pl.Datetime("us"))
    return pl.coalesce(*timed, _local_time(dated), day, serial)


def _moments(texts: pl.Series) -> pl.DataFrame:
    """Columns `clock`, as written, and `local`, the time in Shanghai; null where no zone is named.

    Most texts name none, so that only those that do are taken apart.
    """
    empty = pl.repeat(None, len(texts), dtype=pl.Datetime("us"), eager=True)
    rows = texts.str.contains(_ZONED).fill_null(False).arg_true()
    if rows.is_empty():
        return pl.DataFrame({"clock": empty, "local": empty})
    text = pl.col("text")
    day, time, sign, hours, minutes = (text.str.extract(_ZONED, group) for group in range(1, 6))
    seconds = (
        pl.when(time.str.len_bytes() == len("08:30")).then(pl.lit(":00")).otherwise(pl.lit(""))
    )
    clock = pl.concat_str(day, pl.lit(" "), time, seconds).str.to_datetime(
        _TIME_FORMATS[0], strict=False, time_unit="us"
    )
    past = minutes.cast(pl.Int64).fill_null(0)
    ahead = hours.cast(pl.Int64).fill_null(0) * 60 + past
    offset = pl.when(sign == "-").then(-ahead).otherwise(ahead)
    is_real = (past < 60) & offset.is_between(_WEST, _EAST)
    instant = (clock - pl.duration(minutes=offset)).dt.replace_time_zone("UTC")
    local = instant.dt.convert_time_zone(_LOCAL).dt.replace_time_zone(None)
    read = texts.gather(rows).alias("text").to_frame().select(
        clock.alias("clock"), pl.when(is_real).then(local).alias("local")
    )  # fmt: skip
    return pl.DataFrame(
        {name: empty.scatter(rows, read[name]).alias(name) for name in ("clock", "local")}
    )


def _local_time(folded: pl.Expr) -> pl.Expr:
    """The time in Shanghai of a moment that names its zone."""
    return folded.map_batches(
        lambda texts: _moments(texts)["local"], return_dtype=pl.Datetime("us")
    )


def _local_date(folded: pl.Expr) -> pl.Expr:
    """The day in Shanghai of a moment that names its zone, where it says no more than a day.

    It must be midnight in Shanghai, or midnight as written on the same day: `T00:00:00Z` is how
    many systems write a bare date, and eight in the morning of that day. At any other time of
    day, or where the two days differ, the text is no date.
    """

    def day(texts: pl.Series) -> pl.Series:
        clock, local = pl.col("clock"), pl.col("local")
        midnight = local.dt.time() == pl.time(0)
        bare = (clock.dt.time() == pl.time(0)) & (clock.dt.date() == local.dt.date())
        return _moments(texts).select(pl.when(midnight | bare).then(local.dt.date())).to_series()

    return folded.map_batches(day, return_dtype=pl.Date)


def _boolean(text: pl.Expr, _: Column) -> pl.Expr:
    folded = fold(text).str.to_lowercase()
    return folded.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)


def _ungrouped(text: pl.Expr) -> pl.Expr:
    """Thousands separators off, where they stand in their places."""
    grouped = text.str.contains(r"^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$")
    return pl.when(grouped).then(text.str.replace_all(",", "")).otherwise(text)


def _integer(text: pl.Expr, column: Column) -> pl.Expr:
    whole = _ungrouped(fold(text)).str.replace(r"\.0+$", "")
    return whole.cast(polars_type(column.sql_type), strict=False)


def _number(text: pl.Expr, column: Column) -> pl.Expr:
    return _exact(_ungrouped(fold(text)), column)


def _exact(text: pl.Expr, column: Column) -> pl.Expr:
    """A number, if its type holds it exactly; a decimal is never rounded."""
    kind = polars_type(column.sql_type)
    if isinstance(kind, pl.Decimal):
        whole, scale = max((kind.precision or 38) - kind.scale, 1), kind.scale
        exact = text.str.contains(rf"^-?0*[0-9]{{1,{whole}}}(\.[0-9]{{0,{scale}}}0*)?$")
        return pl.when(exact).then(text).cast(kind, strict=False)
    value = pl.when(text.str.contains(_FLOAT)).then(text).cast(kind, strict=False)
    return pl.when(value.is_finite()).then(value)


def _amount(text: pl.Expr, column: Column) -> pl.Expr:
    """An amount in the column's own unit: ￥1,234.50元 → 1234.50, 3.5万 → 35000.

    Another currency than the yuan gives null: a rate is not the platform's to guess.
    """
    folded = fold(text)
    number = folded.str.extract(_AMOUNT, 1).str.replace_all(",", "")
    unit = folded.str.extract(_AMOUNT, 2)
    kind = polars_type(column.sql_type)
    scaled = pl.lit(None, dtype=kind)
    for word, factor in _UNITS.items():
        product = number.cast(pl.Decimal(38, 10), strict=False) * factor
        held = product.cast(kind, strict=False)
        scaled = pl.when(unit == word).then(pl.when(held == product).then(held)).otherwise(scaled)
    return pl.when(unit.is_null()).then(_exact(number, column)).otherwise(scaled)


def _percent(text: pl.Expr, column: Column) -> pl.Expr:
    """A share in percent, with or without its sign: 12.5% → 12.5."""
    number = fold(text).str.extract(_PERCENT, 1).str.replace_all(",", "")
    return _exact(number, column)


def _capital_parts(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    folded = fold(text)
    return folded.str.extract(_CAPITAL, 1).str.replace_all(",", ""), folded


def _capital_amount(text: pl.Expr, column: Column) -> pl.Expr:
    """Registered capital in ten thousands of its currency, as registers export it.

    `2150万人民币`, `(万元人民币)500`, `300(万元人民币)` and a bare `50` are in ten thousands
    (the register's own unit); `500000元` is in units and divided.
    """
    number, folded = _capital_parts(text)
    known = folded.str.extract(_CAPITAL, 2).str.contains(_CAPITAL_UNIT)
    in_units = folded.str.contains("元|币") & ~folded.str.contains("万")
    value = _exact(pl.when(known).then(number), column)
    divided = (value / 10_000).cast(polars_type(column.sql_type), strict=False)
    exact = pl.when(divided * 10_000 == value).then(divided)
    return pl.when(in_units).then(exact).otherwise(value)


def _capital_currency(text: pl.Expr, _: Column) -> pl.Expr:
    """ISO 4217 code of the currency that a capital text names; CNY where it names none."""
    number, folded = _capital_parts(text)
    named: pl.Expr = pl.lit("CNY")
    for word, code in _CURRENCIES.items():
        named = pl.when(folded.str.contains(word, literal=True)).then(pl.lit(code)).otherwise(named)
    return pl.when(number.is_not_null()).then(named)


_Reading = Callable[[pl.Expr, Column], pl.Expr]
_BY_PARSE: dict[str, _Reading] = {
    "code": _code,
    "amount": _amount,
    "percent": _percent,
    "capital_amount": _capital_amount,
    "capital_currency": _capital_currency,
}
_BY_TYPE: dict[str, _Reading] = {
    "string": _text,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
}
