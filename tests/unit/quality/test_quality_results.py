"""The record of a rule's result, its table, and when a delivery is late."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest

from quality.feedback.messages import split_message
from quality.results import RuleResult, read_rule_results, write_rule_results
from quality.row_results import is_late

NIGHT = date(2026, 6, 30)
RESULT = RuleResult(
    NIGHT, "d", "s", "r", "gx", "accuracy", "error", "fail", 2, 9, ("一", "b"), "1.0.0", "错。"
)


def test_what_is_written_is_read_and_a_rerun_replaces_only_its_night():
    """A night run twice must not count twice, nor wipe the history of orders."""
    later = replace(RESULT, business_date=NIGHT + timedelta(days=1), sample_keys=())
    with duckdb.connect() as connection:
        write_rule_results(connection, NIGHT, [RESULT, replace(RESULT, rule_id="gone")])
        write_rule_results(connection, later.business_date, [later])
        write_rule_results(connection, NIGHT, [RESULT])
        assert read_rule_results(connection, later.business_date) == [RESULT, later]
        assert read_rule_results(connection, NIGHT) == [RESULT]


def test_a_failed_write_keeps_the_night_as_it_was():
    with duckdb.connect() as connection:
        write_rule_results(connection, NIGHT, [RESULT])
        with pytest.raises(duckdb.Error):
            write_rule_results(connection, NIGHT, [replace(RESULT, department=None)])
        assert read_rule_results(connection, NIGHT) == [RESULT]


def test_a_result_of_another_night_is_refused():
    with duckdb.connect() as connection, pytest.raises(ValueError, match="another date"):
        write_rule_results(connection, NIGHT + timedelta(days=1), [RESULT])


@pytest.mark.parametrize(("days_ago", "late"), [(0, False), (1, False), (2, True), (None, True)])
def test_a_daily_dataset_with_a_day_of_grace_is_late_after_two_days(days_ago, late):
    """One missing file is still in its time; the second night without one is not."""
    newest = None if days_ago is None else NIGHT - timedelta(days=days_ago)
    assert is_late(newest, NIGHT, timedelta(days=1), timedelta(hours=24)) is late


def test_a_message_falls_into_what_is_wrong_and_what_to_do():
    assert split_message("「电话」不对，请更正。") == ("「电话」不对。", "请更正。")
    assert split_message("不对。") == ("不对。", "请更正后重新报送。")
