"""Check characters of Chinese identifiers, over whole columns.

Belongs here: the arithmetic of GB 11643 (resident number) and GB 32100 / GB 11714 (unified
social credit code and the organisation code inside it).
Does not belong here: what a failed check means for a row (`row_rules`).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from quality.text_bytes import Places, places

RESIDENT_NUMBER_PATTERN = (
    r"^[1-9][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]$"
)
"""Digits are written out: in Rust's patterns `\\d` also means the digits of other scripts."""
UNIFIED_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
UNIFIED_CODE_PATTERN = r"^[1-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}[0-9A-HJ-NPQRTUWXY]$"

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_UNIFIED_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))
_WIDTH = 18
_NO_CHARACTER = 255
_DIGITS = b"0123456789"


class _Scheme:
    """One weighted check over 18 characters.

    `alphabet` gives each character's value, `checks` the last character for each remainder, and
    `lowest` and `highest` the values that are allowed at each place but the last.
    """

    def __init__(
        self,
        name: str,
        alphabet: bytes,
        weights: tuple[int, ...],
        checks: bytes,
        lowest: tuple[int, ...],
        highest: tuple[int, ...],
    ) -> None:
        table = bytearray([_NO_CHARACTER]) * 256
        for value, character in enumerate(alphabet):
            table[character] = value
        self._name = name
        self._table = None if alphabet == _DIGITS else bytes(table)
        self._weights = weights
        self._checks = np.frombuffer(checks, dtype=np.uint8)
        self._allowed = np.zeros(256, dtype=bool)
        self._allowed[self._checks] = True
        self._bounds = tuple(zip(lowest, highest, strict=True))

    def values(self, found: Places) -> np.ndarray:
        """The value of each character; above all bounds where it has none."""
        return found.once(f"{self._name} values", self._read)

    def _read(self, characters: np.ndarray) -> np.ndarray:
        if self._table is None:
            return characters - np.uint8(ord("0"))
        read = characters.tobytes().translate(self._table)
        return np.frombuffer(read, dtype=np.uint8).reshape(characters.shape)

    def formed(self, found: Places) -> np.ndarray:
        """Whether every place holds a character that may stand there."""
        values = self.values(found)
        return found.once(f"{self._name} formed", lambda bytes_: self._formed(values, bytes_[-1]))

    def _formed(self, values: np.ndarray, last: np.ndarray) -> np.ndarray:
        formed = self._allowed[last]
        for place, (low, high) in zip(values, self._bounds, strict=False):
            formed &= (place - np.uint8(low)) <= high - low
        return formed

    def holds(self, found: Places) -> np.ndarray:
        """Whether the last character is the one that the others ask for."""
        values = self.values(found)
        total = np.zeros(values.shape[1], dtype=np.uint16)
        for place, weight in zip(values, self._weights, strict=False):
            total += place * np.uint16(weight)
        return self._checks[total % len(self._checks)] == found.bytes[-1]


