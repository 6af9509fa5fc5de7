"""Patterns written out as forms, against the matcher: every answer must agree."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quality import text_forms
from quality.row_rules import LANDLINE_PATTERN, MOBILE_PATTERN, PERSON_NAME_PATTERN

WRITTEN_OUT = (
    f"{MOBILE_PATTERN}|{LANDLINE_PATTERN}",
    r"^[0-9]{4}-(0[1-9]|1[0-2])$",
    r"^3371[0-9]{2}$",
    r"^(?:A|B[0-9]?){2}$",
    r"^[A-Z0-9x]{0,2}a$",
)
LEFT_TO_THE_MATCHER = (
    r"^a|b$",
    r"^a?$",
    r"^a+$",
    r"^a{1,}$",
    r"^a{2}{3}$",
    r"^a??$",
    r"^(a|)$",
    r"^(?i)a$",
    r"^\d{4}$",
    r"^.$",
    r"^[^a]$",
    r"^[a-]$",
    r"^é$",
    r"a",
    r"^(a|b|c|d|e){2}$",
    r"^[0-9]{99}$",
)


@pytest.mark.parametrize("pattern", WRITTEN_OUT)
def test_a_pattern_of_places_is_written_out(pattern: str) -> None:
    assert text_forms.forms(pattern) is not None


@pytest.mark.parametrize("pattern", LEFT_TO_THE_MATCHER)
def test_any_other_pattern_is_left_to_the_matcher(pattern: str) -> None:
    """A sign that is not understood must never be taken for a character."""
    assert text_forms.forms(pattern) is None
    texts = pl.Series(["a", "b", "", "A", "aa", None, "é", "-", "1234", "a\n"])
    assert text_forms.follows(texts, pattern).to_list() == texts.str.contains(pattern).to_list()


@pytest.mark.parametrize("pattern", ["^(a$", "^a)$", "^[z-a]$", "^a{3,2}$", "^((a)$"])
def test_a_broken_pattern_is_the_matcher_s_to_refuse(pattern: str) -> None:
    assert text_forms.forms(pattern) is None


@given(st.data())
def test_forms_say_what_the_pattern_says(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(WRITTEN_OUT))
    right = st.from_regex(pattern.replace("$", r"\Z"))
    one = st.none() | right | st.text("0123456789-ABax\n王\x00", max_size=14)
    texts = pl.Series("t", data.draw(st.lists(one, max_size=12)), dtype=pl.String)
    found = text_forms.follows(texts, pattern)
    assert (found.name, found.to_list()) == ("t", texts.str.contains(pattern).to_list())


@given(st.lists(st.none() | st.text("王李一龥鿿㐀·a 𠮷é\x00", max_size=5), max_size=12))
@example(["abc", "王"])
@example(["éa王", "", None])
def test_names_are_those_of_the_pattern(values: list[str | None]) -> None:
    texts = pl.Series("n", values, dtype=pl.String)
    found = text_forms.is_han(texts, lambda others: others.str.contains(PERSON_NAME_PATTERN))
    assert found.to_list() == texts.str.contains(PERSON_NAME_PATTERN).to_list()


def test_every_character_taken_for_han_is_one() -> None:
    """Bounds of the quick look against the matcher's tables, over all of Unicode."""
    signs = pl.Series([chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000])
    quick = text_forms.is_han(signs, lambda others: pl.repeat(False, len(others), eager=True))
    assert signs.filter(quick).str.contains(PERSON_NAME_PATTERN).all()
    assert quick.sum() == 0x9FC0 - 0x4E00
