"""The benchmark of the rules: times of ways that find other rows would be no comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.bench import rules, rules_run


@pytest.mark.parametrize("way", [rules_run.yishu, rules_run.sql])
def test_each_way_finds_what_was_planted_and_nothing_else(tmp_path: Path, way: object) -> None:
    rows = 10_000
    path = rules.make_rows(tmp_path, rows)
    found = way(path, tmp_path / "findings.parquet")()  # type: ignore[operator]
    spoilt, months_to_come = 7 * rows // 1_000, rows // 100
    assert found == spoilt + months_to_come


def test_ways_that_disagree_are_no_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([10, 11])

    def measure(*_: str, module: str) -> rules.Run:
        assert module == "pipelines.bench.rules_run"
        return rules.Run(1.0, 1.0, 1.0, 100, next(found))

    monkeypatch.setattr(rules, "measure", measure)
    with pytest.raises(rules.DisagreementError):
        rules.run(tmp_path, 1_000, 1, ["yishu", "sql"], print)
