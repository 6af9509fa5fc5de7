"""What a spreadsheet does to long codes: it keeps 15 digits and writes zeros for the rest.

Belongs here: recognising such codes, over whole columns. Does not belong here: mending them;
the digits are gone, and the row goes back to its department.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from quality.check_digits import resident_number_holds
from quality.text_bytes import TextBytes, digits, everywhere, text_bytes

FEWEST, SHARE = 3, 0.2
"""From how many codes, and from which share of the long ones, zeros at the end are no chance:
one true code in a thousand ends so."""

_SCIENTIFIC = r"^[0-9](\.[0-9]+)?E\+[0-9]{2}$"
_ROUNDED = r"^[0-9]{15}0{1,5}$"
_KEPT_DIGITS = 15
_PLUS, _ZERO, _NINE = b"+09"


def is_whole(codes: pl.Series) -> pl.Series:
    """Whether each code still has all its digits; null where there is none.

    `3.71302E+17` has lost some for certain. Zeros from the 16th digit on have where the code has
    the form of a resident number without its check character, or where so many codes of the
    column end that way that chance is no explanation; a single such code may be true.

    Args:
        codes: strings, upper case, plain digits.
    """
    whole = everywhere(True, len(codes)).alias(codes.name)
    if codes.null_count():
        whole = pl.select(pl.when(codes.is_not_null()).then(whole)).to_series()
    found = text_bytes(codes)
    suspects = _with_plus(found)
    suspects |= _ending_in_zeros(found)
    positions = pl.Series(np.flatnonzero(suspects))
    if not len(positions):
        return whole
    suspected = codes.gather(positions)
    zeros = suspected.str.contains(_ROUNDED)
    ended = int(zeros.sum())
    many = ended >= FEWEST and ended >= SHARE * _count_long(found)
    broken = ~resident_number_holds(suspected).fill_null(True)
    rounded = suspected.str.contains(_SCIENTIFIC) | (zeros & (broken | many))
    return whole.scatter(positions.filter(rounded), False)


def _with_plus(codes: TextBytes) -> np.ndarray:
    """Which codes hold a plus sign; it is less than any digit or letter."""
    if codes.least > _PLUS:
        return np.zeros(codes.height, dtype=bool)
    return ~codes.without(codes.data == _PLUS).to_numpy()


def _ending_in_zeros(codes: TextBytes) -> np.ndarray:
    """Which of the long codes end in a zero, or from 18 bytes on in three."""
    ending = codes.lengths > _KEPT_DIGITS
    if not ending.any():
        return ending
    ends = codes.ends[1:]
    ending &= codes.data[ends - 1] == _ZERO
    zero = np.flatnonzero(ending)
    three = (codes.data[ends[zero] - 2] == _ZERO) & (codes.data[ends[zero] - 3] == _ZERO)
    ending[zero] = three | (codes.lengths[zero] < 18)
    return ending


def _count_long(codes: TextBytes) -> int:
    """How many codes are 16 to 20 digits."""
    long = (codes.lengths > _KEPT_DIGITS) & (codes.lengths <= 20)
    if not (codes.least >= _ZERO and codes.greatest <= _NINE):
        long &= codes.without(~digits(codes.data)).to_numpy()
    return int(np.count_nonzero(long))
