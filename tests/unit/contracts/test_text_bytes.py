"""Checks that look at bytes, against the patterns that say the same; every answer must agree."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quality import check_digits, garbled_text, spreadsheet
from quality.check_digits import UNIFIED_CODE_ALPHABET
from quality.text_bytes import digits, places, remembering, text_bytes

Texts = list[str | None]
SIGNS = "0123456789X+-.E 王\u3000\ufeff\ufffd\x00\x7f\n锟斤拷烫ab é𠮷"


def series(values: Texts) -> pl.Series:
    return pl.Series("n", values, dtype=pl.String)


def columns(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Texts]:
    return st.lists(st.none() | texts | st.text(SIGNS, max_size=20), max_size=12)


resident = st.from_regex(r"\A[0-9]{6}(17|18|19|20|21)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx]\Z")
unified = st.text(UNIFIED_CODE_ALPHABET + "IOSVZ王", min_size=17, max_size=19)
rounded = st.from_regex(r"\A[0-9]{13,16}0{1,4}\Z")


def formed_as_pattern(numbers: pl.Series) -> pl.Series:
    born = numbers.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    formed = numbers.str.contains(check_digits.RESIDENT_NUMBER_PATTERN) & born.is_not_null()
    return pl.select(pl.when(numbers.is_not_null()).then(formed)).to_series()


@given(columns(resident))
@example(["11010519000229002X", "110105200002290020", "11010519010230002X"])
def test_a_resident_number_has_the_form_that_pattern_and_calendar_give_it(values: Texts) -> None:
    """A 29th of February in the wrong year, or a place checked against the wrong bound."""
    numbers = series(values)
    found = check_digits.resident_number_formed(numbers)
    assert found.to_list() == formed_as_pattern(numbers).to_list()


@given(columns(resident))
def test_what_has_no_form_has_no_check_character(values: Texts) -> None:
    numbers = series(values)
    formed = numbers.str.contains(check_digits.RESIDENT_NUMBER_PATTERN).fill_null(False)
    judged = check_digits.resident_number_holds(numbers).is_not_null()
    assert judged.to_list() == formed.to_list()


@given(columns(unified))
def test_a_unified_code_has_the_form_that_its_pattern_gives_it(values: Texts) -> None:
    codes = series(values)
    expected = codes.str.contains(check_digits.UNIFIED_CODE_PATTERN)
    assert check_digits.unified_code_formed(codes).to_list() == expected.to_list()
    judged = check_digits.unified_code_holds(codes).is_not_null()
    assert judged.to_list() == expected.fill_null(False).to_list()


@given(columns(st.text(max_size=8)))
@example(["锟", "斤拷"])
@example(["锟斤拷", "烫烫"])
@example(["，", "烫烫烫"])
@example(["，（", "甲\ufffd"])
@example(["a\x7f"])
@example(["a\t\r\n", "\ufffd"])
@example(["\x1f"])
def test_garbled_text_is_what_the_pattern_says(values: Texts) -> None:
    """A sign that the look at the whole column overlooks would be accepted, unseen."""
    texts = series(values)
    expected = texts.str.contains(garbled_text.GARBLED_PATTERN).fill_null(False)
    assert garbled_text.is_garbled(texts).to_list() == expected.to_list()


@given(columns(rounded))
def test_how_many_codes_are_long_decides_and_is_counted_right(values: Texts) -> None:
    """The share of rounded codes is taken of those of 16 to 20 digits, none else."""
    codes = series(values)
    ended = int(codes.str.contains(r"^[0-9]{15}0{1,5}$").sum())
    long = int(codes.str.contains(r"^[0-9]{16,20}$").sum())
    zeros = codes.str.contains(r"^[0-9]{15}0{1,5}$") & (
        (codes.str.len_bytes() < 18) | codes.str.ends_with("000")
    )
    many = ended >= spreadsheet.FEWEST and ended >= spreadsheet.SHARE * long
    found = spreadsheet.is_whole(codes)
    assert found.is_null().to_list() == codes.is_null().to_list()
    if many:
        assert not found.filter(zeros.fill_null(False)).any()


@pytest.mark.parametrize(
    "cut",
    [
        lambda s: s,
        lambda s: s[1:4],
        lambda s: s.filter(pl.Series([True, False, True, True, True])),
        lambda s: pl.concat([s, s]),
        lambda s: s.clear(),
    ],
)
def test_bytes_belong_to_their_rows_however_the_column_came_about(
    cut: Callable[[pl.Series], pl.Series],
) -> None:
    """A slice or an empty value must not move a finding to another row."""
    texts = cut(series(["a1", None, "", "王2王", "3"]))
    found = text_bytes(texts)
    one = [
        bytes(found.data[a:b]).decode() for a, b in zip(found.ends, found.ends[1:], strict=False)
    ]
    assert one == [text or "" for text in texts]
    assert found.whole().item() == "".join(one)
    without = found.without(digits(found.data))
    assert without.to_list() == [not any(c in "0123456789" for c in text) for text in one]
    twos = places(texts, 2)
    assert twos.bytes.T.tobytes().decode() == "".join(text for text in one if len(text) == 2)


def test_a_column_asked_for_twice_is_worked_out_once_and_then_let_go() -> None:
    """A column that happens to lie where another lay must not be given the other's bytes."""
    one = series(["a", "bc"])
    with remembering():
        first = text_bytes(one)
        assert text_bytes(one) is first
        assert text_bytes(one[1:]).data.tobytes() == b"bc"
        with remembering():
            assert text_bytes(one) is first
        assert text_bytes(one) is first
    assert text_bytes(one) is not first


def test_bytes_of_columns_made_and_dropped_in_turn_are_their_own() -> None:
    with remembering():
        for number in range(200):
            texts = series([f"value {number}", "x" * number])
            assert text_bytes(texts).whole().item() == f"value {number}" + "x" * number


def test_one_who_asks_on_does_not_keep_what_others_have_done_with() -> None:
    """Two doors that overlap all night must not hold the bytes of every chunk of it."""
    texts = series(["a", "bc"])
    with ExitStack() as first, ExitStack() as second, ExitStack() as third:
        first.enter_context(remembering())
        second.enter_context(remembering())
        both = text_bytes(texts)
        first.close()
        assert text_bytes(texts) is both  # the second asked as well
        third.enter_context(remembering())
        second.close()
        assert text_bytes(texts) is not both
