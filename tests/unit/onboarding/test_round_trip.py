"""What is drafted from a file loads that file: no rule of the draft refuses what is no defect."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.store import Receipt
from pipelines.onboarding import draft as drafts
from pipelines.onboarding import rehearse
from pipelines.onboarding.draft import Draft
from pipelines.onboarding.sample import DraftError
from pipelines.onboarding.write import Identity
from tests.unit.onboarding.test_kinds import RESIDENTS, WRONG

DraftOf = Callable[..., Draft]
Load = Callable[[Draft, Path], Receipt]

digits = st.integers(0, 10**12).map(str)
cells = {
    "resident": st.sampled_from([*RESIDENTS, WRONG[0]]),
    "rounded": st.sampled_from([f"{number[:15]}000" for number in RESIDENTS]),
    "date": st.dates().map(str) | st.sampled_from(["2026/3/5", "2026年3月5日", "46000", "待定"]),
    "number": digits | st.decimals(-(10**6), 10**6, places=3).map(str) | st.just("1e5"),
    "float": st.floats(width=32).map(str),
    "code": st.integers(0, 10**6).map("{:07}".format),
    "long": st.integers(10**15, 10**17).map(str),
    "answer": st.sampled_from(["是", "否", "", "无"]),
    "bit": st.sampled_from(["0", "1", "-"]),
    "category": st.sampled_from(["在营", "吊销", "'注销", " 迁出", "Ａ"]),
    "amount": st.sampled_from(["3.5万", "￥1,234.50元", "1.23456亿", "100万美元", "12"]),
    "percent": st.sampled_from(["12.5%", "8%", "8"]),
    "division": st.sampled_from(["371302", "371311", "999999"]),
    "text": st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
}
headers = [
    "证件号码",
    "办理日期",
    "金额",
    "编号",
    "是否缴费",
    "区划代码",
    "姓名",
    "占比",
    "列一",
    "经度",
]


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[str]]:
    """Columns of any kind below headers that fit them or do not; the first is never blank."""
    rows = draw(st.integers(1, 70))
    table = {"行标": [f"r{number}" for number in range(rows)]}
    for header in draw(st.lists(st.sampled_from(headers), min_size=1, max_size=4, unique=True)):
        cell = cells[draw(st.sampled_from(sorted(cells)))]
        few = draw(st.lists(cell, min_size=1, max_size=6))
        values = draw(st.lists(st.sampled_from(few) | cell, min_size=rows, max_size=rows))
        table[header] = values
    return table


@settings(max_examples=60)
@given(tables())
def test_a_draft_loads_the_file_it_was_drafted_from(
    draft_of: DraftOf, load: Load, table: dict[str, list[str]]
) -> None:
    rows = len(table["行标"])
    with tempfile.TemporaryDirectory() as folder:
        drafted = draft_of(Path(folder), table)
        receipt = load(drafted, Path(folder))
    assert (receipt.status, receipt.rows_read) == ("loaded", rows), receipt.reason
    assert receipt.rows_accepted + receipt.rows_quarantined == rows
    assert receipt.rows_quarantined == drafted.rehearsal.refused_rows
    for rule, count in drafted.rehearsal.refused.items():
        is_told = rule in ("readable_text", "row_shape") or rule.endswith("__whole")
        assert is_told or count <= rehearse.TOO_MANY * rows, rule


def test_a_real_defect_is_refused_and_told(draft_of: DraftOf, load: Load, tmp_path: Path) -> None:
    table = {"证件号码": [*RESIDENTS[:99], WRONG[99]], "人数": [*map(str, range(99)), "约一百"]}
    drafted = draft_of(tmp_path, table)
    assert drafted.rehearsal.refused == {"id_number_check_digit": 1, "person_count__type": 1}
    assert load(drafted, tmp_path).rows_quarantined == 1


def test_a_rule_that_refuses_too_much_is_taken_back(
    draft_of: DraftOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last guard, should the evidence and the door ever disagree on what can be read."""
    monkeypatch.setattr(rehearse, "TOO_MANY", 0)
    table = {"编号": [f"A{row}" for row in range(100)], "人数": [*map(str, range(99)), "约一百"]}
    drafted = draft_of(tmp_path, table)
    assert drafted.contract.column("person_count").sql_type == "varchar"
    assert drafted.rehearsal.refused == {}
    (column,) = (column for column in drafted.columns if column.header == "人数")
    assert "person_count__type would refuse too many rows: kept as text" in column.looks


def test_codes_that_a_spreadsheet_has_cut_stay_refused_however_many(
    draft_of: DraftOf, tmp_path: Path
) -> None:
    cut = [f"{number[:15]}000" for number in RESIDENTS]
    drafted = draft_of(tmp_path, {"证件号码": cut, "列": [str(row) for row in range(100)]})
    assert drafted.rehearsal.refused["id_number__whole"] > 80


