"""Which kinds of spelling a reading has changed, counted for the delivery's record.

Belongs here: naming what a text had that its value has not. Does not belong here: the readings
themselves (`readings`), the text of a row (`_original`, which `cast` keeps).

A value may have several kinds: `１，２００元` is full-width, grouped and names a currency.
"""

from __future__ import annotations

import polars as pl

from pipelines.ingest import readings
from quality.contract import Column

OTHER = "other_spelling"


def kinds(column: Column, texts: pl.Series) -> dict[str, int]:
    """Kind of spelling → how many of these texts have it; kinds without any are left out.

    Args:
        column: tells type, reading and spellings of "missing".
        texts: as delivered, each read as a value that it does not spell out plainly.

    Returns:
        `missing`, `space`, `full_width`, `apostrophe`; of a code `lower_case`; of days and times
        `spreadsheet_serial`, `chinese_numerals`, `chinese_date`, `time_zone`; of numbers
        `thousands`, `percent`, `unit`, `currency`; of what has none of these `other_spelling`.
    """
    text = pl.col("text")
    bare = text.str.strip_chars(readings.SPACE)
    missing = bare.is_in([*column.missing, "", "'"])
    found = {"missing": missing, "space": text != bare}
    if column.parse or column.logical_type != "string":
        folded = bare.str.normalize("NFKC")
        plain = folded.str.strip_prefix("'").str.strip_chars(readings.SPACE)
        found |= {"full_width": folded != bare, "apostrophe": folded.str.starts_with("'")}
        found |= {name: kind & ~missing for name, kind in _own(column, plain).items()}
    odd = pl.DataFrame({"text": texts}).select(
        kind.fill_null(value=False).alias(name) for name, kind in found.items()
    )
    counts = {name: int(odd[name].sum()) for name in odd.columns}
    counts[OTHER] = int(odd.select(~pl.any_horizontal(pl.all())).to_series().sum())
    return {name: count for name, count in counts.items() if count}


def _own(column: Column, plain: pl.Expr) -> dict[str, pl.Expr]:
    """The kinds that columns of this reading or type have."""
    if column.parse == "code":
        return {"lower_case": plain != plain.str.to_uppercase()}
    if column.logical_type in ("date", "timestamp"):
        return {
            "spreadsheet_serial": plain.str.contains(readings.ANY_SERIAL),
            "chinese_numerals": plain.str.contains("[〇零○一二三四五六七八九十]"),
            "chinese_date": plain.str.contains("年", literal=True),
            "time_zone": plain.str.contains(readings.ZONED),
        }
    if column.parse in ("amount", "percent", "capital_amount", "capital_currency") or (
        column.logical_type in ("number", "integer")
    ):
        return {
            "thousands": plain.str.contains(",", literal=True),
            "percent": plain.str.contains("%", literal=True),
            "unit": plain.str.contains("[万亿]"),
            "currency": plain.str.contains("[¥元圆币]|RMB|CNY"),
        }
    return {}
