"""One timed run, in a process of its own: `yishu FILE`, `sql FILE` or `gx_pandas FILE`.

The time starts after the imports and ends when all findings are on disk; prints JSON. Some imports
come late, with the first rows; so each way first judges a few rows of the same file.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import duckdb

from pipelines.bench.machine import Run, Stopwatch, peak_memory_mb
from pipelines.bench.rules import contract

DAY = date(2026, 6, 30)
_KEY = "voucher_number"
_FIRST_ROWS = 1_000


def yishu(path: Path, target: Path) -> Callable[[], int]:
    """Pandera on Polars, chunk by chunk, read ahead, as the door asks it.

    Only the columns that a rule needs are read, and the key: so does DuckDB for the SQL pass.
    """
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipelines.ingest import flow
    from pipelines.ingest.frames import CHUNK_ROWS
    from quality.pandera_schemas import INDEX, RAGGED, failures, row_schema
    from quality.row_rules import uncast_marker

    whole = contract()
    needed = {_KEY}.union(*(rule.columns for rule in whole.rules))
    used = replace(whole, columns=tuple(c for c in whole.columns if c.name in needed))
    names = [*(uncast_marker(column.name) for column in used.columns), RAGGED]
    markers = [pl.lit(False).alias(name) for name in names]

    def chunks() -> Iterator[pl.DataFrame]:
        columns = [column.name for column in used.columns]
        for batch in pq.ParquetFile(path).iter_batches(CHUNK_ROWS, columns=columns):
            yield pl.from_arrow(pa.Table.from_batches([batch])).with_columns(markers)  # type: ignore[union-attr]

    def work() -> int:
        schema = row_schema(used, DAY)
        found = []
        for rows in flow.ahead(chunks()):
            fails = failures(schema, used, rows)
            found.append(fails.select(rows[_KEY].gather(fails[INDEX]).alias("key"), "rule_id"))
        findings = pl.concat(found)
        findings.write_parquet(target)
        return findings.height

    return work


def sql(path: Path, target: Path) -> Callable[[], int]:
    """One pass that somebody who knows DuckDB would write."""

    def work() -> int:
        with duckdb.connect() as connection:
            connection.execute(_CHECK_DIGITS)
            query = _SQL.format(path=path, day=DAY, month=f"{DAY:%Y-%m}")
            done = connection.execute(f"copy ({query}) to '{target}'").fetchall()
        return int(done[0][0])

    return work


def gx_pandas(path: Path, target: Path) -> Callable[[], int]:
    """GX on a DataFrame; what it has no expectation for is worked out as a column before."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import numpy as np
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    used = contract()
    domain = next(rule.arguments for rule in used.rules if rule.check == "domain")
    codes = "0123456789ABCDEFGHJKLMNPQRTUWXY"

    def holds(texts: pd.Series, alphabet: str, weights: list[int], checks: str) -> pd.Series:
        place = {character: value for value, character in enumerate(alphabet)}

        def one(text: str) -> bool:
            total = sum(place[c] * w for c, w in zip(text[:17], weights, strict=True))
            return text[17] == checks[total % len(checks)]

        return texts.map(one, na_action="ignore").fillna(True).astype(bool)

    def work() -> int:
        rows = pd.read_parquet(path)
        resident = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        unified = [pow(3, power, 31) for power in range(17)]
        rows["id_number_holds"] = holds(rows["id_number"], "0123456789", resident, "10X98765432")
        checks = codes[0] + codes[:0:-1]
        rows["unified_code_holds"] = holds(rows["unified_code"], codes, unified, checks)
        rows["period_number"] = rows["period"].str.replace("-", "").astype(int)
        rows["amount_due"] = rows["amount_due"].astype(float)
        rows["amount_paid"] = rows["amount_paid"].astype(float)
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("rows").add_dataframe_asset("payment")
        batch = asset.add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(gx.ExpectationSuite("eight"))
        phone = r"^1[3-9][0-9]{9}$|^(0[0-9]{2,3}-?)?[2-8][0-9]{6,7}$"
        for expectation in (
            gxe.ExpectColumnValuesToNotBeNull(column="id_number"),
            gxe.ExpectColumnValuesToBeInSet(column="tax_kind", value_set=list(domain)),
            gxe.ExpectColumnValuesToBeBetween(column="amount_paid", min_value=0, max_value=1e10),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="amount_due", column_B="amount_paid", or_equal=True
            ),
            gxe.ExpectColumnValuesToBeBetween(column="period_number", max_value=int(f"{DAY:%Y%m}")),
            gxe.ExpectColumnValuesToMatchRegex(column="phone", regex=phone),
            gxe.ExpectColumnValuesToBeInSet(column="id_number_holds", value_set=[True]),
            gxe.ExpectColumnValuesToBeInSet(column="unified_code_holds", value_set=[True]),
        ):
            suite.add_expectation(expectation)
        validation = context.validation_definitions.add(
            gx.ValidationDefinition(name="eight", data=batch, suite=suite)
        )
        outcome = validation.run(
            batch_parameters={"dataframe": rows},
            result_format={
                "result_format": "COMPLETE", "unexpected_index_column_names": ["voucher_number"],
            },
        )  # fmt: skip
        keys = [
            (item["voucher_number"], place)
            for place, result in enumerate(outcome.results)
            for item in result.result.get("unexpected_index_list") or ()
        ]
        frame = pd.DataFrame(keys, columns=np.array(["key", "rule"]))
        frame.to_parquet(target)
        return len(frame)

    return work


