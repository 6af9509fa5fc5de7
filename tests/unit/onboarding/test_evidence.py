"""Spellings of "missing": found, and not invented where they are an answer."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from pipelines.onboarding import evidence
from pipelines.onboarding.sample import FILE


def found(texts: Sequence[str]) -> evidence.Evidence:
    files = pl.Series(FILE, [0] * len(texts), dtype=pl.Int32)
    (column,) = evidence.gather(pl.DataFrame([pl.Series("列", texts), files]), ["列"])
    return column


@pytest.mark.parametrize(
    ("texts", "spellings", "missing"),
    [
        (["1", "-;", "-;", ""], ["-;"], 3),
        (["1", "N/A", "n/a", "Ｎ／Ａ", "NULL", "—", "/"],
         ["/", "N/A", "NULL", "n/a", "—", "Ｎ／Ａ"], 6),
        (["1", "2", "无", "不详"], ["不详", "无"], 2),
        (["有", "无"], [], 0),
        (["男", "女", "未知"], [], 0),
        (["√", "×", "√"], [], 0),
        (["*", "**"], [], 0),
        (["　", "\ufeff", "a"], [], 2),
    ],
)  # fmt: skip
def test_missing_is_what_stands_for_it(
    texts: list[str], spellings: list[str], missing: int
) -> None:
    column = found(texts)
    assert (sorted(column.spellings), column.missing) == (spellings, missing)


def test_evidence_is_told_in_numbers_alone() -> None:
    column = found(["王小明", "李四", "-"])
    assert column.told() == "样本 3 行：缺失 33.3%，不同值 2 个"
    assert "王小明" not in repr(column)


@pytest.mark.parametrize(("share", "told"), [(1.0, "100%"), (0.99999, "99.9%"), (0.0001, "0.1%")])
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, told: str) -> None:
    assert evidence.percent(share) == told
