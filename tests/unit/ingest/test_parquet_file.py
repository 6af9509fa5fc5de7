"""Parquet: typed values as texts that the door reads back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.ingest import limits, parse
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import LINE
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError

VALUES: list[tuple[Any, pa.DataType, str]] = [
    ("文", pa.string(), "文"),
    (371302199001011234, pa.int64(), "371302199001011234"),
    (Decimal("12.50"), pa.decimal128(8, 2), "12.50"),
    (0.1, pa.float64(), "0.1"),
    (5.0, pa.float64(), "5"),
    (True, pa.bool_(), "true"),
    (date(2026, 3, 5), pa.date32(), "2026-03-05"),
    (datetime(2026, 3, 5), pa.timestamp("us"), "2026-03-05"),
    (datetime(2026, 3, 5, 8, 30), pa.timestamp("ns"), "2026-03-05 08:30:00"),
    (datetime(2026, 3, 5, 8, 30, 0, 500_000), pa.timestamp("ms"), "2026-03-05 08:30:00.500"),
    (datetime(2026, 3, 5, 8, 30, tzinfo=UTC), pa.timestamp("us", "UTC"),
     "2026-03-05 08:30:00+00:00"),
    (time(8, 30), pa.time64("us"), "08:30:00"),
    ([1, 2], pa.list_(pa.int64()), "[1, 2]"),
    ({"x": "一"}, pa.struct([("x", pa.string())]), '{"x": "一"}'),
    (b"\x01\xff", pa.binary(), "01ff"),
    ("文", pa.dictionary(pa.int8(), pa.string()), "文"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "text"), VALUES, ids=lambda item: str(item)[:30])
def test_a_value_is_the_text_it_is_read_back_from(
    tmp_path: Path, value: Any, kind: pa.DataType, text: str
) -> None:
    path = tmp_path / "x"
    table = pa.table({"值": pa.array([value, None], kind), "编号": ["1", "2"]})
    pq.write_table(table, path)
    frame = pl.concat(parse.read(path, Layout(), Findings()))
    assert frame.select("值", "编号", LINE).rows() == [(text, "1", 1), ("", "2", 2)]


def test_a_row_group_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PARQUET_GROUP_BYTES", 10)
    pq.write_table(pa.table({"a": ["x" * 100], "b": ["y"]}), tmp_path / "x")
    with pytest.raises(RefusedError, match="too_large"):
        list(parse.read(tmp_path / "x", Layout(), Findings()))


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    pq.write_table(pa.table({"a": ["x" * 100], "b": ["y"]}), path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(RefusedError, match="unreadable_file"):
        list(parse.read(path, Layout(), Findings()))