def test_no_value_of_a_personal_column_stands_in_the_contract(
    draft_of: DraftOf, tmp_path: Path
) -> None:
    people = ["王小明", "李四光", "张三丰"] * 30
    table = {
        "甲": people,
        "证件号码": RESIDENTS[:90],
        "电话": [f"138{number:08}" for number in range(90)],
        "患者诊断": ["流感", "肺炎", "健康"] * 30,
        "事由": ["请致电13812345678联系", "无法联系", "已办"] * 30,
        "状态": ["在办", "办结", "退回"] * 30,
    }
    drafted = draft_of(tmp_path, table)
    levels = {column.header: column.level for column in drafted.contract.columns}
    assert levels == {
        "甲": "L3", "证件号码": "L3", "电话": "L3", "患者诊断": "L4", "事由": "L3", "状态": "L2",
    }  # fmt: skip
    for header, values in table.items():
        shown = [value for value in set(values) if value in drafted.text]
        assert bool(shown) == (header == "状态"), header


def test_an_exact_birth_date_is_personal_beside_a_name(draft_of: DraftOf, tmp_path: Path) -> None:
    dates = [f"1990-01-{day:02}" for day in range(1, 21)]
    alone = draft_of(tmp_path / "a", {"出生日期": dates, "人数": ["1"] * 20})
    beside = draft_of(tmp_path / "b", {"出生日期": dates, "姓名": ["王小明", "李四"] * 10})
    assert alone.contract.column("birth_date").level != "L3"
    assert beside.contract.column("birth_date").level == "L3"


