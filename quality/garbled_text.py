"""Text that a broken decoding has left behind.

Belongs here: recognising it, over whole columns. Does not belong here: what it means for a row
(`row_rules`), or mending it; nothing is guessed back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from quality.text_bytes import TextBytes, everywhere, text_bytes

_RUNS = ("锟斤拷", "烫烫烫")
GARBLED_PATTERN = f"[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|{'|'.join(_RUNS)}"
"""Characters that only a broken decoding leaves behind, and two runs that it is known by."""

_DELETE = 0x7F
_REPLACED = "\ufffd"
_REPLACED_BEGINS = 0xEF
"""First byte of U+FFFD in UTF-8; full-width signs begin with it too."""
_BLANKS = np.array([9, 10, 13], dtype=np.uint8)
_LARGEST = 1 << 30


def is_garbled(texts: pl.Series) -> pl.Series:
    """Whether each text holds what `GARBLED_PATTERN` names; false where there is none.

    Only where all texts of a column taken together may hold it is each one looked at.
    """
    found = text_bytes(texts)
    if len(found.data) <= _LARGEST and not _may_be_garbled(found):
        return everywhere(False, len(texts)).alias(texts.name)
    return texts.str.contains(GARBLED_PATTERN).fill_null(False)


def none_is_garbled(columns: Sequence[pl.Series]) -> pl.Series:
    """Whether no text of a row is garbled; the columns have one height."""
    readable = everywhere(True, len(columns[0]))
    for texts in columns:
        garbled = is_garbled(texts)
        readable = readable & ~garbled if garbled.any() else readable
    return readable


def _may_be_garbled(found: TextBytes) -> bool:
    """Whether the texts, one behind the other, hold a sign of it; it may lie across two texts."""
    data = found.data
    if found.least < 32 and not np.isin(data[data < 32], _BLANKS).all():
        return True
    if found.greatest <= _DELETE:
        return found.greatest == _DELETE
    if (data == _DELETE).any():
        return True
    # One literal after the other takes half the time of looking for all of them at once.
    whole = found.whole()
    replaced = bool((data == _REPLACED_BEGINS).any()) and _holds(whole, _REPLACED)
    return replaced or any(_holds(whole, run) for run in _RUNS)


def _holds(whole: pl.Series, sign: str) -> bool:
    return bool(whole.str.contains(sign, literal=True).item())
