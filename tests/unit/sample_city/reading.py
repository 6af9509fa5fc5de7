"""Reads a delivery the way its contract describes it, for the tests of the sample city."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import polars as pl
import python_calamine

from quality.contract import Contract
from quality.row_rules import uncast_marker, verdict


@lru_cache(maxsize=64)
def read_lines(path: Path, contract: Contract) -> list[list[str]]:
    """All lines of a file as texts; the first one holds the headers."""
    if contract.file_format == "xlsx":
        book = python_calamine.CalamineWorkbook.from_path(path)
        return book.get_sheet_by_name(contract.sheet).to_python()
    with path.open(encoding=contract.encoding, newline="") as file:
        return list(csv.reader(file, delimiter=contract.delimiter))


def read_typed(path: Path, contract: Contract) -> pl.DataFrame:
    """The rows with the contract's names and types, as the row rules want them."""
    header, *rows = read_lines(path, contract)
    assert tuple(header) == contract.headers
    names = [column.name for column in contract.columns]
    texts = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    texts = texts.with_columns(pl.when(pl.all() != "").then(pl.all()))
    frame = texts.with_columns(_cast(c.name, c.logical_type) for c in contract.columns)
    return frame.with_columns(
        (texts[name].is_not_null() & frame[name].is_null()).alias(uncast_marker(name))
        for name in names
    ).with_columns(pl.lit(False).alias("_ragged"))


def findings(path: Path, contract: Contract, business_date) -> set[tuple[int, str]]:
    """(line number, rule) of every row rule that a row of the file breaks."""
    frame = read_typed(path, contract)
    rules = contract.rules_of("row")
    verdicts = frame.select(verdict(rule, business_date) for rule in rules)
    return {
        (row + 2, rule.rule_id)
        for rule in rules
        for row in (verdicts[rule.rule_id] == False).fill_null(False).arg_true()  # noqa: E712
    }


def _cast(name: str, logical_type: str) -> pl.Expr:
    column = pl.col(name)
    if logical_type == "date":
        return column.str.to_date("%Y-%m-%d", strict=False)
    if logical_type == "integer":
        return column.cast(pl.Int64, strict=False)
    if logical_type == "number":  # amounts to the fen; a third decimal is not rounded away
        exact = column.str.contains(r"^-?\d+(\.\d{1,2})?$")
        return pl.when(exact).then(column).cast(pl.Float64, strict=False)
    return column
