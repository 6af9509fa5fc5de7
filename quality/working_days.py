"""Which days the offices of the city work: for due dates and deadlines.

Belongs here: working days, and how sure it is that they are.
Does not belong here: how many of them a deadline has (`work_orders.policy`).

The State Council announces each autumn the holidays and make-up days of the next year. They are
known for the years that `chinese_calendar` holds. Beyond, the statutory holidays of `holidays`
stand in, without make-up days and so with a Saturday or two wrong; beyond those, weekends alone.
No date is refused: a deadline in an unannounced year is an estimate, and `basis` says so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar

ANNOUNCED, STATUTORY, WEEKENDS = "announced", "statutory", "weekends"
"""What the working days of a year rest on, best first."""

_SATURDAY = 5


@dataclass(frozen=True)
class WorkingDays:
    """The calendar of one city; what is named here wins over what the country announced."""

    holidays: frozenset[date] = field(default_factory=frozenset)
    working_days: frozenset[date] = field(default_factory=frozenset)

    def is_working_day(self, day: date) -> bool:
        """Whether the offices work on that day."""
        if day in self.holidays:
            return False
        return day in self.working_days or day in _national(day.year)[1]

    def after(self, day: date, count: int) -> date:
        """The `count`th working day after `day`; `day` itself where `count` is 0.

        Raises:
            ValueError: `count` is negative.
        """
        if count < 0:
            raise ValueError(f"{count} working days: give 0 or more")
        while count:
            day += timedelta(days=1)
            count -= self.is_working_day(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and with `end`; 0 where `end` is not later."""
        if end <= start:
            return 0
        count = sum(_count(year, start, end) for year in range(start.year, end.year + 1))
        count -= sum(day in _national(day.year)[1] for day in self.holidays if start < day <= end)
        return count + sum(
            day not in _national(day.year)[1]
            for day in self.working_days - self.holidays
            if start < day <= end
        )


def basis(year: int) -> str:
    """What the working days of a year rest on: one of `ANNOUNCED`, `STATUTORY`, `WEEKENDS`."""
    return _national(year)[0]


def caveat(days: Collection[date]) -> str:
    """What to say beside deadlines that are estimates, in Chinese; empty where none is."""
    years = sorted({day.year for day in days if basis(day.year) != ANNOUNCED})
    if not years:
        return ""
    named = "、".join(str(year) for year in years)
    return f"{named} 年放假调休安排尚未载入，期限按法定节假日和周末推算，公布后以公布的为准。"


@lru_cache(maxsize=64)
def _national(year: int) -> tuple[str, frozenset[date]]:
    """What a year's working days rest on, and the days."""
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    days = [day for day in days if day.year == year]
    try:
        return ANNOUNCED, frozenset(day for day in days if chinese_calendar.is_workday(day))
    except NotImplementedError:  # the package does not hold that year
        weekdays = frozenset(day for day in days if day.weekday() < _SATURDAY)
    statutory = _statutory(year)
    return (STATUTORY, weekdays - statutory) if statutory else (WEEKENDS, weekdays)


def _statutory(year: int) -> frozenset[date]:
    import holidays  # takes 0.2 s to import, and is needed for unannounced years alone

    return frozenset(holidays.country_holidays("CN", years=year))


@lru_cache(maxsize=64)
def _in_order(year: int) -> list[date]:
    return sorted(_national(year)[1])


def _count(year: int, start: date, end: date) -> int:
    days = _in_order(year)
    return bisect_right(days, end) - bisect_left(days, start + timedelta(days=1))
