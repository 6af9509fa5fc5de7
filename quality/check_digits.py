"""Check characters of Chinese identifiers, over whole columns.

Belongs here: the arithmetic of GB 11643 (resident number) and GB 32100 / GB 11714 (unified
social credit code and the organisation code inside it).
Does not belong here: what a failed check means for a row (`row_rules`).
"""

from __future__ import annotations

import numpy as np
import polars as pl

RESIDENT_NUMBER_PATTERN = (
    r"^[1-9][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]$"
)
"""Digits are written out: in Rust's patterns `\\d` also means the digits of other scripts."""
UNIFIED_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
UNIFIED_CODE_PATTERN = r"^[1-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}[0-9A-HJ-NPQRTUWXY]$"

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_UNIFIED_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))


class _Scheme:
    """One weighted check: `alphabet` gives each character's value, `checks` the last character.

    The weighted value of each character at each place is looked up, which is twice as fast as
    multiplying.
    """

    def __init__(self, alphabet: bytes, weights: tuple[int, ...], checks: bytes) -> None:
        values = np.zeros(256, dtype=np.uint16)
        values[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(len(alphabet))
        self._modulus = len(checks)
        self._tables = [(values * weight % self._modulus).astype(np.uint16) for weight in weights]
        self._checks = np.frombuffer(checks, dtype=np.uint8)

    def holds(self, characters: np.ndarray) -> np.ndarray:
        """Booleans for rows of 18 bytes."""
        places = np.ascontiguousarray(characters.T)
        total = np.take(self._tables[0], places[0])
        for table, place in zip(self._tables[1:], places[1:17], strict=True):
            total += np.take(table, place)
        return self._checks[total % self._modulus] == places[17]


_RESIDENT = _Scheme(b"0123456789", _RESIDENT_WEIGHTS, b"10X98765432")
_UNIFIED = _Scheme(
    UNIFIED_CODE_ALPHABET.encode(),
    _UNIFIED_WEIGHTS,
    bytes(UNIFIED_CODE_ALPHABET.encode()[(31 - remainder) % 31] for remainder in range(31)),
)


def resident_number_holds(numbers: pl.Series) -> pl.Series:
    """Whether each 18-character resident number carries its check character (GB 11643).

    Args:
        numbers: strings, upper case, any length.

    Returns:
        Booleans of the same length; null where the value is null or does not have the form
        of a resident number, because its check character says nothing then.
    """
    return _judge(numbers, RESIDENT_NUMBER_PATTERN, _RESIDENT)


def unified_code_holds(codes: pl.Series) -> pl.Series:
    """Whether each unified social credit code carries its check character (GB 32100-2015).

    Args:
        codes: strings, upper case, any length.

    Returns:
        Booleans of the same length; null where the value is null or has not the form.
    """
    return _judge(codes, UNIFIED_CODE_PATTERN, _UNIFIED)


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


def _judge(values: pl.Series, pattern: str, scheme: _Scheme) -> pl.Series:
    well_formed = values.str.contains(pattern).fill_null(False)
    texts = values.filter(well_formed)
    if not len(texts):
        return pl.repeat(None, len(values), dtype=pl.Boolean, eager=True).alias(values.name)
    characters = np.frombuffer(texts.str.join("").item().encode("ascii"), dtype=np.uint8)
    holds = pl.Series(values.name, scheme.holds(characters.reshape(len(texts), 18)))
    if len(texts) == len(values):
        return holds
    verdict = pl.repeat(None, len(values), dtype=pl.Boolean, eager=True)
    return verdict.scatter(well_formed.arg_true(), holds).alias(values.name)
