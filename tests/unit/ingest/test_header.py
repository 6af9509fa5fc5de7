"""Which row is the header, when nobody says so."""

from __future__ import annotations

import pytest

from pipelines.ingest.header import clean, find_header, join
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError

FOUND = [
    ("two columns under a title", [["表", ""], ["甲", "乙"], ["a", "1"], ["b", "2"]],
     1, 1, ("甲", "乙")),
    ("a title and a unit", [["表", "", "", ""], ["", "", "", "单位：元"], ["甲", "乙", "丙", "丁"],
                           ["a", "1", "2", "3"]], 2, 1, ("甲", "乙", "丙", "丁")),
    ("a sparse upper row", [["项目", "2024", "", "2025", ""], ["", "数量", "金额", "数量", "金额"],
                            ["a", "1", "2", "3", "4"]], 0, 2,
     ("项目", "2024_数量", "2024_金额", "2025_数量", "2025_金额")),
    ("a header cell without a name", [["甲", "", "丙"], ["x", "y", "z"], ["x", "y", "z"]],
     0, 1, ("甲", "", "丙")),
    ("texts alone", [["甲", "乙"], ["x", "y"], ["z", "w"]], 0, 1, ("甲", "乙")),
    ("one column", [["甲"], ["x"], ["z"]], 0, 1, ("甲",)),
    ("blank rows first", [["", ""], ["", ""], ["甲", "乙"], ["1", "2"]], 2, 1, ("甲", "乙")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rows", "first", "count", "names"), FOUND, ids=lambda x: str(x)[:12]
)
def test_the_header_is_found_by_shape(
    name: str, rows: list[list[str]], first: int, count: int, names: tuple[str, ...]
) -> None:
    found = find_header(rows, Layout())
    assert (found.first, found.rows, found.names) == (first, count, names)


def test_expected_names_find_the_header_where_shape_would_not() -> None:
    rows = [["1", "2", "3"], ["县区", "人口", ""], ["", "男", "女"], ["a", "x", "y"]]
    found = find_header(rows, Layout(headers=("县区", "人口_男", "人口_女")))
    assert (found.first, found.rows, found.certainty) == (1, 2, "sure")


def test_without_a_header_the_expected_names_are_the_columns() -> None:
    layout = Layout(headers=("甲", "乙"), header_rows=0)
    assert find_header([["1", "2"]], layout).rows == 0
    with pytest.raises(RefusedError, match="wrong_header"):
        find_header([["1", "2", "3"]], layout)


def test_names_of_two_rows_are_joined_as_people_read_them() -> None:
    assert join(["序号", "人口", "", "备注"], ["", "男", "女", ""], False) == [
        "序号", "人口_男", "人口_女", "备注",
    ]  # fmt: skip
    assert join(["序号", "人口", "人口"], ["序号", "男", "女"], True) == [
        "序号",
        "人口_男",
        "人口_女",
    ]


def test_a_header_is_clean() -> None:
    assert clean("\ufeff 单位\r\n名称\u3000\u200b\u2003") == "单位名称"
    assert clean("单位\x1f\0名称") == "单位\ufffd\ufffd名称"