@pytest.mark.parametrize(
    ("table", "key", "sureness"),
    [
        ({"编号": [f"A{n:04}" for n in range(200)], "名称": ["甲", "乙"] * 100},
         ("number",), "high"),
        ({"县区": ["甲县", "乙县"] * 30, "年份": [str(2000 + n // 2) for n in range(60)],
          "产量": ["1.5"] * 60}, ("county", "year"), "low"),
        ({"名称": ["甲", "甲"], "数量": ["1", "1"]}, (), "low"),
    ],
)  # fmt: skip
def test_the_key_is_the_least_that_tells_every_row(
    draft_of: DraftOf,
    tmp_path: Path,
    table: dict[str, list[str]],
    key: tuple[str, ...],
    sureness: str,
) -> None:
    drafted = draft_of(tmp_path, table)
    assert drafted.contract.key == key
    assert drafted.key.sureness == sureness


def test_columns_without_a_name_of_their_own_are_left_out(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = "编号,备注,备注,,_line_number,^$\nA1,x,y,z,1,p\nA2,x,y,z,2,p\n"
    path.write_text(text, encoding="utf-8")
    drafted = drafts.draft([path], Identity("water", "水务局", "meter", "水表"))
    assert drafted.contract.headers == ("编号", "^$")
    assert drafted.contract.ignored_headers == ("备注", "_line_number")
    assert load(drafted, tmp_path).rows_accepted == 2


def test_headers_that_a_tool_takes_for_patterns_are_drafted_and_loaded(
    draft_of: DraftOf, load: Load, tmp_path: Path
) -> None:
    days = [f"2026-03-{day:02}" for day in range(1, 29)]
    odd = ("^.*$", "*", "^a", "$", ".*", "^$", "row", "text", "count")
    drafted = draft_of(tmp_path, {"编号": [f"A{n}" for n in range(28)], **dict.fromkeys(odd, days)})
    assert drafted.contract.headers == ("编号", *odd)
    assert {column.sql_type for column in drafted.contract.columns[1:]} == {"date"}
    assert load(drafted, tmp_path).rows_accepted == 28


def test_a_ragged_row_does_not_make_its_columns_optional(draft_of: DraftOf, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"A{row},{row}\n" for row in range(20))
    path.write_text(f"编号,数量\n{rows}A20\n", encoding="utf-8")
    drafted = drafts.draft([path], Identity("water", "水务局", "meter", "水表"))
    assert [column.required for column in drafted.contract.columns] == [True, True]
    assert drafted.rehearsal.refused == {"row_shape": 1}


def test_files_without_a_header_are_not_drafted_with_values_as_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(f"王小明,{number}" for number in RESIDENTS[:5]), encoding="utf-8")
    identity = Identity("water", "水务局", "meter", "水表")
    with pytest.raises(DraftError, match="--headers") as refusal:
        drafts.draft([path], identity)
    assert RESIDENTS[0] not in str(refusal.value)


def test_a_file_with_a_header_alone_drafts_texts(draft_of: DraftOf, tmp_path: Path) -> None:
    drafted = draft_of(tmp_path, {"姓名": [], "数量": []})
    assert [(c.sql_type, c.level, c.required) for c in drafted.contract.columns] == [
        ("varchar", "L3", False),
        ("varchar", "L2", False),
    ]


def test_several_files_are_one_dataset(tmp_path: Path) -> None:
    """A column that one file lacks is not required; a value that one file lacks closes no list."""
    identity = Identity("water", "水务局", "meter", "水表")
    first, second, other = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    first.write_text(
        "编号,状态,新\n" + "".join(f"A{n},在用,1\n" for n in range(60)), encoding="utf-8"
    )
    rows = "".join(f"B{n},{'停用' if n % 2 else '在用'}\n" for n in range(60))
    second.write_text("编号,状态\n" + rows, encoding="utf-8")
    other.write_text("甲,乙\n1,2\n", encoding="utf-8")
    drafted = drafts.draft([first, second], identity)
    assert [c.required for c in drafted.contract.columns] == [True, True, False]
    assert drafted.contract.column("status").domain == ()
    with pytest.raises(DraftError, match=r"c\.csv has hardly a header of a\.csv"):
        drafts.draft([first, other], identity)


def test_what_people_keep_is_not_overwritten(draft_of: DraftOf, tmp_path: Path) -> None:
    drafted = draft_of(tmp_path, {"编号": ["A1", "A2"], "数量": ["1", "2"]})
    drafts.save(drafted, tmp_path / "sources", tmp_path / "project")
    with pytest.raises(DraftError, match="is there already"):
        drafts.save(drafted, tmp_path / "sources", tmp_path / "project")


def test_rows_that_sign_a_table_do_not_spoil_its_columns(
    draft_of: DraftOf, load: Load, tmp_path: Path
) -> None:
    """One 填表人 below twelve counties would make every figure a text."""
    table = {
        "序号": [*map(str, range(12)), "填表人：王小明"],
        "县区": [*"甲乙丙丁戊己庚辛壬癸子丑", ""],
        "产量": [*["1.5"] * 12, ""],
        "备注": [""] * 13,
    }
    drafted = draft_of(tmp_path, table)
    assert drafted.contract.column("output").sql_type == "decimal(18, 2)"
    assert any("1 signatures and notes" in look for look in drafted.looks)
    receipt = load(drafted, tmp_path)
    assert (receipt.rows_accepted, receipt.rows_quarantined) == (12, 0)
    assert receipt.findings["note_row_lines"] == [14]


def test_a_handful_of_rows_requires_no_more_than_the_key(draft_of: DraftOf, tmp_path: Path) -> None:
    table = {"编号": [f"A{n}" for n in range(19)], "名称": ["甲"] * 19, "备注": ["乙"] * 19}
    few = draft_of(tmp_path / "a", table)
    assert [column.required for column in few.contract.columns] == [True, False, False]
    assert any(look.startswith("few rows") for look in few.looks)
    more = draft_of(
        tmp_path / "b", {header: [*texts, f"{header}2"] for header, texts in table.items()}
    )
    assert [column.required for column in more.contract.columns] == [True, True, False]


def test_a_value_that_was_not_seen_is_flagged_and_loaded(draft_of: DraftOf, tmp_path: Path) -> None:
    table = {"编号": [f"A{n}" for n in range(60)], "状态": ["在用", "'停用'"] * 30}
    drafted = draft_of(tmp_path, table)
    (rule,) = (r for r in drafted.contract.rules if r.rule_id == "status_usual_values")
    assert (rule.severity, drafted.contract.column("status").domain) == ("warning", ())
    unseen = pl.concat([drafted.sample.rows, drafted.sample.rows.head(1)]).with_columns(
        pl.when(pl.int_range(pl.len()) == 60).then(pl.lit("迁出")).otherwise("状态").alias("状态")
    )
    judged = rehearse.rehearse(unseen, drafted.contract)
    assert (judged.refused, judged.flagged) == ({}, {"status_usual_values": 1})


def test_birth_date_and_sex_are_held_against_the_number_that_they_belong_to(
    draft_of: DraftOf, tmp_path: Path
) -> None:
    """Guardians have numbers too; a rule against the wrong one would refuse every child."""
    own, guardian = RESIDENTS[:50], RESIDENTS[49:99]
    sexes = ["男" if int(number[16]) % 2 else "女" for number in own]
    births = [f"{number[6:10]}-{number[10:12]}-{number[12:14]}" for number in own]
    table = {"监护人身份证号": guardian, "证件号码": own, "性别": sexes, "出生日期": births}
    drafted = draft_of(tmp_path / "a", table)
    rules = {rule.rule_id: (rule.check, rule.columns) for rule in drafted.contract.rules}
    assert rules["sex_agrees_with_number"] == ("sex_agrees", ("sex", "id_number"))
    assert rules["birth_date_agrees_with_number"] == (
        "birth_date_agrees", ("birth_date", "id_number"),
    )  # fmt: skip
    assert drafted.rehearsal.refused == {}
    swapped = ["女" if sex == "男" else "男" for sex in sexes[:1]] + sexes[1:]
    assert draft_of(tmp_path / "b", table | {"性别": swapped}).rehearsal.refused == {
        "sex_agrees_with_number": 1
    }
    other = draft_of(tmp_path / "c", table | {"性别": ["男"] * 50})
    assert not any(rule.check == "sex_agrees" for rule in other.contract.rules)
