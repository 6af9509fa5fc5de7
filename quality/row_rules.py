"""The named checks that one row can fail, as Polars expressions.

Belongs here: what each named check means; true passes, false fails, null was not judged
(a value is missing, or another rule already refuses it: one cause, one finding). Only false is a
finding.
Does not belong here: which dataset uses which check (the contract), or running them
(`pandera_schemas`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

import polars as pl

from quality import check_digits, garbled_text, public_data_rules, spreadsheet, text_forms
from quality.contract import Rule

MOBILE_PATTERN = r"^1[3-9][0-9]{9}$"
LANDLINE_PATTERN = r"^(0[0-9]{2,3}-?)?[2-8][0-9]{6,7}$"
PERSON_NAME_PATTERN = r"^[\p{Han}]{1,}(·[\p{Han}]+)*$"
_MONTH_PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])$"


@dataclass(frozen=True)
class RowCheck:
    """A named check: `build(rule, business_date)` gives the verdict as an expression.

    `parameters` names the kind of each argument: `column`, `number`, `text`, `date` or
    `reference` (a table of codes).
    """

    build: Callable[[Rule, date], pl.Expr]
    parameters: tuple[str, ...] = ()


def uncast_marker(column: str) -> str:
    """Name of the Boolean that the door sets where a text could not be read as its type."""
    return f"{column}__uncast"


def _value(rule: Rule) -> pl.Expr:
    return pl.col(rule.columns[0])


def _birth_date(column: str) -> pl.Expr:
    return pl.col(column).str.slice(6, 8).str.to_date("%Y%m%d", strict=False)


def _valid_resident_number(column: str) -> pl.Expr:
    return pl.col(column).map_batches(check_digits.resident_number_holds, return_dtype=pl.Boolean)


def _required(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).is_not_null() | pl.col(uncast_marker(rule.columns[0]))


def _type(rule: Rule, _: date) -> pl.Expr:
    return ~pl.col(uncast_marker(rule.columns[0]))


def _domain(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).is_in(list(rule.arguments))


def _readable_text(rule: Rule, _: date) -> pl.Expr:
    if not rule.columns:
        return pl.lit(True)
    return pl.map_batches(rule.columns, garbled_text.none_is_garbled, return_dtype=pl.Boolean)


def _row_shape(_: Rule, __: date) -> pl.Expr:
    return ~pl.col("_ragged")


def _whole_code(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).map_batches(spreadsheet.is_whole, return_dtype=pl.Boolean)


def _resident_number_format(rule: Rule, _: date) -> pl.Expr:
    """The form, with a birth date that the calendar has."""
    return _value(rule).map_batches(check_digits.resident_number_formed, return_dtype=pl.Boolean)


def _resident_number(rule: Rule, _: date) -> pl.Expr:
    return _valid_resident_number(rule.columns[0])


def _unified_code_format(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).map_batches(check_digits.unified_code_formed, return_dtype=pl.Boolean)


def _unified_code(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).map_batches(check_digits.unified_code_holds, return_dtype=pl.Boolean)


def _birth_date_agrees(rule: Rule, _: date) -> pl.Expr:
    born = _birth_date(rule.columns[1])
    return pl.when(_valid_resident_number(rule.columns[1])).then(_value(rule) == born)


def _sex_agrees(rule: Rule, _: date) -> pl.Expr:
    odd = pl.col(rule.columns[1]).str.slice(16, 1).cast(pl.Int8, strict=False) % 2 == 1
    male = pl.when(_value(rule).is_in(["男", "女"])).then(_value(rule) == "男")
    return pl.when(_valid_resident_number(rule.columns[1])).then(male == odd)


def _phone(rule: Rule, _: date) -> pl.Expr:
    return _value(rule).map_batches(
        partial(text_forms.follows, pattern=f"{MOBILE_PATTERN}|{LANDLINE_PATTERN}"),
        return_dtype=pl.Boolean,
    )


def _person_name(rule: Rule, _: date) -> pl.Expr:
    return _if_readable(_value(rule), _is_person_name)


def _is_person_name(texts: pl.Series) -> pl.Series:
    return text_forms.is_han(texts, lambda others: others.str.contains(PERSON_NAME_PATTERN))


def _not_after_business_date(rule: Rule, business_date: date) -> pl.Expr:
    return _value(rule) <= pl.lit(business_date)


def _in_order(rule: Rule, _: date) -> pl.Expr:
    return _value(rule) <= pl.col(rule.columns[1])


def _between(rule: Rule, _: date) -> pl.Expr:
    low, high = (float(bound) for bound in rule.arguments)
    return _value(rule).cast(pl.Float64).is_between(low, high)


def _matches(rule: Rule, _: date) -> pl.Expr:
    return _if_readable(_value(rule), partial(text_forms.follows, pattern=rule.arguments[0]))


def _if_readable(value: pl.Expr, matches: Callable[[pl.Series], pl.Series]) -> pl.Expr:
    """Of a garbled text, `readable_text` says what is wrong; only what does not match is asked."""

    def judge(texts: pl.Series) -> pl.Series:
        return _unless(matches(texts), texts, garbled_text.is_garbled)

    return value.map_batches(judge, return_dtype=pl.Boolean)


def _month_not_after_business_date(rule: Rule, business_date: date) -> pl.Expr:
    """Judged of a month alone; only what comes later, as a text, has to be looked at for it."""
    latest = business_date.strftime("%Y-%m")

    def judge(texts: pl.Series) -> pl.Series:
        return _unless(texts <= latest, texts, lambda late: ~late.str.contains(_MONTH_PATTERN))

    return _value(rule).map_batches(judge, return_dtype=pl.Boolean)


def _unless(
    verdict: pl.Series, texts: pl.Series, excused: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """The verdict, null where it is false and another rule already refuses the value."""
    refused = (~verdict).fill_null(False).arg_true()
    if not len(refused):
        return verdict
    return verdict.scatter(refused.filter(excused(texts.gather(refused))), None)


def _expression(rule: Rule, _: date) -> pl.Expr:
    return pl.sql_expr(rule.arguments[0])


ROW_CHECKS: dict[str, RowCheck] = {
    "required": RowCheck(_required),
    "type": RowCheck(_type),
    "domain": RowCheck(_domain),
    "whole_code": RowCheck(_whole_code),
    "readable_text": RowCheck(_readable_text),
    "row_shape": RowCheck(_row_shape),
    "expression": RowCheck(_expression, ("text",)),
    "resident_number_format": RowCheck(_resident_number_format),
    "resident_number": RowCheck(_resident_number),
    "unified_code_format": RowCheck(_unified_code_format),
    "unified_code": RowCheck(_unified_code),
    "birth_date_agrees": RowCheck(_birth_date_agrees, ("column",)),
    "sex_agrees": RowCheck(_sex_agrees, ("column",)),
    "phone": RowCheck(_phone),
    "person_name": RowCheck(_person_name),
    "not_after_business_date": RowCheck(_not_after_business_date),
    "month_not_after_business_date": RowCheck(_month_not_after_business_date),
    "in_order": RowCheck(_in_order, ("column",)),
    "between": RowCheck(_between, ("number", "number")),
    "matches": RowCheck(_matches, ("text",)),
}

ROW_CHECKS |= {
    name: RowCheck(build, parameters)
    for name, (build, parameters) in public_data_rules.CHECKS.items()
}

DERIVED_ROW_CHECKS = (
    "required", "type", "domain", "whole_code", "readable_text", "row_shape", "expression",
)  # fmt: skip
"""Checks that follow from the contract's structure and are not written by name in it."""


def verdict(rule: Rule, business_date: date) -> pl.Expr:
    """The verdict of one row rule, named by its id.

    Raises:
        KeyError: the contract names a check that does not exist (the lint refuses it first).
    """
    return ROW_CHECKS[rule.check].build(rule, business_date).alias(rule.rule_id)
