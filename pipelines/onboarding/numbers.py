"""Evidence → the number that a column holds: its type, scale and reading.

Belongs here: integers, decimals, doubles, amounts, shares in percent, registered capital,
coordinates, and the digits that are no number but a code. Does not belong here: other kinds
(`kinds`).
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from pipelines.onboarding.evidence import FOLDED, Evidence, percent
from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import MOST, Kind, RuleDraft

LONGEST_NUMBER = 15
"""Digits of a whole number; what is longer is a code, and a spreadsheet would spoil it."""
_LARGEST_SCALE = 6
"""Decimals that people write; a longer tail is a float's, and the next file's is longer."""
_SHORT_CODE = 2
_LARGEST_WORDED_SCALE = 10
_ROOM = 3
"""Digits before the point beyond those seen."""
_USUAL_PRECISION = 18
_LEADING_ZERO = r"^0[0-9]+$"
_WHOLE = r"^[0-9]+$"
_YEAR = r"^(19|20)[0-9]{2}$"
_DIGITS = r"^-?([0-9,]+)"
_DECIMALS = r"\.([0-9]+)"
_EXPONENT = r"[eE]"
_MONEY = r"元|圆|万|亿|¥|￥|RMB|CNY"
_CAPITAL = r"万元?(人民币|美元|港元|港币|欧元|日元)|\(万元"
_BOUNDS = {"longitude": (73, 136), "latitude": (3, 54)}


def number(header: Header, found: Evidence) -> Kind | None:
    """The number that hardly any value contradicts; None where the column is no number."""
    if _is_code(header, found):
        return None
    plain = found.reading("number", "double")
    if plain >= MOST:
        return _plain(header, found, plain)
    written = _written(header, found)
    return next((kind for kind, share in written if share >= MOST), None)


def _is_code(header: Header, found: Evidence) -> bool:
    """Digits that name something: leading zeros, very long ones, one length throughout."""
    if found.matching(_LEADING_ZERO) > 0:
        return True
    length = pl.col(FOLDED).str.len_chars()
    if found.share(pl.col(FOLDED).str.contains(_WHOLE) & (length > LONGEST_NUMBER)) > 0:
        return True
    if header.hints("measure", "year", "longitude", "latitude"):
        return False
    whole = found.matching(_WHOLE)
    if header.hints("category") and found.share(length <= _SHORT_CODE) == 1 and whole == 1:
        return True
    if header.hints("code", "identifier", "division") and whole > 0:
        return True
    longest = found.greatest(length)
    same = found.share(length == longest) == 1
    return whole == 1 and same and longest >= 6 and found.distinct > 1


def _plain(header: Header, found: Evidence, share: float) -> Kind:
    looks = () if share == 1 else (f"{percent(1 - share)} are no number",)
    told = (f"可读为数字 {percent(share)}",)
    for name, (low, high) in _BOUNDS.items():
        if header.hints(name):
            rule = RuleDraft(
                "in_range",
                f"between({low}, {high})",
                "accuracy",
                "error",
                "超出我国经纬度范围，请核对后更正。",
            )
            within = pl.col(FOLDED).cast(pl.Float64, strict=False).is_between(low, high)
            is_within = found.share(within) == share
            rules = (rule,) if is_within else ()
            looks = looks if is_within else (*looks, "some coordinates lie outside China")
            return Kind(name, "high", "number", "double", rules=rules, told=told, looks=looks)
    physical = physical_type(found, share)
    if header.hints("date", "year") and found.matching(_YEAR) == share:
        return Kind(
            "year", "high" if share == 1 else "medium", "integer", physical,
            description="四位年份。", told=told, looks=looks,
        )  # fmt: skip
    logical = "integer" if physical in ("integer", "bigint") else "number"
    sureness = "high" if share == 1 else "medium"
    return Kind("number", sureness, logical, physical, told=told, looks=looks)


def physical_type(found: Evidence, share: float, parse: str | None = None) -> str:
    """The smallest type that reads as much as `share`: integer, bigint, decimal, else double."""
    digits = _length(found, _DIGITS)
    scale = _length(found, _DECIMALS)
    if not scale and parse is None:
        small = digits <= 8
        kind = "integer" if small else "bigint"
        if found.reading("integer", kind) >= share:
            return kind
    # Cents are written with one digit or two, whatever the sample happens to show.
    scale = 2 if scale <= 2 else scale
    precision = max(_USUAL_PRECISION, digits + _ROOM + scale)
    if scale <= _LARGEST_SCALE and precision <= 38 and not found.matching(_EXPONENT):
        kind = f"decimal({precision}, {scale})"
        if found.reading("number", kind, parse) >= share:
            return kind
    return "double"


def _length(found: Evidence, pattern: str) -> int:
    part = pl.col(FOLDED).str.extract(pattern, 1).str.replace_all(",", "")
    return found.greatest(part.str.len_chars())


def _written(header: Header, found: Evidence) -> list[tuple[Kind, float]]:
    """Numbers with words around them, most particular first, and the share that reads so."""
    proposals: list[tuple[Kind, float]] = []
    wide = "decimal(38, 10)"
    if found.matching(_CAPITAL) >= 0.2:
        share = found.reading("number", wide, "capital_amount")
        description = "以万元计；原文保留在 _original。"
        proposals.append((_worded(found, share, "capital_amount", description), share))
    elif found.matching(_MONEY) > 0 and not header.hints("ten_thousand"):
        share = found.reading("number", wide, "amount")
        proposals.append((_worded(found, share, "amount", ""), share))
    if found.matching(r"%$") > 0:
        share = found.reading("number", wide, "percent")
        mixed = found.matching(r"%$") < 1
        kind = _worded(found, share, "percent", "以百分数计，12.5 即 12.5%。")
        if mixed:
            look = "some shares have no percent sign: do they mean percent?"
            kind = replace(kind, sureness="low", looks=(*kind.looks, look))
        proposals.append((kind, share))
    return proposals


def _worded(found: Evidence, share: float, parse: str, description: str) -> Kind:
    looks = () if share == 1 else (f"{percent(1 - share)} cannot be read as {parse}",)
    told = (f"可读为{_TITLES[parse]} {percent(share)}",)
    if share <= 0:
        return Kind(parse, "low")
    physical = _worded_type(found, share, parse)
    return Kind(
        parse,
        "medium",
        "number",
        physical,
        parse,
        description=description,
        told=told,
        looks=looks,
    )


def _worded_type(found: Evidence, share: float, parse: str) -> str:
    """Amounts in 万 and 亿 keep their digits when they are multiplied or divided."""
    scale = _length(found, _DECIMALS)
    least = 4 if parse == "capital_amount" else 2
    for places in sorted({max(places, least) for places in (least, scale, scale + 4)}):
        kind = f"decimal({_USUAL_PRECISION + max(places - 4, 0)}, {places})"
        if places <= _LARGEST_WORDED_SCALE and found.reading("number", kind, parse) >= share:
            return kind
    return "decimal(38, 10)"


_TITLES = {"capital_amount": "注册资本", "amount": "金额", "percent": "百分数"}
