"""Levels of columns beside each other: in doubt the higher one. All people here are made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.onboarding.draft import Draft
from tests.unit.onboarding.test_kinds import RESIDENTS, card_number

DraftOf = Callable[..., Draft]
ROWS = 60


def levels(draft_of: DraftOf, folder: Path, table: dict[str, list[str]]) -> dict[str, str]:
    drafted = draft_of(folder, table)
    return {column.header: column.level for column in drafted.columns}


def test_every_number_that_finds_a_person_is_personal(draft_of: DraftOf, tmp_path: Path) -> None:
    """A level that is too low publishes somebody; one that is too high only asks a question."""
    serial = [f"{n:08}" for n in range(ROWS)]
    table = {
        "姓名": ["王小明", "李四"] * 30,
        "证件号码": RESIDENTS[:ROWS],
        "座机": [f"0539-8{n:06}" for n in range(ROWS)],
        "社保卡号": [f"J{text}" for text in serial],
        "护照号码": [f"E{text}" for text in serial],
        "微信号": [f"wx_{text}" for text in serial],
        "QQ": [f"9{text}" for text in serial],
        "甲": [f"u{text}@163.com" for text in serial],
        "乙": [f"鲁Q{n:05}" for n in range(ROWS)],
        "婚姻状况": ["已婚", "未婚"] * 30,
        "救助金额": ["300", "500.5"] * 30,
    }
    assert set(levels(draft_of, tmp_path, table).values()) == {"L3"}


def test_what_harms_is_sensitive(draft_of: DraftOf, tmp_path: Path) -> None:
    table = {
        "病种": ["高血压", "糖尿病"] * 30,
        "残疾等级": ["一级", "二级"] * 30,
        "宗教信仰": ["无", "基督教"] * 30,
        "人脸照片编号": [f"F{n:06}" for n in range(ROWS)],
        "密码": [f"a{n}b" for n in range(ROWS)],
        "甲": [card_number(f"622202{n * 7919:09}") for n in range(ROWS)],
    }
    assert set(levels(draft_of, tmp_path, table).values()) == {"L4"}


def test_where_persons_are_is_personal_and_their_track_sensitive(
    draft_of: DraftOf, tmp_path: Path
) -> None:
    places = {"经度": ["118.35", "118.41"] * 30, "纬度": ["35.05", "35.11"] * 30}
    persons = {"姓名": ["王小明", "李四"] * 30}
    times = {"时间": [f"2026-03-05 08:{n:02}:00" for n in range(ROWS)]}
    location = {"location": ['{"lng": 118.3, "lat": 35.05}'] * ROWS}
    for number, (table, level) in enumerate(
        [
            (places | times, "L1"),
            (places | persons, "L3"),
            (places | persons | times, "L4"),
            (location | persons, "L3"),
        ]
    ):
        found = levels(draft_of, tmp_path / str(number), table)
        seen = {level for header, level in found.items() if header in ("经度", "纬度", "location")}
        assert seen == {level}, table.keys()


def test_accounts_of_a_named_enterprise_are_not_public_but_its_capital_is(
    draft_of: DraftOf, tmp_path: Path
) -> None:
    figures = [str(n * 1000) for n in range(ROWS)]
    table = {"营业收入": figures, "注册资本": figures, "从业人数": figures}
    named = table | {"单位名称": [f"临沂{n}机械有限公司" for n in range(ROWS)]}
    assert set(levels(draft_of, tmp_path / "a", table).values()) == {"L1"}
    found = levels(draft_of, tmp_path / "b", named)
    assert [found[header] for header in table] == ["L2", "L1", "L1"]


def test_a_list_of_a_personal_column_is_not_told(draft_of: DraftOf, tmp_path: Path) -> None:
    table = {"证件号码": RESIDENTS[:ROWS], "婚姻状况": ["已婚", "离异"] * 30}
    drafted = draft_of(tmp_path, table)
    assert "离异" not in drafted.text
