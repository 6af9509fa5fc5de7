"""Totals among their parts: found where they hold in every group, judged when one is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from pipelines.onboarding import totals
from pipelines.onboarding.draft import Draft
from pipelines.onboarding.totals import Total

DraftOf = Callable[..., Draft]
COUNTIES = ["甲县", "乙县", "丙区", "丁'区"]
YEARS = ["2022", "2023", "2024", "2025"]


def table(changes: Mapping[tuple[str, str], str] | None = None) -> dict[str, list[str]]:
    """Output by county and year, with the city's row; `changes` by year and place."""
    columns: dict[str, list[str]] = {"县区": [], "年份": [], "产量": [], "单产": []}
    for number, year in enumerate(YEARS):
        figures = [100_000.25 * (place + 1) + number for place in range(len(COUNTIES))]
        places = [*COUNTIES, "全市"]
        for place, figure in zip(places, [*figures, sum(figures)], strict=True):
            told = (changes or {}).get((year, place), f"{figure:.2f}")
            row = (place, year, told, "400.5")
            for column, text in zip(columns.values(), row, strict=True):
                column.append(text)
    return columns


def test_a_city_among_its_counties_is_found_with_what_adds_up(
    draft_of: DraftOf, tmp_path: Path
) -> None:
    drafted = draft_of(tmp_path, table())
    assert drafted.totals == (Total("output", "county", "全市", ("year",), 4, 0.01),)
    (rule,) = (r for r in drafted.contract.rules if r.rule_id == "output_is_sum_by_county")
    assert (rule.severity, rule.dimension) == ("error", "consistency")
    assert "「全市」" in rule.message


@pytest.mark.parametrize(
    "changes",
    [{("2023", "全市"): "999999.99"}, {("2024", "甲县"): "100003.25"}, {("2022", "乙县"): "-"}],
)
def test_a_total_that_fails_in_one_group_is_no_rule(
    draft_of: DraftOf, tmp_path: Path, changes: dict[tuple[str, str], str]
) -> None:
    assert draft_of(tmp_path, table(changes)).totals == ()


def test_rounding_is_tolerated_as_far_as_it_was_seen(draft_of: DraftOf, tmp_path: Path) -> None:
    drafted = draft_of(tmp_path, table({("2024", "甲县"): "100002.27"}))
    assert [total.tolerance for total in drafted.totals] == [0.1]


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        ([("甲", 1.0), ("乙", 2.0), ("全", 3.0)], 0),
        ([("甲", 1.0), ("乙", 2.0), ("全", 3.005)], 0),
        ([("甲", 1.5), ("乙", 2.0), ("全", 3.0)], 1),
        ([("甲", 1.0), ("乙", 2.0)], 1),
        ([("全", 3.0)], 1),
    ],
)
def test_the_rule_counts_groups_that_do_not_add_up_or_lack_a_side(
    rows: Sequence[tuple[str, float]], failed: int
) -> None:
    query = totals.query(Total("output", "place", "全", ("year",), 3, 0.01))
    with duckdb.connect() as connection:
        connection.execute("create table sums_of (place varchar, year integer, output double)")
        connection.executemany("insert into sums_of values (?, 2025, ?)", rows)
        judged = connection.execute(query.replace("{object}", "sums_of")).fetchone()
    assert judged == (failed,)
