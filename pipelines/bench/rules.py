"""`yishu bench rules`: eight row rules with the failing keys kept, three ways.

Belongs here: the rules, the runs that are made, and how they are shown. Does not belong here: one
run (`rules_run`).

The three ways judge the same typed rows in one Parquet file and write the same findings, key and
rule, to another: Pandera on Polars as the door calls it; one hand-written SQL pass in DuckDB; GX
on a pandas DataFrame, the way that most teams take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import median

import duckdb

from pipelines.bench import payments
from pipelines.bench.machine import Run, describe, measure
from quality.contract import Column, Contract

RULES = (
    "id_number__required",
    "tax_kind__domain",
    "amount_paid_in_range",
    "paid_not_above_due",
    "period_not_in_future",
    "phone_format",
    "id_number_check_digit",
    "unified_code_check_digit",
)
"""One of each kind: presence, domain, range, two columns, time, pattern, two check digits."""

WAYS = ("yishu", "sql", "gx_pandas")
_MODULE = "pipelines.bench.rules_run"
_FAULT_EVERY = 1_000
"""One row in so many breaks each rule, at a place of its own, so that no way can skip one."""


class DisagreementError(Exception):
    """Two ways found different rows, so that their times cannot be compared."""


@dataclass(frozen=True)
class Way:
    """The median run of one way; `quarantined` of it counts the findings."""

    name: str
    run: Run
    ratio: float
    """Median over the rounds of its seconds to those of the SQL pass of the same round."""


def contract() -> Contract:
    """The benchmark's contract with the eight rules alone."""
    whole = payments.contract()
    return replace(whole, rules=tuple(rule for rule in whole.rules if rule.rule_id in RULES))


def make_rows(folder: Path, rows: int) -> Path:
    """The typed rows as Parquet, made once a size."""
    path = folder / f"payment_rules_{rows}.parquet"
    if path.exists():
        return path
    text = payments.make_csv(folder, rows)
    columns = ", ".join(
        f"{_spoilt(column)}::{column.sql_type} as {column.name}" for column in contract().columns
    )
    reader = f"select *, row_number() over () as row from read_csv('{text}', all_varchar = true)"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {columns} from ({reader})) to '{path}.part' (format parquet)"
        )
    Path(f"{path}.part").replace(path)
    return path


def _spoilt(column: Column) -> str:
    """SQL of a column's text, which breaks a rule now and then."""
    text = f'"{column.header}"'
    other_check = f"left({text}, 17) || if(right({text}, 1) = '0', '1', '0')"
    faults = {
        "id_number": {1: "null", 2: other_check},
        "tax_kind": {3: "'环境税'"},
        "amount_paid": {4: "'-1'", 5: "'99999999'"},
        "phone": {6: "'12345'"},
        "unified_code": {8: other_check},
    }.get(column.name, {})
    cases = " ".join(f"when row % {_FAULT_EVERY} = {n} then {sql}" for n, sql in faults.items())
    return f"case {cases} else {text} end" if faults else text


def run(
    folder: Path, rows: int, repeats: int, ways: list[str], report: Callable[[str], None]
) -> list[Way]:
    """Measure each way `repeats` times, in turn.

    Raises:
        DisagreementError: the ways found different findings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = make_rows(folder, rows)
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way in ways:
            runs[way].append(measure(way, str(path), module=_MODULE))
    found = {way: {one.quarantined for one in own} for way, own in runs.items()}
    if len(set.union(*found.values())) != 1:
        raise DisagreementError(f"findings by way: {found}")
    result = []
    for way, own in runs.items():
        ratio = median(
            one.seconds / base.seconds for one, base in zip(own, runs["sql"], strict=True)
        )
        middle = sorted(own, key=lambda one: one.seconds)[len(own) // 2]
        result.append(Way(way, replace(middle, peak_mb=max(o.peak_mb for o in own)), ratio))
        report(f"{way}: {middle.seconds:.2f} s, {ratio:.2f} x")
    return result


def table(ways: list[Way], repeats: int) -> str:
    """The result as Markdown, with machine and date."""
    lines = [
        f"Machine: {describe()}. {date.today():%Y-%m-%d}. Median of {repeats} runs, in turn; "
        "imports excluded.",
        "",
        "| way | rows | rules | findings | s | CPU s | peak MB | ratio to SQL |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {way.name} | {way.run.rows:,} | {len(RULES)} | {way.run.quarantined:,} | "
        f"{way.run.seconds:.2f} | {way.run.cpu_seconds:.2f} | {way.run.peak_mb:,.0f} | "
        f"{way.ratio:.2f} |"
        for way in ways
    ]
    return "\n".join(lines) + "\n"
