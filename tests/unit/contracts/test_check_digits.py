"""Check characters, against the standards' own examples and against python-stdnum."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from pipelines.home import PROJECT
from pipelines.ingest.cast import cast
from pipelines.ingest.parse import LINE, ROW
from quality.check_digits import (
    RESIDENT_NUMBER_PATTERN,
    UNIFIED_CODE_ALPHABET,
    organisation_code_holds,
    resident_number_holds,
    unified_code_holds,
)
from quality.pandera_schemas import RAGGED
from tests.conftest import MakeContract

REAL_CODES = (
    PROJECT.parent / "shared" / "data" / "real" / "enterprise" / "linyi_enterprises_2009_2011.csv"
)
KNOWN_TO_STDNUM = ("110101", "310101", "120101")
"""Prefixes that python-stdnum takes for every birth year; it rejects valid historical ones."""


def numbers(values: list[str | None]) -> list[bool | None]:
    return resident_number_holds(pl.Series("n", values, dtype=pl.String)).to_list()


def codes(values: list[str | None]) -> list[bool | None]:
    return unified_code_holds(pl.Series("c", values, dtype=pl.String)).to_list()


def with_check(body: str) -> str:
    """A resident number's 17 characters with the character that python-stdnum computes."""
    return body + ric.calc_check_digit(body + "0")


birth_dates = st.dates(date(1900, 1, 1), date(2026, 6, 30))
bodies = st.builds(
    lambda prefix, born, order: f"{prefix}{born:%Y%m%d}{order:03d}",
    st.sampled_from(KNOWN_TO_STDNUM),
    birth_dates,
    st.integers(0, 999),
)
# python-stdnum admits digits alone in the first two places; GB 32100 letters too, such as Y1.
code_bodies = st.builds(
    lambda kind, division, rest: f"{kind}{division}{rest}",
    st.sampled_from(["91", "92", "93", "11", "12", "51", "52", "53"]),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(UNIFIED_CODE_ALPHABET, min_size=9, max_size=9),
)


def test_numbers_of_the_standard_hold() -> None:
    """The worked examples of GB 11643-1999."""
    assert numbers(["11010519491231002X", "440524188001010014"]) == [True, True]


@given(st.lists(bodies, min_size=1, max_size=20))
def test_every_number_that_stdnum_makes_holds_and_every_other_check_character_does_not(
    found: list[str],
) -> None:
    whole = [with_check(body) for body in found]
    assert all(ric.is_valid(number) for number in whole)
    assert numbers(list(whole)) == [True] * len(whole)
    for number in whole[:2]:
        others = [number[:17] + other for other in "0123456789X" if other != number[17]]
        assert numbers(list(others)) == [False] * 10


@given(bodies, st.integers(0, 16), st.sampled_from("123456789"))
def test_one_wrong_digit_is_always_noticed(body: str, position: int, other: str) -> None:
    """What the check character is there for; a form that breaks is not judged, never passed."""
    number = with_check(body)
    wrong = number[:position] + other + number[position + 1 :]
    assert numbers([wrong]) == [True] if wrong == number else numbers([wrong])[0] is not True


@given(st.lists(code_bodies, min_size=1, max_size=20))
def test_unified_codes_agree_with_stdnum(found: list[str]) -> None:
    trials = [body + check for body in found for check in UNIFIED_CODE_ALPHABET]
    assert codes(list(trials)) == [uscc.is_valid(code) for code in trials]
    whole = [body + uscc.calc_check_digit(body) for body in found]
    assert codes(list(whole)) == [True] * len(whole)


@given(st.lists(st.none() | st.text(max_size=20), max_size=8))
@example(["１１０１０５１９４９１２３１００２Ｘ"])
@example(["٣٧١٣٠٢١٩٩٠٠١٠١٠١١٥"])
@example(["11010519491231002X\n", " 11010519491231002X", "110105194912310021X"])
@example(["91371302MA3C0000٣X"])
def test_null_and_malformed_are_not_judged_whatever_stands_there(values: list[str | None]) -> None:
    """One odd digit in one row must not stop the delivery: the check character says nothing."""
    assert numbers(values) == [None] * len(values)
    assert codes(values) == [None] * len(values)


def test_lower_case_and_impossible_months_are_not_of_the_form() -> None:
    assert numbers(["11010519491231002x", "110105194913310021", None]) == [None, None, None]
    assert codes(["91371302ma3c00000x", "91371302MA3C0000IX", None]) == [None, None, None]


def test_the_verdicts_keep_their_places_between_nulls() -> None:
    good, bad = "11010519491231002X", "110105194912310020"
    assert numbers([None, good, "", bad, good]) == [None, True, None, False, True]


def test_an_empty_column_is_judged() -> None:
    assert numbers([]) == []
    assert codes([]) == []


@pytest.mark.parametrize(
    "delivered",
    [
        "11010519491231002x",
        "'11010519491231002X",
        " 11010519491231002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "\u300011010519491231002ｘ\t",
    ],
)
def test_the_reading_of_codes_brings_a_number_into_the_form(
    delivered: str, make_contract: MakeContract
) -> None:
    """A real number typed in lower case or full width would miss every join."""
    contract = make_contract(
        [{"name": "n", "customProperties": [{"property": "parse", "value": "code"}]}]
    )
    texts = pl.DataFrame(
        {"n": [delivered], LINE: [2], RAGGED: [False], ROW: [None]}, schema_overrides={ROW: str}
    )
    assert resident_number_holds(cast(texts, contract)["n"]).to_list() == [True]


def test_the_form_admits_no_digits_of_other_scripts() -> None:
    assert "\\d" not in RESIDENT_NUMBER_PATTERN


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8))
def test_an_organisation_code_has_one_right_check_character(body: str) -> None:
    """By the standard's words: 11 less the weighted sum mod 11; 10 is written X, 11 is 0."""
    values = [int(c) if c.isdigit() else ord(c) - 55 for c in body]
    weighted = zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    check = (11 - sum(value * weight for value, weight in weighted) % 11) % 11
    trials = [body + character for character in "0123456789X"]
    right = [character == "0123456789X"[check] for character in "0123456789X"]
    assert organisation_code_holds(pl.Series(trials)).to_list() == right


def test_what_is_no_organisation_code_is_not_judged() -> None:
    values = pl.Series([None, "", "D2143569-X", "d2143569X", "D2143569Y", "D2143569X"])
    assert organisation_code_holds(values).to_list() == [None] * 5 + [True]


@pytest.mark.skipif(not REAL_CODES.exists(), reason="the real files are not here")
def test_every_real_unified_code_holds_a_right_organisation_code() -> None:
    codes = pl.read_csv(REAL_CODES, infer_schema=False)["统一社会信用代码"].str.to_uppercase()
    sound = codes.filter(unified_code_holds(codes).fill_null(False))
    assert len(sound) > 4000
    assert organisation_code_holds(sound.str.slice(8, 9)).all()
