"""The bytes of a text column, for checks that need no pattern matcher.

Belongs here: a column's UTF-8 as one array; which of its rows hold some of these bytes; columns of
one width, place by place. Does not belong here: what a byte means (`check_digits`, `row_rules`).

A pattern costs some 45 ns a value, whatever it says. Looking at all bytes of a column at once costs
a tenth of that, and gives the same answer wherever the question is about single bytes or places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa


@dataclass(frozen=True)
class TextBytes:
    """All values of a column, one behind the other.

    `data` (uint8) holds the bytes; those of row `i` are `data[ends[i]:ends[i + 1]]`, and `ends`
    (int64) has one entry more than there are rows. A null has no bytes.
    """

    data: np.ndarray
    ends: np.ndarray

    def rows_with(self, marked: np.ndarray) -> np.ndarray:
        """Positions of the rows in which a byte is marked, each once.

        Args:
            marked: one Boolean a byte.
        """
        places = np.flatnonzero(marked)
        return np.unique(np.searchsorted(self.ends, places, side="right") - 1)

    def without(self, marked: np.ndarray) -> pl.Series:
        """Whether each row holds no marked byte; true of a row without bytes."""
        holds = np.ones(len(self.ends) - 1, dtype=bool)
        if marked.any():
            holds[self.rows_with(marked)] = False
        return pl.Series(holds)

    def whole(self) -> pl.Series:
        """All values as one text, without anything between them; the bytes are not copied."""
        ends = pa.py_buffer(np.array([0, len(self.data)], dtype=np.int64))
        text = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(self.data)])
        return pl.Series(pl.from_arrow(text))


def text_bytes(texts: pl.Series) -> TextBytes:
    """The bytes of a column of strings."""
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends, data = array.buffers()
    places = np.frombuffer(ends, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    if data is None:
        return TextBytes(np.empty(0, dtype=np.uint8), places)
    first, last = int(places[0]), int(places[-1])
    return TextBytes(np.frombuffer(data, dtype=np.uint8)[first:last], places - first)


@dataclass(frozen=True)
class Places:
    """The values of a column that are `width` bytes long, place by place.

    `rows` are their positions, None where that is every row; `bytes` (uint8, width × values) has
    one line a place.
    """

    height: int
    rows: np.ndarray | None
    bytes: np.ndarray

    def spread(self, holds: np.ndarray, otherwise: bool | None) -> pl.Series:
        """One Boolean a value → one a row of the column, `otherwise` in the other rows."""
        if self.rows is None:
            return pl.Series(holds)
        spread = pl.repeat(otherwise, self.height, dtype=pl.Boolean, eager=True)
        return spread.scatter(pl.Series(self.rows), pl.Series(holds)) if len(holds) else spread


def places(texts: pl.Series, width: int) -> Places:
    """The values of one width; shorter and longer ones and nulls are left out."""
    fits = texts.str.len_bytes() == width
    rows = None if fits.all(ignore_nulls=False) else fits.arg_true().to_numpy()
    found = text_bytes(texts if rows is None else texts.filter(fits))
    return Places(len(texts), rows, np.ascontiguousarray(found.data.reshape(-1, width).T))


def digits(bytes_: np.ndarray) -> np.ndarray:
    """Which bytes are one of 0 to 9."""
    return (bytes_ - np.uint8(48)) < 10