_RESIDENT = _Scheme(
    "resident number",
    _DIGITS,
    _RESIDENT_WEIGHTS,
    b"10X98765432",
    (1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (9, 9, 9, 9, 9, 9, 2, 9, 9, 9, 1, 9, 3, 9, 9, 9, 9),
)
_UNIFIED = _Scheme(
    "unified code",
    UNIFIED_CODE_ALPHABET.encode(),
    _UNIFIED_WEIGHTS,
    bytes(UNIFIED_CODE_ALPHABET.encode()[(31 - remainder) % 31] for remainder in range(31)),
    (1, 1) + (0,) * 15,
    (30, 30) + (9,) * 6 + (30,) * 9,
)


def resident_number_formed(numbers: pl.Series) -> pl.Series:
    """Whether each value has the form of a resident number, with a date that the calendar has.

    Args:
        numbers: strings, any length.

    Returns:
        Booleans of the same length; null where the value is null.
    """
    found = places(numbers, _WIDTH)
    formed = _resident_formed(found) & _is_a_day(_RESIDENT.values(found))
    return _known(numbers, found.spread(formed, otherwise=False))


def resident_number_holds(numbers: pl.Series) -> pl.Series:
    """Whether each 18-character resident number carries its check character (GB 11643).

    Args:
        numbers: strings, upper case, any length.

    Returns:
        Booleans of the same length; null where the value is null or does not have the form
        of a resident number (`RESIDENT_NUMBER_PATTERN`), because its check character says
        nothing then.
    """
    found = places(numbers, _WIDTH)
    return _judged(numbers, found, _RESIDENT.holds(found), _resident_formed(found))


def unified_code_formed(codes: pl.Series) -> pl.Series:
    """Whether each value has the form of a unified social credit code.

    Args:
        codes: strings, any length.

    Returns:
        Booleans of the same length; null where the value is null.
    """
    found = places(codes, _WIDTH)
    return _known(codes, found.spread(_UNIFIED.formed(found), otherwise=False))


def unified_code_holds(codes: pl.Series) -> pl.Series:
    """Whether each unified social credit code carries its check character (GB 32100-2015).

    Args:
        codes: strings, upper case, any length.

    Returns:
        Booleans of the same length; null where the value is null or has not the form.
    """
    found = places(codes, _WIDTH)
    return _judged(codes, found, _UNIFIED.holds(found), _UNIFIED.formed(found))


def _judged(texts: pl.Series, found: Places, holds: np.ndarray, formed: np.ndarray) -> pl.Series:
    """Whether the check character holds, null where there is no form."""
    if found.rows is None and formed.all():
        return pl.Series(texts.name, holds)
    has_form = found.spread(formed, otherwise=False)
    verdict = pl.select(pl.when(has_form).then(found.spread(holds, otherwise=False)))
    return verdict.to_series().alias(texts.name)


def _known(texts: pl.Series, verdict: pl.Series) -> pl.Series:
    """The verdict, null where the value is."""
    if texts.null_count():
        verdict = pl.select(pl.when(texts.is_not_null()).then(verdict)).to_series()
    return verdict.alias(texts.name)


def _resident_formed(found: Places) -> np.ndarray:
    """`RESIDENT_NUMBER_PATTERN`, place by place: century, month and day are two digits each."""
    values, formed = _RESIDENT.values(found), _RESIDENT.formed(found)
    return found.once("resident number pattern", lambda _: formed & _has_date(values))


def _has_date(values: np.ndarray) -> np.ndarray:
    """Whether the century is 18 to 20, the month 1 to 12 and the day 1 to 31."""
    century, month, day = (_two_digits(values, place) for place in (6, 10, 12))
    found: np.ndarray = (century - np.uint8(18)) <= 2
    found &= (month - np.uint8(1)) <= 11
    found &= (day - np.uint8(1)) <= 30
    return found


def _two_digits(values: np.ndarray, place: int) -> np.ndarray:
    two: np.ndarray = values[place] * np.uint8(10) + values[place + 1]
    return two


def _is_a_day(values: np.ndarray) -> np.ndarray:
    """Whether year, month and day (places 7 to 14) are in the calendar; months are 1 to 12."""
    is_day = np.ones(values.shape[1], dtype=bool)
    late = np.flatnonzero(_two_digits(values, 12) > _EVERY_MONTH)
    digits = values[6:14, late].astype(np.uint16)
    year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3]
    month, day = digits[4] * 10 + digits[5], digits[6] * 10 + digits[7]
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    is_day[late] = day <= _LAST_DAYS[np.minimum(month, 13)] + (is_leap & (month == 2))
    return is_day


_EVERY_MONTH = 28
"""Days that every month has."""
_LAST_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0], dtype=np.uint16)
"""Of each month by its number, without leap days."""


ORGANISATION_CODE_PATTERN = r"^[0-9A-HJ-NPQRTUWXY]{8}[0-9X]$"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS = np.frombuffer(b"0X987654321", dtype=np.uint8)
"""Character of 11 - (sum mod 11): 11 is 0, 10 is X."""


def organisation_code_holds(codes: pl.Series) -> pl.Series:
    """Whether each 9-character organisation code carries its check character (GB 11714-1997).

    Args:
        codes: strings, upper case, without the hyphen, any length.

    Returns:
        Booleans of the same length; null where the value is null or has not the form.
    """
    well_formed = codes.str.contains(ORGANISATION_CODE_PATTERN).fill_null(False)
    texts = codes.filter(well_formed)
    if not len(texts):
        return pl.repeat(None, len(codes), dtype=pl.Boolean, eager=True).alias(codes.name)
    characters = np.frombuffer(texts.str.join("").item().encode("ascii"), dtype=np.uint8)
    characters = characters.reshape(len(texts), 9)
    # Digits count as themselves, letters from A = 10 on, as in ASCII less 55.
    values = np.where(characters >= ord("A"), characters - 55, characters - 48).astype(np.uint32)
    total = values[:, :8] @ np.array(_ORGANISATION_WEIGHTS, dtype=np.uint32)
    holds = pl.Series(codes.name, _ORGANISATION_CHECKS[total % 11] == characters[:, 8])
    verdict = pl.repeat(None, len(codes), dtype=pl.Boolean, eager=True)
    return verdict.scatter(well_formed.arg_true(), holds).alias(codes.name)
