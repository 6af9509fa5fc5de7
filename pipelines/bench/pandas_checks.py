"""The contracts' checks as most teams run them: Great Expectations on pandas DataFrames.

Belongs here: files into DataFrames, rules into expectations, and the run with failing rows kept.
Does not belong here: anything that the platform itself uses.

What an expectation of the library says (missing values, domains, patterns, ranges, keys) is that
expectation. The rest is what people write beside it: a column of Booleans made by a Python
function per value, and the expectation that it holds.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.bench.meter import Marks
from pipelines.bench.places import Places
from pipelines.home import sources_folder
from quality.catalogue import read_catalogue
from quality.check_digits import RESIDENT_NUMBER_PATTERN, UNIFIED_CODE_PATTERN
from quality.contract import Contract, Rule
from quality.garbled_text import GARBLED_PATTERN
from quality.row_rules import LANDLINE_PATTERN, MOBILE_PATTERN

RESULT = "pandas_checks.json"
_PATTERNS = {
    "person_name": "^[\u4e00-\u9fff]+(·[\u4e00-\u9fff]+)*$",
    "phone": f"{MOBILE_PATTERN}|{LANDLINE_PATTERN}",
    "resident_number_format": RESIDENT_NUMBER_PATTERN,
    "unified_code_format": UNIFIED_CODE_PATTERN,
}
_NOT_ASKED = frozenset(("row_shape", "whole_code"))
"""Checks of the file as text; they have no meaning once pandas has read it."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

Frames = dict[str, pd.DataFrame]


