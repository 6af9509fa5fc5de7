"""Unusual deliveries: what is told of, and what is left alone."""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.anomalies import (
    HISTORY,
    SENSITIVITIES,
    stale_deliveries,
    unusual_volumes,
)
from quality.day_kinds import Season, is_announced, kind_of
from quality.distributions import (
    change_of_unit,
    divergence,
    normal_score,
    unusual_distributions,
    unusual_missing,
)
from quality.profiles import BINS_A_DECADE, Profile

MEDIUM = SENSITIVITIES["medium"]
MONDAY = date(2026, 3, 2)
WEEK = (1.15, 1.05, 1.0, 1.0, 1.1, 0.4, 0.3)


def day(number: int, first: date = MONDAY) -> date:
    return first + timedelta(days=number)


def delivered(number: int, rows: int, first: date = MONDAY, **values) -> Profile:
    return Profile(day(number, first), (f"d{number}",), rows, f"c{number}", {}, values)


def ordinary(count: int, rows: int = 120, first: date = MONDAY, seed: int = 1) -> list[Profile]:
    """Days with a week's rhythm, busy month-ends and a little chance."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    found = []
    for number in range(count):
        kind = kind_of(day(number, first))
        factor = WEEK[kind.weekday] * (1.7 if kind.is_month_end else 1.0)
        found.append(delivered(number, round(rows * factor * chance.gauss(1, 0.08)), first))
    return found


def amounts(rows: int, seed: int, times: float = 1.0) -> dict[str, int]:
    """Log-normal amounts, counted as a profile counts them."""
    chance = random.Random(seed)  # noqa: S311
    sizes = (chance.gauss(3, 0.5) + math.log10(times) for _ in range(rows))
    return dict(Counter(f"p{math.floor(size * BINS_A_DECADE)}" for size in sizes))


def days_of(found) -> list[date]:
    return [unusual.business_date for unusual in found]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rows", [12, 120, 5000])
def test_a_weekly_rhythm_with_month_ends_is_usual(rows, seed):
    """Each first weekend and first month-end must not become a work order."""
    assert unusual_volumes(ordinary(70, rows, seed=seed), MEDIUM, is_full=False) == []


@pytest.mark.parametrize(
    ("factor", "is_told"), [(8, True), (0.12, True), (1.4, False), (0.7, False)]
)
def test_a_jump_and_a_drop_are_told_and_a_small_change_is_not(factor, is_told):
    profiles = ordinary(30)
    profiles[24] = delivered(24, round(profiles[24].rows * factor))
    found = unusual_volumes(profiles, MEDIUM, is_full=False)
    assert days_of(found) == ([day(24)] if is_told else [])


def test_nothing_is_said_before_there_is_history_enough():
    profiles = ordinary(HISTORY)
    assert (
        unusual_volumes([*profiles[:-1], delivered(HISTORY - 1, 9000)], MEDIUM, is_full=False) == []
    )
    assert unusual_volumes([*profiles, delivered(HISTORY, 9000)], MEDIUM, is_full=False) != []


def test_an_incident_is_not_in_the_baseline_of_the_next_one():
    """Else the second drop in a row would be usual."""
    profiles = ordinary(30)
    for number in range(20, 25):
        profiles[number] = delivered(number, 9)
    found = unusual_volumes(profiles, MEDIUM, is_full=False)
    assert days_of(found) == [day(number) for number in range(20, 25)]


def test_spring_festival_may_be_small_and_its_days_are_compared_with_each_other():
    first = date(2026, 1, 5)
    profiles = ordinary(42, first=first)
    for number in range(42, 50):
        assert kind_of(day(number, first)).season == Season.FESTIVAL or number == 49
        profiles.append(delivered(number, 14, first))
    assert unusual_volumes(profiles, MEDIUM, is_full=False) == []
    jump = [*profiles[:47], delivered(47, 14 * 12, first)]
    assert days_of(unusual_volumes(jump, MEDIUM, is_full=False)) == [day(47, first)]


def test_the_same_drop_on_a_working_day_is_no_festival():
    profiles = [*ordinary(44), delivered(44, 14)]
    assert days_of(unusual_volumes(profiles, MEDIUM, is_full=False)) == [day(44)]


def test_a_full_delivery_is_compared_with_the_one_before():
    growing = [delivered(n, 1000 + 5 * n) for n in range(40)]
    assert unusual_volumes(growing, MEDIUM, is_full=True) == []
    growing[30] = delivered(30, 600)
    assert days_of(unusual_volumes(growing, MEDIUM, is_full=True)) == [day(30)]


@pytest.mark.parametrize("rows", [40, 104, 300, 3000])
def test_a_register_that_came_twice_over_goes_back_to_what_it_was(rows: int) -> None:
    """The right file after a doubled one would be asked for again, night after night."""
    sizes = [rows] * 30 + [2 * rows] + [rows] * 10
    profiles = [delivered(number, size) for number, size in enumerate(sizes)]
    assert set(days_of(unusual_volumes(profiles, MEDIUM, is_full=True))) <= {day(30)}


def test_sensitivity_decides_what_is_told():
    profiles = ordinary(30)
    profiles[24] = delivered(24, round(profiles[24].rows * 0.45))
    told = {
        name: bool(unusual_volumes(profiles, level, is_full=False))
        for name, level in SENSITIVITIES.items()
    }
    assert told == {"low": False, "medium": False, "high": True}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("number", [53, 57])
def test_a_drop_on_a_busy_or_a_slow_workday_is_told_beside_quiet_days(number, seed):
    """Prevents: weekends and a festival that make every drop look like one of them."""
    profiles = ordinary(70, first=date(2026, 1, 5), seed=seed)
    for other in range(41, 50):  # Spring Festival
        profiles[other] = delivered(other, 14, date(2026, 1, 5))
    profiles[number] = delivered(number, 13, date(2026, 1, 5))
    found = unusual_volumes(profiles, MEDIUM, is_full=False)
    assert days_of(found) == [profiles[number].business_date]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rows", [8, 14, 40])
def test_a_change_of_unit_is_named_however_few_rows_show_it(rows, seed):
    """Prevents: an order for an odd distribution on Sunday and one for the unit on Monday."""
    pool = Counter()
    for number in range(30):
        pool.update(amounts(120, seed * 100 + number))
    wrong = amounts(rows, seed * 100 + 99, times=10_000)
    assert change_of_unit(wrong, pool, MEDIUM) == 4
    assert change_of_unit(amounts(rows, seed * 100 + 99), pool, MEDIUM) == 0


def same(number: int, content: str, rows: int = 50) -> Profile:
    return Profile(day(number), (f"d{number}",), rows, content)


def test_yesterdays_rows_under_todays_date_are_stale():
    profiles = [same(0, "a"), same(1, "b"), same(2, "b"), same(3, "c")]
    (found,) = stale_deliveries(profiles, is_full=False)
    assert (found.business_date, found.alike) == (day(2), day(1))


def test_a_few_equal_rows_are_chance():
    assert stale_deliveries([same(0, "a", 2), same(1, "a", 2)], is_full=False) == []


def test_an_unchanged_full_delivery_is_stale_only_where_deliveries_change():
    """Until something changes again: an order must not close because the fault goes on."""
    changing = [same(n, str(n)) for n in range(100)]
    stuck = [same(n, "99") for n in range(100, 105)]
    found = stale_deliveries([*changing, *stuck, same(105, "new")], is_full=True)
    assert days_of(found) == [day(n) for n in range(100, 105)]
    resting = [same(n, str(n // 3)) for n in range(100)]
    assert stale_deliveries(resting, is_full=True) == []


@pytest.mark.parametrize("seed", range(8))
def test_a_small_register_that_often_has_nothing_new_is_not_stale(seed):
    """Prevents: an order for each quiet day of sixty applications, one new of them a day."""
    chance = random.Random(seed)  # noqa: S311
    content, profiles = 0, []
    for number in range(300):
        content += chance.random() < (0.95 if number < 15 else 0.63)  # first corrections, then few
        profiles.append(same(number, str(content)))
    assert stale_deliveries(profiles, is_full=True) == []


def test_a_column_that_is_suddenly_missing_is_told_and_is_gross():
    profiles = [
        Profile(day(n), (f"d{n}",), 100, str(n), {"phone": 100 if n == 15 else 8 + n % 5})
        for n in range(20)
    ]
    (found,) = unusual_missing(profiles, "phone", MEDIUM)
    assert (found.business_date, found.is_gross, found.found) == (day(15), True, 1.0)


def test_a_share_of_missing_values_that_falls_is_no_fault():
    profiles = [Profile(day(n), (f"d{n}",), 100, str(n), {"phone": 50 if n < 15 else 0})
                for n in range(20)]  # fmt: skip
    assert unusual_missing(profiles, "phone", MEDIUM) == []


@pytest.mark.parametrize("power", [-4, -3, -2, -1, 1, 2, 3, 4])
@pytest.mark.parametrize("rows", [30, 200])
def test_a_change_of_unit_is_told_by_its_power_of_ten(power, rows):
    profiles = [delivered(n, rows, amount=amounts(rows, n, 10.0**power if n == 20 else 1))
                for n in range(24)]  # fmt: skip
    (found,) = unusual_distributions(profiles, "amount", MEDIUM)
    assert (found.business_date, found.times, found.is_gross) == (day(20), power, True)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_distribution_again_is_usual(seed):
    profiles = [delivered(n, 40, amount=amounts(40 + n % 90, 100 * seed + n)) for n in range(90)]
    assert unusual_distributions(profiles, "amount", MEDIUM) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_drift_is_told_goes_on_and_ends_when_it_ends(seed):
    """It opens once and closes on the first usual delivery, small weekend deliveries or not."""
    profiles = []
    for number in range(70):
        grown = 1.06 ** max(0, number - 34) if number < 60 else 1.0
        rows = 40 if kind_of(day(number)).season == Season.REST else 120
        profiles.append(delivered(number, rows, amount=amounts(rows, 1000 * seed + number, grown)))
    found = days_of(unusual_distributions(profiles, "amount", MEDIUM))
    assert found
    assert found == [day(n) for n in range(60 - len(found), 60)]
    assert day(45) <= found[0] <= day(57)
    assert not any(u.is_gross for u in unusual_distributions(profiles, "amount", MEDIUM))


def test_a_new_mix_of_categories_is_told():
    usual = [delivered(n, 100, kind={"甲": 60 + n % 7, "乙": 40 - n % 7}) for n in range(20)]
    changed = delivered(20, 100, kind={"甲": 10, "乙": 30, "其他": 60})
    (found,) = unusual_distributions([*usual, changed], "kind", MEDIUM)
    assert (found.business_date, found.times) == (day(20), 0)


counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 500))


@given(counts, counts)
def test_divergence_is_symmetric_and_between_nothing_and_all(one, other):
    assert 0 <= divergence(one, other) <= 1
    assert divergence(one, other) == pytest.approx(divergence(other, one))
    assert divergence(one, one) == pytest.approx(0, abs=1e-9)


def test_the_normal_score_is_that_of_a_normal_number_for_a_fair_draw():
    chance = random.Random(5)  # noqa: S311
    pool = {str(n): 1000 for n in range(12)}
    scores = [
        normal_score(Counter(str(chance.randrange(12)) for _ in range(150)), pool)
        for _ in range(400)
    ]
    mean = sum(scores) / len(scores)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    assert abs(mean) < 0.3
    assert 0.8 < spread < 1.25
    assert max(scores) < MEDIUM.deviations - 1


def test_days_know_the_season_in_announced_years_and_beyond():
    assert kind_of(date(2026, 2, 17)).season == Season.FESTIVAL
    assert kind_of(date(2026, 2, 14)).season == Season.WORK  # a Saturday that is made up
    assert kind_of(date(2026, 10, 1)).season == Season.HOLIDAY
    assert kind_of(date(2026, 6, 28)).season == Season.REST
    assert kind_of(date(2026, 6, 28)).is_month_end
    assert not is_announced(2033)
    assert kind_of(date(2033, 1, 31)).season == Season.FESTIVAL
    assert kind_of(date(2033, 10, 3)).season == Season.HOLIDAY
    assert kind_of(date(2040, 2, 11)).season == Season.REST