_CHECK_DIGITS = """
create macro resident_holds(text) as text is null or text[18] = '10X98765432'[1 + (
    (ascii(text[1]) - 48) * 7 + (ascii(text[2]) - 48) * 9 + (ascii(text[3]) - 48) * 10
    + (ascii(text[4]) - 48) * 5 + (ascii(text[5]) - 48) * 8 + (ascii(text[6]) - 48) * 4
    + (ascii(text[7]) - 48) * 2 + (ascii(text[8]) - 48) + (ascii(text[9]) - 48) * 6
    + (ascii(text[10]) - 48) * 3 + (ascii(text[11]) - 48) * 7 + (ascii(text[12]) - 48) * 9
    + (ascii(text[13]) - 48) * 10 + (ascii(text[14]) - 48) * 5 + (ascii(text[15]) - 48) * 8
    + (ascii(text[16]) - 48) * 4 + (ascii(text[17]) - 48) * 2) % 11];
create macro place(sign) as strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', sign) - 1;
create macro unified_holds(text) as text[18] = '0123456789ABCDEFGHJKLMNPQRTUWXY'[1 + (31 - (
    place(text[1]) + place(text[2]) * 3 + place(text[3]) * 9 + place(text[4]) * 27
    + place(text[5]) * 19 + place(text[6]) * 26 + place(text[7]) * 16 + place(text[8]) * 17
    + place(text[9]) * 20 + place(text[10]) * 29 + place(text[11]) * 25 + place(text[12]) * 13
    + place(text[13]) * 8 + place(text[14]) * 24 + place(text[15]) * 10 + place(text[16]) * 30
    + place(text[17]) * 28) % 31) % 31]
"""

_SQL = """
with judged as (
    select voucher_number as key, [
        case when id_number is null then 'id_number__required' end,
        case when tax_kind not in ('增值税', '企业所得税', '个人所得税', '城市维护建设税', '印花税')
            then 'tax_kind__domain' end,
        case when amount_paid not between 0 and 10000000000 then 'amount_paid_in_range' end,
        case when amount_paid > amount_due then 'paid_not_above_due' end,
        case when period > '{month}' then 'period_not_in_future' end,
        case when not regexp_full_match(phone,
            '1[3-9][0-9]{{9}}|(0[0-9]{{2,3}}-?)?[2-8][0-9]{{6,7}}') then 'phone_format' end,
        case when not resident_holds(id_number) then 'id_number_check_digit' end,
        case when not unified_holds(unified_code) then 'unified_code_check_digit' end
    ] as rules
    from '{path}'
)
select key, unnest(list_filter(rules, lambda rule: rule is not null)) as rule_id from judged
"""


def _beginning(path: Path, folder: Path) -> Path:
    """The first rows, as a file."""
    beginning = folder / "beginning.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (from '{path}' limit {_FIRST_ROWS}) to '{beginning}'")
    return beginning


def main() -> None:
    """Measure once and print one line of JSON."""
    way, path = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="yishu-bench-", dir=path.parent) as folder:
        make = {"yishu": yishu, "sql": sql, "gx_pandas": gx_pandas}[way]
        make(_beginning(path, Path(folder)), Path(folder) / "first.parquet")()
        work = make(path, Path(folder) / "findings.parquet")
        watch = Stopwatch()
        findings = work()
        taken = watch.read()
    with duckdb.connect() as connection:
        rows = connection.execute(f"select count(*) from '{path}'").fetchall()[0][0]
    run = Run(*taken, round(peak_memory_mb(), 1), int(rows), findings)
    sys.stdout.write(json.dumps(asdict(run)) + "\n")


if __name__ == "__main__":
    main()
