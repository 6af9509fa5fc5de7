"""Check characters of Chinese identifiers, over whole columns.

Belongs here: the arithmetic of GB 11643 (resident number) and GB 32100 / GB 11714 (unified
social credit code and the organisation code inside it).
Does not belong here: what a failed check means for a row (`row_rules`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

RESIDENT_NUMBER_PATTERN = (
    r"^[1-9][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]$"
)
"""Digits are written out: in Rust's patterns `\\d` also means the digits of other scripts."""
UNIFIED_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
UNIFIED_CODE_PATTERN = r"^[1-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}[0-9A-HJ-NPQRTUWXY]$"

_RESIDENT_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
_RESIDENT_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
_UNIFIED_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int32)
_UNIFIED_CHECKS = np.frombuffer(UNIFIED_CODE_ALPHABET.encode(), dtype=np.uint8)
_UNIFIED_VALUES = np.zeros(256, dtype=np.int32)
_UNIFIED_VALUES[_UNIFIED_CHECKS] = np.arange(31, dtype=np.int32)


def resident_number_holds(numbers: pl.Series) -> pl.Series:
    """Whether each 18-character resident number carries its check character (GB 11643).

    Args:
        numbers: strings, upper case, any length.

    Returns:
        Booleans of the same length; null where the value is null or does not have the form
        of a resident number, because its check character says nothing then.
    """
    return _judge(numbers, RESIDENT_NUMBER_PATTERN, _resident_check)


def unified_code_holds(codes: pl.Series) -> pl.Series:
    """Whether each unified social credit code carries its check character (GB 32100-2015).

    Args:
        codes: strings, upper case, any length.

    Returns:
        Booleans of the same length; null where the value is null or has not the form.
    """
    return _judge(codes, UNIFIED_CODE_PATTERN, _unified_check)


def _judge(
    values: pl.Series, pattern: str, expected: Callable[[np.ndarray], np.ndarray]
) -> pl.Series:
    well_formed = values.str.contains(pattern).fill_null(False)
    texts = values.filter(well_formed)
    verdict = np.zeros(len(values), dtype=np.bool_)
    if len(texts):
        characters = np.frombuffer(texts.str.join("").item().encode("ascii"), dtype=np.uint8)
        characters = characters.reshape(len(texts), 18)
        verdict[well_formed.to_numpy()] = expected(characters[:, :17]) == characters[:, 17]
    frame = pl.DataFrame({"verdict": verdict, "judged": well_formed})
    judged = frame.select(pl.when("judged").then("verdict")).to_series()
    return judged.alias(values.name)


def _resident_check(characters: np.ndarray) -> np.ndarray:
    digits = characters.astype(np.int32) - ord("0")
    return _RESIDENT_CHECKS[digits @ _RESIDENT_WEIGHTS % 11]


def _unified_check(characters: np.ndarray) -> np.ndarray:
    remainder = _UNIFIED_VALUES[characters] @ _UNIFIED_WEIGHTS % 31
    return _UNIFIED_CHECKS[(31 - remainder) % 31]
