"""Parquet → a table of texts.

Belongs here: typed values as the text the door reads them back from. Does not belong here: the
types of the contract (`cast`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest import header, limits
from pipelines.ingest.container import Member
from pipelines.ingest.frames import (
    Header,
    Table,
    check_width,
    column_names,
    with_door_columns,
)
from pipelines.ingest.refusal import RefusedError

_BATCH_ROWS = 131_072


def table(member: Member) -> Iterator[Table]:
    """The one table of a Parquet file; its frames must be read before the iterator goes on.

    Raises:
        RefusedError: damaged, or a row group beyond the limit.
    """
    with member.on_disk() as path:
        try:
            file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable() from error
        with file:
            schema = _schema(file)
            check_width(len(schema.names))
            meta = file.metadata
            sizes = [meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)]
            if max(sizes, default=0) > limits.PARQUET_GROUP_BYTES:
                message = "Parquet 文件的行组过大，请以每组不超过 100 万行重新导出后报送。"
                raise RefusedError("too_large", message)
            found = Header(tuple(map(header.clean, schema.names)), 0, 0, 0, "sure")
            columns = column_names(found.names)
            yield Table(
                found,
                None,
                lambda: _frames(file, columns),
                member=member.name,
                certainty={"header": "sure"},
            )


def _unreadable() -> RefusedError:
    message = "文件不是可读取的 Parquet 文件，可能已损坏，请重新导出后报送。"
    return RefusedError("unreadable_file", message)


def _schema(file: pq.ParquetFile) -> pa.Schema:
    try:
        return file.schema_arrow
    except (pa.ArrowException, ValueError) as error:
        raise _unreadable() from error


def _frames(file: pq.ParquetFile, columns: list[str]) -> Iterator[pl.DataFrame]:
    row = 1
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            texts = [
                text_series(array).alias(name)
                for name, array in zip(columns, batch.columns, strict=True)
            ]
            lines = pl.int_range(row, row + batch.num_rows, eager=True)
            yield with_door_columns(pl.DataFrame(texts), lines)
            row += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise _unreadable() from error


def text_series(array: pa.Array) -> pl.Series:
    """Values as text: a null is an empty text, a day has no time, a whole number no `.0`.

    Raises:
        polars.exceptions.PolarsError: text that is not UTF-8.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        array = array.cast(pa.large_binary())
        return _series(array).bin.encode("hex").fill_null("")
    if pa.types.is_nested(array.type):
        texts = [None if v is None else json.dumps(v, ensure_ascii=False, default=str)
                 for v in array.to_pylist()]  # fmt: skip
        return pl.Series(texts, dtype=pl.String).fill_null("")
    if pa.types.is_null(array.type):
        return pl.Series([""]).new_from_index(0, len(array))
    values = _series(array)
    if values.dtype in (pl.Float32, pl.Float64):
        texts_ = values.cast(pl.String)
        return texts_.str.strip_suffix(".0").fill_null("")
    if values.dtype == pl.Datetime:
        zone = "%:z" if getattr(values.dtype, "time_zone", None) else ""
        whole = values.dt.strftime(f"%Y-%m-%d %H:%M:%S%.f{zone}")
        return whole.str.strip_suffix(" 00:00:00").fill_null("")
    return values.cast(pl.String).fill_null("")


def _series(array: pa.Array) -> pl.Series:
    """Without the name that an array of a table keeps: Polars may take it for a pattern."""
    return pl.Series(pl.from_arrow(array)).alias("values")
