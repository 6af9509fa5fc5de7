"""How much a department sends on which day: weekday, holiday, month-end and Spring Festival.

Belongs here: the seasons of the simulation, which the platform has to learn from deliveries.
Does not belong here: the working-day calendar of the platform itself.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import chinese_calendar

SPRING_FESTIVAL = {
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 3),
}
"""First day of the first lunar month."""

_WORKDAYS = (1.15, 1.05, 1.0, 1.0, 1.1, 1.0, 1.0)
_DAYS_OFF = (0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.3)
SATURDAY = 5
_MONTH_END = 1.7
_MONTH_END_DAYS = 3
_AFTER_DAYS = 13
"""Days from the first of the new year to the end of the slow week."""
_BEFORE_FESTIVAL, _FESTIVAL, _AFTER_FESTIVAL = 1.3, 0.12, 0.7


def is_festival(day: date) -> bool:
    """Whether a day is one of the eight from the eve of Spring Festival on.

    Raises:
        ValueError: the year's Spring Festival is not in the table.
    """
    return -1 <= _since_festival(day) <= 6


def has_telling_volume(day: date) -> bool:
    """Whether an eighth, or eight times, of a day's rows can be told from what is usual.

    Offices work, so that what is told again is most of a delivery. It is no Spring Festival and no
    make-up Saturday or Sunday, of which a platform that has run for some months has seen none or
    one; nor the week after the festival, when so little is told again that an eighth of it is lost
    in what is new and corrected.
    """
    is_slow = -1 <= _since_festival(day) <= _AFTER_DAYS
    return not is_slow and day.weekday() < SATURDAY and _is_workday(day)


def weight(day: date) -> float:
    """Rows sent on a day, as a multiple of those of an ordinary Wednesday.

    Offices work on the State Council's working days, make-up Saturdays and Sundays among them; in
    years that it has not announced yet from Monday to Friday. The week before the festival is
    busy, the one after slow; in it neither weekday nor month-end count.

    Raises:
        ValueError: the year's Spring Festival is not in the table.
    """
    if is_festival(day):
        return _FESTIVAL
    since = _since_festival(day)
    season = _BEFORE_FESTIVAL if -8 <= since < -1 else 1.0
    if 6 < since <= _AFTER_DAYS:
        season = _AFTER_FESTIVAL
    last = date(day.year, day.month, monthrange(day.year, day.month)[1])
    if last - day < timedelta(days=_MONTH_END_DAYS):
        season *= _MONTH_END
    return season * (_WORKDAYS if _is_workday(day) else _DAYS_OFF)[day.weekday()]


def _since_festival(day: date) -> int:
    if day.year not in SPRING_FESTIVAL:
        raise ValueError(f"{day}: give a date from 2024 to 2030, whose Spring Festival is known")
    return (day - SPRING_FESTIVAL[day.year]).days


def _is_workday(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < SATURDAY