def run(marks: Marks, places: Places, business_date: date) -> None:
    """Read one night's deliveries, check them all, and write how many rules and failures."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    marks.set("read")
    contracts = list(read_catalogue(sources_folder()).contracts)
    found = {c.table: read(places.deliveries(business_date), c) for c in contracts}
    frames = {table: frame for table, frame in found.items() if frame is not None}
    marks.set("check")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("pandas")
    counts = dict.fromkeys(("rows", "rules", "failed_rules", "failures", "rules_left_out"), 0)
    counts["rows"] = sum(len(frame) for frame in frames.values())
    for contract in contracts:
        if contract.table not in frames:
            continue
        frame, expectations, left_out = prepare(contract, frames, business_date)
        batch = source.add_dataframe_asset(contract.table).add_batch_definition_whole_dataframe(
            "all"
        )
        suite = context.suites.add(gx.ExpectationSuite(contract.table, expectations=expectations))
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=contract.table, data=batch, suite=suite)
        )
        outcome = definition.run(
            batch_parameters={"dataframe": frame},
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": list(contract.key),
            },
        )
        counts["rules"] += len(outcome.results)
        counts["rules_left_out"] += left_out
        counts["failed_rules"] += sum(not result.success for result in outcome.results)
        counts["failures"] += sum(r.result.get("unexpected_count", 0) for r in outcome.results)
    (places.folder / RESULT).write_text(json.dumps(counts) + "\n", encoding="utf-8")


def read(deliveries: Path, contract: Contract) -> pd.DataFrame | None:
    """All files of one dataset under the contract's names, texts as they are; None without."""
    paths = sorted((deliveries / contract.department).glob(f"{contract.dataset}_2*"))
    if not paths:
        return None
    names = [column.name for column in contract.columns]
    frames = [
        pd.read_excel(path, dtype=str, names=names, engine="calamine")
        if path.suffix == ".xlsx"
        else pd.read_csv(
            path, dtype=str, names=names, header=0, sep=contract.delimiter or ",",
            encoding=contract.encoding or "utf-8",
        )
        for path in paths
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def prepare(
    contract: Contract, frames: Frames, business_date: date
) -> tuple[pd.DataFrame, list[Any], int]:
    """The typed frame with its Boolean columns, the expectations, and how many rules are left out.

    Left out are rules that this module does not know; not asked, and not counted, what needs the
    deliveries before: the ledger's rules, and those of anomalies.
    """
    texts = frames[contract.table]
    frame = texts.copy()
    for column in contract.columns:
        if column.logical_type == "date":
            frame[column.name] = pd.to_datetime(
                texts[column.name], format="%Y-%m-%d", errors="coerce"
            )
        elif column.logical_type in ("number", "integer"):
            frame[column.name] = pd.to_numeric(texts[column.name], errors="coerce")
    expectations: list[Any] = []
    left_out = 0
    for rule in contract.rules:
        if rule.family in ("delivery", "anomaly") or rule.check in _NOT_ASKED:
            left_out += rule.family == "row"
            continue
        if found := list(_of_the_library(rule, contract)):
            expectations += found
        elif rule.check in _BOOLEANS:
            frame[rule.rule_id] = _BOOLEANS[rule.check](rule, frame, texts, frames, business_date)
            expectations.append(
                _expect("ColumnValuesToBeInSet", column=rule.rule_id, value_set=[True])
            )
        else:
            left_out += 1
    return frame, expectations, left_out


def _of_the_library(rule: Rule, contract: Contract) -> Iterator[Any]:
    column = rule.columns[0] if rule.columns else ""
    if rule.check in _PATTERNS or rule.check == "matches":
        pattern = _PATTERNS.get(rule.check) or rule.arguments[0]
        yield _expect("ColumnValuesToMatchRegex", column=column, regex=pattern)
    match rule.check:
        case "required":
            yield _expect("ColumnValuesToNotBeNull", column=column)
        case "domain":
            yield _expect("ColumnValuesToBeInSet", column=column, value_set=list(rule.arguments))
        case "readable_text":
            for name in rule.columns:
                yield _expect("ColumnValuesToNotMatchRegex", column=name, regex=GARBLED_PATTERN)
        case "between":
            low, high = (float(bound) for bound in rule.arguments)
            yield _expect("ColumnValuesToBeBetween", column=column, min_value=low, max_value=high)
        case "key_unique" if len(contract.key) == 1:
            yield _expect("ColumnValuesToBeUnique", column=contract.key[0])
        case "key_unique":
            yield _expect("CompoundColumnsToBeUnique", column_list=list(contract.key))
        case "rowCount":
            yield _expect("TableRowCountToBeBetween", min_value=1)


def _expect(name: str, **arguments: Any) -> Any:
    expectations: Any = importlib.import_module("great_expectations.expectations")
    return getattr(expectations, f"Expect{name}")(**arguments)


def resident_number(value: str) -> bool:
    """GB 11643, a value at a time."""
    if len(value) != 18 or not value[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == value[17]


def unified_code(value: str) -> bool:
    """GB 32100, a value at a time."""
    if len(value) != 18 or any(character not in _ALPHABET for character in value):
        return False
    total = sum(_ALPHABET.index(value[i]) * pow(3, i, 31) for i in range(17))
    return _ALPHABET[(31 - total % 31) % 31] == value[17]


def _by_value(check: Callable[[str], bool]) -> Callable[..., pd.Series]:
    def column(rule: Rule, frame: pd.DataFrame, *_: Any) -> pd.Series:
        return frame[rule.columns[0]].map(check, na_action="ignore")

    return column


def _type(rule: Rule, frame: pd.DataFrame, texts: pd.DataFrame, *_: Any) -> pd.Series:
    name = rule.columns[0]
    return texts[name].isna() | frame[name].notna()


def _not_in_future(
    rule: Rule, frame: pd.DataFrame, _: pd.DataFrame, __: Frames, night: date
) -> pd.Series:
    values = frame[rule.columns[0]]
    return (values <= pd.Timestamp(night)).where(values.notna())


def _month_not_in_future(
    rule: Rule, frame: pd.DataFrame, _: pd.DataFrame, __: Frames, night: date
) -> pd.Series:
    values = frame[rule.columns[0]]
    return (values <= f"{night:%Y-%m}").where(values.notna())


def _in_order(rule: Rule, frame: pd.DataFrame, *_: Any) -> pd.Series:
    first, second = frame[rule.columns[0]], frame[rule.columns[1]]
    return (first <= second).where(first.notna() & second.notna())


def _birth_date_agrees(rule: Rule, frame: pd.DataFrame, *_: Any) -> pd.Series:
    values, numbers = frame[rule.columns[0]], frame[rule.columns[1]]
    return (values.dt.strftime("%Y%m%d") == numbers.str[6:14]).where(
        values.notna() & numbers.notna()
    )


def _sex_agrees(rule: Rule, frame: pd.DataFrame, *_: Any) -> pd.Series:
    values, numbers = frame[rule.columns[0]], frame[rule.columns[1]]
    odd = numbers.str[16:17].isin(list("13579"))
    return ((values == "男") == odd).where(values.notna() & numbers.notna())


def _exists_in(
    rule: Rule, frame: pd.DataFrame, _: pd.DataFrame, frames: Frames, __: date
) -> pd.Series:
    table, column = rule.arguments
    values = frame[rule.columns[0]]
    known = frames[table][column] if table in frames else pd.Series(dtype=str)
    return values.isin(known).where(values.notna())


def _expression(rule: Rule, frame: pd.DataFrame, *_: Any) -> pd.Series:
    """Through Polars, which reads the contract's SQL; by hand it would be one of pandas."""
    import polars as pl

    expression = pl.sql_expr(rule.arguments[0])
    names = dict.fromkeys(expression.meta.root_names())
    columns = pl.from_pandas(frame[list(names)])
    return columns.select(expression.alias("verdict"))["verdict"].to_pandas()


_BOOLEANS: dict[str, Callable[..., pd.Series]] = {
    "type": _type,
    "resident_number": _by_value(resident_number),
    "unified_code": _by_value(unified_code),
    "not_after_business_date": _not_in_future,
    "month_not_after_business_date": _month_not_in_future,
    "in_order": _in_order,
    "birth_date_agrees": _birth_date_agrees,
    "sex_agrees": _sex_agrees,
    "exists_in": _exists_in,
    "expression": _expression,
}
