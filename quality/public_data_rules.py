"""Named row checks for what Chinese public data hold: people, places, codes, ages, amounts.

Belongs here: what each check means, as a Polars expression; true passes, false fails, null was
not judged. `row_rules` takes them into its registry.
Does not belong here: checks that follow from a contract's structure, or plain arithmetic of two
columns (`row_rules`); titles, severities and messages (`rule_library`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from quality import check_digits, reference_tables
from quality.contract import Rule

Build = Callable[[Rule, date], pl.Expr]

_HAN = r"\p{Han}"
_ADDRESS_UNIT = "[省市区县镇乡村街路道巷弄园厦苑庄社号栋幢楼]"
_MASKED = r"[*＊×]{2,}|[Xx]{3,}|某某|…{1,}"
_FILLERS = (
    "无", "暂无", "没有", "不详", "未知", "未填", "待定", "待补", "测试", "空",
    "NULL", "null", "None", "none", "N/A", "n/a", "NA", "test", "TEST",
    "-", "--", "/", "\\", ".", "?", "？", "0",
)  # fmt: skip
_REPEATED_CHARACTER = r"^(0{3,}|1{3,}|9{3,}|[xX]{3,}|-{2,}|某{2,})$"
_RESIDENT_NUMBER_INSIDE = (
    r"(^|[^0-9A-Za-z])[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
    r"[0-9]{3}[0-9Xx]($|[^0-9A-Za-z])"
)
_MOBILE_INSIDE = r"(^|[^0-9A-Za-z])1[3-9][0-9]{9}($|[^0-9A-Za-z])"
_MARRIED = (
    "已婚", "初婚", "再婚", "复婚", "离婚", "离异", "丧偶",
    "20", "21", "22", "23", "30", "40",
)  # fmt: skip
"""Words and GB/T 2261.2 codes of people who are or were married."""
_LEGAL_AGE = {"男": 22, "1": 22, "女": 20, "2": 20}
"""Civil Code, article 1047."""
_OLDEST = 130


def _value(rule: Rule) -> pl.Expr:
    return pl.col(rule.columns[0])


def _born(column: str) -> pl.Expr:
    """The birth date that a date column or a resident number gives; null where it gives none."""
    text = pl.col(column).cast(pl.String)
    of_date = text.str.to_date("%Y-%m-%d", strict=False)
    return pl.coalesce(of_date, text.str.slice(6, 8).str.to_date("%Y%m%d", strict=False))


def _age(born: pl.Expr, day: date) -> pl.Expr:
    """Completed years on a day."""
    ordinal = day.month * 100 + day.day
    not_yet = born.dt.month().cast(pl.Int32) * 100 + born.dt.day().cast(pl.Int32) > ordinal
    return day.year - born.dt.year() - not_yet.cast(pl.Int32)


def _organisation_code(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).map_batches(check_digits.organisation_code_holds, return_dtype=pl.Boolean)


def _inner_organisation_code(rule: Rule, _: date) -> pl.Expr:
    """Characters 9 to 17 of a unified code that is right as a whole."""
    holds = _value(rule).map_batches(check_digits.unified_code_holds, return_dtype=pl.Boolean)
    inner = (
        _value(rule)
        .str.slice(8, 9)
        .map_batches(check_digits.organisation_code_holds, return_dtype=pl.Boolean)
    )
    return pl.when(holds).then(inner)


def _division_code(rule: Rule, day: date) -> pl.Expr:
    return _is_division(_value(rule), pl.lit(day))


def _division_code_at(rule: Rule, _: date) -> pl.Expr:
    return _is_division(_value(rule), pl.col(rule.columns[1]).cast(pl.Date, strict=False))


def _division_or_zone_code(rule: Rule, day: date) -> pl.Expr:
    zones = [zone.code for zone in reference_tables.zones()]
    return _value(rule).is_in(zones) | _is_division(_value(rule), pl.lit(day))


def _is_division(code: pl.Expr, day: pl.Expr) -> pl.Expr:
    """A code of this city by the dated table, another by its form and province; without a day,
    whether it ever was one."""
    known = reference_tables.divisions()
    prefixes = sorted({division.code[:4] for division in known})
    in_use = pl.lit(False)
    for division in known:
        then = (day >= pl.lit(division.first)) & (day <= pl.lit(division.last))
        in_use |= (code == division.code) & then.fill_null(True)
    formed = code.str.contains(r"^[0-9]{6}$") & code.str.slice(0, 2).is_in(
        list(reference_tables.provinces())
    )
    return pl.when(code.str.slice(0, 4).is_in(prefixes)).then(in_use).otherwise(formed)


def _address(rule: Rule, _: date) -> pl.Expr:
    """At least four characters, among them Chinese ones and a word for a place; a masked address
    is for `not_masked` to tell."""
    value = _value(rule)
    placed = value.str.contains(_HAN) & value.str.contains(_ADDRESS_UNIT)
    plain = ~value.str.contains(_MASKED)
    return pl.when(plain).then(placed & (value.str.len_chars() >= 4))


def _not_masked(rule: Rule, _: date) -> pl.Expr:
    return ~_value(rule).str.contains(_MASKED)


def _not_filler(rule: Rule, _: date) -> pl.Expr:
    value = _value(rule).str.strip_chars(" \u3000")
    return ~(value.is_in(list(_FILLERS)) | value.str.contains(_REPEATED_CHARACTER))


def _no_personal_number(rule: Rule, _: date) -> pl.Expr:
    return ~_value(rule).str.contains(f"{_RESIDENT_NUMBER_INSIDE}|{_MOBILE_INSIDE}")


def _not_before(rule: Rule, _: date) -> pl.Expr:
    first = date.fromisoformat(rule.arguments[0])
    return _value(rule).cast(pl.Date, strict=False) >= pl.lit(first)


def _birth_date(rule: Rule, day: date) -> pl.Expr:
    """A day on which somebody can have been born who lives or died of late."""
    return _age(_value(rule).cast(pl.Date, strict=False), day).is_between(0, _OLDEST)


def _age_between(rule: Rule, day: date) -> pl.Expr:
    low, high = (int(float(bound)) for bound in rule.arguments)
    return _age(_born(rule.columns[0]), day).is_between(low, high)


def _age_allows(rule: Rule, day: date) -> pl.Expr:
    status, _, low, high = rule.arguments
    age = _age(_born(rule.columns[1]), day)
    fits = age.is_between(int(float(low)), int(float(high)))
    return pl.when(_value(rule) == status).then(fits)


def _marriage_age(rule: Rule, day: date) -> pl.Expr:
    """Who is or was married has the legal age; without a sex that is told, the lower one."""
    _, sex = rule.columns[1], rule.columns[2]
    legal = (
        pl.col(sex)
        .cast(pl.String)
        .replace_strict(_LEGAL_AGE, default=min(_LEGAL_AGE.values()), return_dtype=pl.Int32)
    )
    of_age = _age(_born(rule.columns[1]), day) >= legal
    return pl.when(_value(rule).cast(pl.String).is_in(list(_MARRIED))).then(of_age)


def _in_reference(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).is_in(list(reference_tables.code_tables()[rule.arguments[0]]))


def _amount(rule: Rule, _: date) -> pl.Expr:
    """From 0 to a most, in whole cents."""
    value = _value(rule).cast(pl.Float64)
    cents = value * 100
    whole = (cents - cents.round()).abs() <= 1e-6 * (cents.abs() + 1)
    return value.is_between(0, float(rule.arguments[0])) & whole


def _sums_to(rule: Rule, _: date) -> pl.Expr:
    """The value is the sum of two others, to the cent."""
    total = pl.col(rule.columns[1]).cast(pl.Float64) + pl.col(rule.columns[2]).cast(pl.Float64)
    return (_value(rule).cast(pl.Float64) - total).abs() < 0.005


def _postal_code(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).str.contains(r"^[0-8][0-9]{5}$")


CHECKS: dict[str, tuple[Build, tuple[str, ...]]] = {
    "organisation_code": (_organisation_code, ()),
    "inner_organisation_code": (_inner_organisation_code, ()),
    "division_code": (_division_code, ()),
    "division_code_at": (_division_code_at, ("column",)),
    "division_or_zone_code": (_division_or_zone_code, ()),
    "address": (_address, ()),
    "not_masked": (_not_masked, ()),
    "not_filler": (_not_filler, ()),
    "no_personal_number": (_no_personal_number, ()),
    "not_before": (_not_before, ("date",)),
    "birth_date": (_birth_date, ()),
    "age_between": (_age_between, ("number", "number")),
    "age_allows": (_age_allows, ("text", "column", "number", "number")),
    "marriage_age": (_marriage_age, ("column", "column")),
    "in_reference": (_in_reference, ("reference",)),
    "amount": (_amount, ("number",)),
    "sums_to": (_sums_to, ("column", "column")),
    "postal_code": (_postal_code, ()),
}
"""Check → how it is built, and the kinds of its arguments: `column`, `number`, `text`, `date`
(written "2000-01-31") or `reference` (a table of `reference/codes.yaml`)."""
