"""What kind of day a delivery speaks for, so that it is compared with days of its kind.

Belongs here: weekday, rest day, holiday, Spring Festival, month-end.
Does not belong here: comparing (`anomalies`); deadlines.

The State Council announces holidays and make-up days a year ahead, and `chinese_calendar` holds the
years announced. For others the statutory days and weekends stand in: `is_announced` says so.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache

import chinese_calendar

MONTH_END_DAYS = 3
SATURDAY = 5
_NEW_YEARS = {
    2027: date(2027, 2, 6), 2028: date(2028, 1, 26), 2029: date(2029, 2, 13),
    2030: date(2030, 2, 3), 2031: date(2031, 1, 23), 2032: date(2032, 2, 11),
    2033: date(2033, 1, 31), 2034: date(2034, 2, 19), 2035: date(2035, 2, 8),
}  # fmt: skip
"""First day of the first lunar month, for the years not announced yet."""


class Season(Enum):
    """How the city's offices stand on a day."""

    WORK = "work"
    REST = "rest"
    HOLIDAY = "holiday"
    FESTIVAL = "festival"
    """Spring Festival, unlike every other holiday of the year."""


@dataclass(frozen=True)
class DayKind:
    """What of a day makes deliveries large or small."""

    season: Season
    weekday: int
    """0 is Monday."""
    is_month_end: bool


@lru_cache(maxsize=4096)
def kind_of(day: date) -> DayKind:
    """The kind of a day, of any year."""
    last = monthrange(day.year, day.month)[1]
    return DayKind(_season(day), day.weekday(), last - day.day < MONTH_END_DAYS)


@lru_cache(maxsize=64)
def is_announced(year: int) -> bool:
    """Whether the holidays of a year are known with their make-up days."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def _season(day: date) -> Season:
    if not is_announced(day.year):
        return _estimated(day)
    is_off, name = chinese_calendar.get_holiday_detail(day)
    if not is_off:
        return Season.WORK
    if name is None:
        return Season.REST
    if name == chinese_calendar.Holiday.spring_festival.value:
        return Season.FESTIVAL
    return Season.HOLIDAY


def _estimated(day: date) -> Season:
    """By the rules for statutory holidays: the eve and six days of the festival, May Day, National
    Day, New Year; the lunar ones of a day or three are left out."""
    new_year = _NEW_YEARS.get(day.year)
    if new_year and timedelta(days=-1) <= day - new_year <= timedelta(days=6):
        return Season.FESTIVAL
    if (day.month, day.day) == (1, 1) or (day.month == 5 and day.day <= 5):
        return Season.HOLIDAY
    if day.month == 10 and day.day <= 7:
        return Season.HOLIDAY
    return Season.REST if day.weekday() >= SATURDAY else Season.WORK
