"""Working days: deadlines fall on days on which somebody is at work."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.working_days import ANNOUNCED, STATUTORY, WEEKENDS, WorkingDays, basis, caveat

CALENDAR = WorkingDays()
dates = st.dates(date(2004, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 6, 30), True),
        (date(2026, 6, 27), False),  # a Saturday
        (date(2026, 2, 17), False),  # Spring Festival, a Tuesday
        (date(2026, 2, 28), True),  # a Saturday that makes up for it
        (date(2025, 10, 6), False),  # Mid-Autumn inside the National Day week
    ],
)
def test_holidays_and_make_up_days_count_as_announced(day, works):
    assert CALENDAR.is_working_day(day) is works


def test_ten_working_days_over_spring_festival():
    """From Thursday 12 February 2026: 13, 14 (made up), then 24 … 28 (made up), 2, 3, 4 March."""
    assert CALENDAR.after(date(2026, 2, 12), 10) == date(2026, 3, 4)


def test_a_year_that_nobody_has_announced_falls_back_and_says_so():
    """In autumn a deadline already lies in next year, and must not stop the night."""
    assert [basis(year) for year in (2026, 2027)] == [ANNOUNCED, STATUTORY]
    assert not CALENDAR.is_working_day(date(2027, 10, 1))
    assert CALENDAR.after(date(2026, 12, 30), 5) > date(2027, 1, 4)
    assert "2027" in caveat([date(2026, 12, 30), date(2027, 1, 6)])
    assert caveat([date(2026, 12, 30)]) == ""


def test_beyond_every_package_weekends_are_left():
    assert basis(2150) == WEEKENDS
    assert CALENDAR.after(date(2150, 1, 2), 1) == date(2150, 1, 5)


def test_the_citys_own_days_win():
    """A flood may close the offices; a city may make up a day on its own."""
    own = WorkingDays(frozenset({date(2026, 7, 1)}), frozenset({date(2026, 7, 4)}))
    assert own.after(date(2026, 6, 30), 3) == date(2026, 7, 4)
    assert own.between(date(2026, 6, 30), date(2026, 7, 4)) == 3
    assert CALENDAR.between(date(2026, 6, 30), date(2026, 7, 4)) == 3


def test_a_negative_deadline_is_a_mistake():
    with pytest.raises(ValueError, match="-1"):
        CALENDAR.after(date(2026, 7, 1), -1)


@given(dates, st.integers(0, 40))
def test_after_and_between_agree(day, count):
    """Overdue is counted with one, the deadline with the other."""
    end = CALENDAR.after(day, count)
    assert CALENDAR.between(day, end) == count
    assert count == 0 or CALENDAR.is_working_day(end)


@given(dates, st.integers(0, 400))
def test_between_counts_what_is_working_day_says(day, length):
    end = day + timedelta(days=length)
    days = [day + timedelta(days=n + 1) for n in range(length)]
    assert CALENDAR.between(day, end) == sum(map(CALENDAR.is_working_day, days))
