"""Keys: what tells the rows for good, and not what happens to be unique."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.onboarding.draft import Draft
from tests.unit.onboarding.test_kinds import RESIDENTS

DraftOf = Callable[..., Draft]
ROWS = 100
COUNT = [str(7 * n) for n in range(ROWS)]
MONTHS = [f"2026-0{1 + n // 25}" for n in range(ROWS)]
UNITS = [f"X{n % 25:04}" for n in range(ROWS)]


@pytest.mark.parametrize(
    ("table", "key", "sureness"),
    [
        # A figure is unique by chance, and another one next month.
        ({"营业收入": COUNT, "统计月份": MONTHS, "单位代码": UNITS},
         ("statistics_month", "organisation_code"), "medium"),
        # A state changes while the row stays the same.
        ({"代码": [f"A{n // 2}" for n in range(ROWS)], "状态": ["在用", "停用"] * 50,
          "启用时间": [str(1981 + n % 2) for n in range(ROWS)]}, ("code", "used_from"), "medium"),
        # An event has a number of its own; the person only takes part.
        ({"证件号码": RESIDENTS, "处罚决定书文号": [f"临罚〔2026〕{n}号" for n in range(ROWS)]},
         ("penalty_document_number",), "high"),
        # Nobody's register is kept by pictures of faces.
        ({"人脸照片编号": [f"F{n:06}" for n in range(ROWS)], "证件号码": RESIDENTS},
         ("id_number",), "high"),
        # Far behind, a number tells whom the row is about.
        ({"名称": ["甲"] * ROWS, "类型": ["乙"] * ROWS, "等级": ["丙"] * ROWS,
          "证件号码": RESIDENTS}, ("id_number",), "medium"),
    ],
)  # fmt: skip
def test_a_key_is_what_names_a_row_for_good(
    draft_of: DraftOf, tmp_path: Path, table: dict[str, list[str]], key: tuple[str, ...],
    sureness: str,
) -> None:  # fmt: skip
    drafted = draft_of(tmp_path, table)
    assert (drafted.contract.key, drafted.key.sureness) == (key, sureness)
