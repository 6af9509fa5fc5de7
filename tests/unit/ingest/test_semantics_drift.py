"""The header that came against the one agreed: a verdict for each way to differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.drift import Drift, found, likeness, verdict
from quality.contract import Contract
from tests.conftest import MakeContract

HEADERS = ["公民身份号码", "姓名", "联系电话", "居住地址", "签发日期"]


@pytest.fixture(scope="module")
def contract(make_contract: MakeContract) -> Contract:
    names = ("id_number", "full_name", "phone", "address", "issued_on")
    columns = [
        {"name": name, "physicalName": header, "required": name == "full_name"}
        for name, header in zip(names, HEADERS, strict=True)
    ]
    columns[0] |= {"primaryKey": True, "primaryKeyPosition": 1}
    return make_contract(columns, custom={"ignoredHeaders": ["序号"]})


def swapped(old: str, *new: str) -> list[str]:
    place = HEADERS.index(old)
    return [*HEADERS[:place], *new, *HEADERS[place + 1 :]]


def test_the_agreed_header_has_nothing_to_tell(contract: Contract) -> None:
    assert verdict(HEADERS, contract) == Drift()
    assert verdict(["序号", *HEADERS, ""], contract) == Drift()
    assert found(HEADERS, contract) == {}
    assert found([], contract) == {}, "a file without a header cannot drift"


def test_a_new_column_is_recorded_and_the_file_loaded(contract: Contract) -> None:
    drift = verdict([*HEADERS, "备注", "备注"], contract)
    assert (drift.unknown, drift.refusal(), drift.disagrees) == (("备注",), None, True)
    assert drift.sentence() == "多出列：备注（未装载）。"


def test_another_order_is_recorded_and_nobody_is_asked_to_do_anything(contract: Contract) -> None:
    drift = verdict(["备", *HEADERS[::-1]], contract)
    assert drift.reordered
    drift = verdict(HEADERS[::-1], contract)
    assert (drift.reordered, drift.disagrees, drift.refusal()) == (True, False, None)
    assert drift.record()["reordered"] is True


@pytest.mark.parametrize("header", ["姓名", "公民身份号码"])
def test_without_a_required_column_or_the_key_nothing_is_loaded(
    contract: Contract, header: str
) -> None:
    drift = verdict(swapped(header), contract)
    assert drift.required == (header,)
    assert (drift.refusal() or "").startswith(f"表头缺少：{header}。")


def test_without_an_optional_column_the_file_is_loaded_and_the_gap_told(contract: Contract) -> None:
    drift = verdict(swapped("居住地址"), contract)
    assert (drift.missing, drift.refusal(), drift.disagrees) == (("居住地址",), None, True)
    assert drift.sentence() == "缺少列：居住地址（按空值装载）。"


def test_a_hint_of_another_encoding_refuses_even_without_an_optional_column(
    contract: Contract,
) -> None:
    """Loading it would leave the whole column out, for a fault of the export."""
    drift = verdict(swapped("居住地址"), contract)
    assert "文件编码是 GBK。" in (drift.refusal("文件编码是 GBK。") or "")


@pytest.mark.parametrize(("new", "required"), [("电话", False), ("姓　名（必填）", True)])
def test_a_renamed_column_is_proposed_and_never_assumed(
    contract: Contract, new: str, required: bool
) -> None:
    old = "姓名" if required else "联系电话"
    drift = verdict(swapped(old, new), contract)
    assert drift.rename is not None
    assert (drift.rename.missing, drift.rename.found) == (old, new)
    assert drift.missing == (old,)
    proposal = f"「{old}」疑似改名为「{new}」（相似度 {drift.rename.likeness:.0%}）"
    assert proposal in (drift.refusal() if required else drift.sentence())
    if not required:
        assert drift.record()["rename"]["likeness"] == drift.rename.likeness >= 0.5


@pytest.mark.parametrize(
    "headers",
    [
        swapped("联系电话", "备注"),  # nothing like it
        swapped("联系电话", "电话一", "电话二"),  # two as like
        ["公民身份号码", "姓名", "电话", "地址", "签发日期"],  # two missing
    ],
)
def test_what_is_not_clear_is_not_proposed(contract: Contract, headers: list[str]) -> None:
    assert verdict(headers, contract).rename is None


def test_a_column_that_stands_twice_is_refused(contract: Contract) -> None:
    drift = verdict([*HEADERS, "姓名"], contract)
    assert drift.refusal() == "表头重复：姓名，请每列只保留一个。"


def test_a_row_that_is_no_header_gives_nothing_of_itself_away(contract: Contract) -> None:
    """It is the first person of the file."""
    row = ["11010519491231002X", "姓名", "张三", "兰山区一路1号", "2026-01-05"]
    drift = verdict(row, contract)
    assert not drift.is_header
    assert drift.unknown == ()
    assert not any(value in (drift.refusal() or "") for value in row if value != "姓名")


@given(st.lists(st.sampled_from([*HEADERS, "备注", "电话", "", "序号", "张三"]), max_size=9))
def test_every_header_is_loaded_whole_or_refused_with_a_reason(
    contract: Contract, headers: list[str]
) -> None:
    drift = verdict(headers, contract)
    usable = {"公民身份号码", "姓名"} <= set(headers) and all(
        headers.count(header) <= 1 for header in HEADERS
    )
    enough = len(set(headers) & set(HEADERS)) > 2
    assert (drift.refusal() is None) is (usable and enough)
    if drift.refusal() is None:
        assert drift.disagrees is (set(headers) - {"", "序号"} != set(HEADERS))


@given(st.text(max_size=6), st.text(max_size=6))
def test_likeness_is_a_share(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1
