"""What a spreadsheet does to long codes: it keeps 15 digits and writes zeros for the rest.

Belongs here: recognising such codes, over whole columns. Does not belong here: mending them;
the digits are gone, and the row goes back to its department.
"""

from __future__ import annotations

import polars as pl

from quality.check_digits import resident_number_holds

FEWEST, SHARE = 3, 0.2
"""From how many codes, and from which share of the long ones, zeros at the end are no chance:
one true code in a thousand ends so."""

_SCIENTIFIC = r"^[0-9](\.[0-9]+)?E\+[0-9]{2}$"
_ROUNDED = r"^[0-9]{15}0{1,5}$"
_LONG = r"^[0-9]{16,20}$"


def is_whole(codes: pl.Series) -> pl.Series:
    """Whether each code still has all its digits; null where there is none.

    `3.71302E+17` has lost some for certain. Zeros from the 16th digit on have where the code has
    the form of a resident number without its check character, or where so many codes of the
    column end that way that chance is no explanation; a single such code may be true.

    Args:
        codes: strings, upper case, plain digits.
    """
    whole = codes.is_not_null()
    whole = pl.select(pl.when(whole).then(whole)).to_series().alias(codes.name)
    length = codes.str.len_bytes()
    suspects = (
        codes.str.contains("+", literal=True)
        | ((length >= 18) & codes.str.ends_with("000"))
        | (((length == 16) | (length == 17)) & codes.str.ends_with("0"))
    )
    positions = suspects.fill_null(False).arg_true()
    if not len(positions):
        return whole
    found = codes.gather(positions)
    zeros = found.str.contains(_ROUNDED)
    ended = int(zeros.sum())
    long = int(codes.str.contains(_LONG).sum()) if ended >= FEWEST else 0
    many = ended >= FEWEST and ended >= SHARE * long
    broken = ~resident_number_holds(found).fill_null(True)
    rounded = found.str.contains(_SCIENTIFIC) | (zeros & (broken | many))
    return whole.scatter(positions.filter(rounded), False)
