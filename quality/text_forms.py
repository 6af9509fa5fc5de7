"""Patterns that columns of codes and names follow, without a pattern matcher where that goes.

Belongs here: telling from the bytes of a whole column which texts follow a pattern; the answer is
always the one that the pattern gives. Does not belong here: which rule asks for which pattern
(`row_rules`).

`^[0-9]{4}-(0[1-9]|1[0-2])$` says of each place what may stand there: such a pattern is written out
as a few forms of one width each, and a column is looked at place by place. Any other pattern goes
to the matcher.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import polars as pl

from quality.text_bytes import Places, TextBytes, text_bytes

Place = tuple[tuple[int, int], ...]
"""What may stand at one place: the least and the greatest byte of each run of bytes."""
Form = tuple[Place, ...]

_MOST_FORMS = 16
_WIDEST = 64
_TOKEN = re.compile(
    r"(?P<literal>[A-Za-z0-9\-])|\[(?P<range>(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)+)\]"
    r"|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<other>\|)"
)
_REPEAT = re.compile(r"\{(\d+)(?:,(\d+))?\}|(\?)")
_RUN = re.compile(r"(.)(?:-(.))?")


def follows(texts: pl.Series, pattern: str) -> pl.Series:
    """Whether each text matches the pattern; null where there is none.

    Args:
        texts: strings.
        pattern: a regular expression as Polars reads it.
    """
    known = forms(pattern)
    if known is None or texts.dtype != pl.String:
        return texts.str.contains(pattern)
    found = text_bytes(texts)
    holds = np.zeros(found.height, dtype=bool)
    for width in {len(form) for form in known}:
        places = found.places(width)
        of_width = [form for form in known if len(form) == width]
        holds[slice(None) if places.rows is None else places.rows] = _any_holds(places, of_width)
    return _known(texts, holds)


def _any_holds(places: Places, of_width: list[Form]) -> np.ndarray:
    holds = np.zeros(places.bytes.shape[1], dtype=bool)
    for form in of_width:
        if holds.all():
            break
        one = np.ones_like(holds)
        for bytes_, allowed in zip(places.bytes, form, strict=True):
            one &= _within(bytes_, allowed)
        holds |= one
    return holds


def _within(bytes_: np.ndarray, allowed: Place) -> np.ndarray:
    (low, high), *others = allowed
    within: np.ndarray = (bytes_ - np.uint8(low)) <= high - low
    for low, high in others:
        within |= (bytes_ - np.uint8(low)) <= high - low
    return within


def _known(texts: pl.Series, holds: np.ndarray) -> pl.Series:
    verdict = pl.Series(texts.name, holds)
    if texts.null_count():
        verdict = pl.select(pl.when(texts.is_not_null()).then(verdict)).to_series()
    return verdict.alias(texts.name)


# -- patterns ----------------------------------------------------------------------------


@cache
def forms(pattern: str) -> tuple[Form, ...] | None:
    """All forms of a pattern, each whole; None where there are too many or it has others."""
    written: list[Form] = []
    for alternative in _alternatives(pattern):
        if not (alternative.startswith("^") and alternative.endswith("$")):
            return None
        found = _Pattern(alternative[1:-1]).read()
        if found is None:
            return None
        written += found
    return tuple(written) if 0 < len(written) <= _MOST_FORMS and all(written) else None


def _alternatives(pattern: str) -> Iterator[str]:
    """The pattern, cut at each `|` that stands in no group."""
    depth = start = 0
    for position, sign in enumerate(pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and not depth:
            yield pattern[start:position]
            start = position + 1
    yield pattern[start:]


class _Pattern:
    """Reads one pattern from its beginning to its end."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0

    def read(self) -> list[Form] | None:
        """Its forms; None where it holds what is not understood."""
        found = self._group()
        return found if self._position == len(self._pattern) else None

    def _group(self) -> list[Form]:
        """Up to the end of the group or the first sign that is not understood."""
        done: list[Form] = []
        so_far: list[Form] = [()]
        while token := _TOKEN.match(self._pattern, self._position):
            if token["close"]:
                break
            self._position = token.end()
            if token["other"]:
                done, so_far = done + so_far, [()]
                continue
            so_far = self._with(so_far, self._item(token))
        return done + so_far

    def _item(self, token: re.Match[str]) -> list[Form]:
        if token["literal"]:
            return [(((ord(token["literal"]),) * 2,),)]
        if token["range"]:
            runs = [(ord(low), ord(high or low)) for low, high in _RUN.findall(token["range"])]
            if any(low > high for low, high in runs):
                self._give_up()
            return [(tuple(runs),)]
        inner = self._group()
        if self._pattern[self._position : self._position + 1] != ")":
            self._give_up()
        self._position += 1
        return inner

    def _with(self, so_far: list[Form], item: list[Form]) -> list[Form]:
        """Everything so far, each followed by an item as often as the pattern says."""
        least = most = 1
        if repeat := _REPEAT.match(self._pattern, self._position):
            self._position = repeat.end()
            least = 0 if repeat[3] else int(repeat[1])
            most = 1 if repeat[3] else int(repeat[2] or least)
        is_repeated = self._pattern[self._position : self._position + 1] in ("?", "*", "+", "{")
        if is_repeated or not least <= most <= _WIDEST:
            self._give_up()
            return so_far
        found: list[Form] = []
        for times in range(least, most + 1):
            ends: list[Form] = [()]
            for _ in range(times):
                ends = [end + one for end in ends for one in item][: _MOST_FORMS + 1]
            found += [start + end for start in so_far for end in ends]
        return found[: _MOST_FORMS + 1]

    def _give_up(self) -> None:
        """What is behind here is not understood, and so the pattern is not."""
        self._position = len(self._pattern) + 1


# -- names -------------------------------------------------------------------------------

_HAN_WIDTH = 3


def is_han(texts: pl.Series, otherwise: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """True of texts of nothing but usual Han characters (U+4E00 to U+9FBF); null stays null.

    Args:
        texts: strings.
        otherwise: the verdict on the other texts, those without a character among them.
    """
    found = text_bytes(texts)
    fits = (found.lengths % _HAN_WIDTH == 0) & (found.lengths > 0)
    if not fits.all():
        rows = np.flatnonzero(fits)
        ends = np.concatenate(([0], np.cumsum(found.lengths[rows])))
        found = TextBytes(found.data[np.repeat(fits, found.lengths)], ends)
        fits[rows] = found.without(np.repeat(~_han(found.data), _HAN_WIDTH)).to_numpy()
    else:
        fits = found.without(np.repeat(~_han(found.data), _HAN_WIDTH)).to_numpy()
    verdict = _known(texts, fits)
    others = pl.Series(np.flatnonzero(~fits))
    return verdict.scatter(others, otherwise(texts.gather(others))) if len(others) else verdict


def _han(data: np.ndarray) -> np.ndarray:
    """Which of the bytes, three by three, are such a character in UTF-8."""
    lead, second = data[0::_HAN_WIDTH], data[1::_HAN_WIDTH]
    han: np.ndarray = (lead - np.uint8(0xE5)) <= 0xE8 - 0xE5
    han |= (lead == 0xE4) & (second >= 0xB8)
    han |= (lead == 0xE9) & (second < 0xBF)
    return han
