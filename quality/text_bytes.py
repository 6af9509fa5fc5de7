"""The bytes of a text column, for checks that need no pattern matcher.

Belongs here: a column's UTF-8 as one array; which of its rows hold some of these bytes; columns of
one width, place by place. Does not belong here: what a byte means (`check_digits`, `row_rules`).

A pattern costs some 45 ns a value, whatever it says. Looking at all bytes of a column at once costs
a tenth of that, and gives the same answer wherever the question is about single bytes or places.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

_SPACE_BEGINS = (0xC2, 0xE1, 0xE2, 0xE3, 0xEF)
"""First bytes in UTF-8 of all spaces beyond ASCII, and of the byte order mark."""


@dataclass(frozen=True)
class TextBytes:
    """All values of a column, one behind the other.

    `data` (uint8) holds the bytes; those of row `i` are `data[ends[i]:ends[i + 1]]`, and `ends`
    (int64) has one entry more than there are rows. A null has no bytes.
    """

    data: np.ndarray
    ends: np.ndarray
    _places: dict[int, Places] = field(default_factory=dict, init=False, repr=False)

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.ends) - 1

    @cached_property
    def least(self) -> int:
        """The least of all bytes; 255 where there is none."""
        return int(self.data.min(initial=255))

    @cached_property
    def greatest(self) -> int:
        """The greatest of all bytes; 0 where there is none."""
        return int(self.data.max(initial=0))

    @cached_property
    def may_hold_space(self) -> bool:
        """Whether a byte is, or begins, a space or a byte order mark, wherever it stands."""
        if self.least <= ord(" "):
            return True
        return self.greatest >= _SPACE_BEGINS[0] and any(
            (self.data == first).any() for first in _SPACE_BEGINS
        )

    @cached_property
    def lengths(self) -> np.ndarray:
        """Bytes of each row."""
        return np.diff(self.ends)

    def without(self, marked: np.ndarray) -> pl.Series:
        """Whether each row holds no marked byte (one Boolean a byte); true without bytes."""
        holds = np.ones(self.height, dtype=bool)
        if marked.any():
            holds[np.searchsorted(self.ends, np.flatnonzero(marked), side="right") - 1] = False
        return pl.Series(holds)

    def places(self, width: int) -> Places:
        """The values of one width; shorter and longer ones and nulls are left out."""
        if width not in self._places:
            self._places[width] = self._of_width(width)
        return self._places[width]

    def _of_width(self, width: int) -> Places:
        fits = self.lengths == width
        rows = None if fits.all() else np.flatnonzero(fits)
        data = self.data if rows is None else self.data[np.repeat(fits, self.lengths)]
        return Places(self.height, rows, np.ascontiguousarray(data.reshape(-1, width).T))

    def whole(self) -> pl.Series:
        """All values as one text, without anything between them; the bytes are not copied."""
        ends = pa.py_buffer(np.array([0, len(self.data)], dtype=np.int64))
        text = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(self.data)])
        return pl.Series(pl.from_arrow(text))


_Key = tuple[int, ...]


class _Found(NamedTuple):
    """Bytes, the column that they are of, and who asked when they were found."""

    column: pa.Array
    bytes: TextBytes
    askers: frozenset[object]


class _Kept:
    """Bytes of columns, by where in memory the columns lie, as long as somebody asks for that.

    Several may ask at once, each for its own columns: what was found while some asked is let go
    with the last of these, however many others ask by then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: set[object] = set()
        self._found: dict[_Key, _Found] = {}

    @contextmanager
    def asked(self) -> Iterator[None]:
        asker = object()
        with self._lock:
            self._asking.add(asker)
        try:
            yield
        finally:
            with self._lock:
                self._asking.remove(asker)
                gone = [k for k, f in self._found.items() if f.askers.isdisjoint(self._asking)]
                for key in gone:
                    del self._found[key]

    def get(self, key: _Key) -> TextBytes | None:
        with self._lock:
            found = self._found.get(key)
        return found.bytes if found else None

    def put(self, key: _Key, column: pa.Array, found: TextBytes) -> None:
        """Holding the column keeps its place in memory from being used for another."""
        with self._lock:
            if self._asking:
                self._found[key] = _Found(column, found, frozenset(self._asking))
                while len(self._found) > _MOST_KEPT:
                    del self._found[next(iter(self._found))]


_MOST_KEPT = 64
_kept = _Kept()


def remembering() -> AbstractContextManager[None]:
    """While this lasts, the bytes of a column are worked out once, whoever asks for them."""
    return _kept.asked()


def text_bytes(texts: pl.Series) -> TextBytes:
    """The bytes of a column of strings."""
    column = texts.to_arrow(compat_level=pl.CompatLevel.newest())
    buffers = (buffer.address if buffer else 0 for buffer in column.buffers())
    key = (len(column), column.offset, *buffers)
    found = _kept.get(key)
    if found is None:
        found = _text_bytes(texts)
        _kept.put(key, column, found)
    return found


def _text_bytes(texts: pl.Series) -> TextBytes:
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
    _known: dict[str, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    def once(self, name: str, work_out: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """What follows from the bytes, worked out when it is first asked for by its name."""
        if name not in self._known:
            self._known[name] = work_out(self.bytes)
        return self._known[name]

    def spread(self, holds: np.ndarray, otherwise: bool | None) -> pl.Series:
        """One Boolean a value → one a row of the column, `otherwise` in the other rows."""
        if self.rows is None:
            return pl.Series(holds)
        spread = pl.Series([otherwise], dtype=pl.Boolean).new_from_index(0, self.height)
        return spread.scatter(pl.Series(self.rows), pl.Series(holds)) if len(holds) else spread


def places(texts: pl.Series, width: int) -> Places:
    """The values of one width; shorter and longer ones and nulls are left out."""
    return text_bytes(texts).places(width)


def everywhere(value: bool, height: int) -> pl.Series:
    """The same in all rows."""
    return pl.Series([value]).new_from_index(0, height)


def digits(bytes_: np.ndarray) -> np.ndarray:
    """Which bytes are one of 0 to 9."""
    return (bytes_ - np.uint8(48)) < 10
