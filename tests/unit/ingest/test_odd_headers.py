"""Headers that mean something to the tools: a name is a name, whatever it looks like."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import Home
from pipelines.ingest import store
from tests.conftest import Land, MakeContract, TakeUp
from tests.unit.ingest import corpus

NIGHT = date(2026, 3, 5)
ODD = (
    "^编号$", "^.*$", "*", "^a", "$", ".*", "^$", "a*", "%", "row", "text", "\u200b数量", "__value",
    'say "x"', "{}", "#1", "select",
)  # fmt: skip


def odd_columns() -> list[dict[str, Any]]:
    """One text, one date, one whole number, one amount, and so on in turn."""
    kinds = [
        {"logicalType": "string", "physicalType": "varchar"},
        {"logicalType": "date", "physicalType": "date"},
        {"logicalType": "integer", "physicalType": "integer"},
        {"logicalType": "number", "physicalType": "decimal(18, 2)"},
    ]
    return [
        {"name": f"column_{place}", "physicalName": header.strip("\u200b"),
         **kinds[place % len(kinds)]}
        for place, header in enumerate(ODD)
    ]  # fmt: skip


PLAIN = ("甲", "2026-03-05", "7", "1.50")
PATIENT = (" 甲　", "2026年3月5日", "７", "1,234.50")


def record(values: tuple[str, ...]) -> list[str]:
    return [values[place % len(values)] for place in range(len(ODD))]


def written(path: Path, form: str, table: list[list[str]]) -> bytes:
    texts = {
        "csv": corpus.csv_text,
        "ragged.csv": corpus.csv_text,
        "json": corpus.json_text,
        "ndjson": corpus.ndjson_text,
        "html": corpus.html_text,
    }
    if form in texts:
        return texts[form](table).encode()
    if form == "xlsx":
        corpus.xlsx(path, {"水表": table})
    else:
        corpus.parquet(path, table)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["csv", "ragged.csv", "xlsx", "json", "ndjson", "html", "parquet"])
def test_odd_headers_load_with_every_reading(
    tmp_path: Path, home: Home, make_contract: MakeContract, land: Land, take_up: TakeUp, form: str
) -> None:
    """Without literal names a pattern reads other columns, or none, and the night crashes."""
    contract = make_contract(odd_columns(), server={"format": None, "encoding": None,
                                                    "delimiter": None})  # fmt: skip
    rows = [record(PLAIN), record(PATIENT), ["", *record(PLAIN)[1:]]]
    table = [list(ODD), *rows]
    if form == "ragged.csv":
        table.append(["乙"])
    content = written(tmp_path / "x", form, table)
    land(home, "water", f"meter_20260305.{form.removeprefix('ragged.')}", content)
    (receipt,) = take_up(home, contract, NIGHT)
    assert receipt.status == "loaded", receipt.reason
    assert (receipt.rows_accepted, receipt.rows_quarantined) == (3, form == "ragged.csv")
    found = duckdb.sql(
        f"select * from '{store.place(home.raw, 'water', 'meter', NIGHT)}/*.parquet' "
        "order by _line_number"
    ).fetchall()
    width = len(ODD)
    first, second, third = (row[:width] for row in found)
    assert first[:3] == ("甲", NIGHT, 7)
    assert second[:3] == ("甲", NIGHT, 7)
    assert str(second[3]) == "1234.50"
    assert third[0] is None
    changed = json.loads(found[1][width + 5])
    kept = range(width) if form != "html" else (place for place in range(width) if place % 4)
    assert set(changed) == {f"column_{place}" for place in kept}  # a page has no outer space
    assert changed["column_1"] == "2026年3月5日"
