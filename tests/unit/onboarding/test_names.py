"""English names of columns: understood as a whole, or not at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.onboarding import names
from quality.sql_types import reserved_words


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("统一社会信用代码", "unified_code"),
        ("法定代表人证件号码", "legal_representative_id_number"),
        ("监护人联系电话", "guardian_phone"),
        ("总产量_吨", "total_output_tonnes"),
        ("注册资本（万元）", "registered_capital_10k_cny"),
        ("姓　名", "full_name"),
        ("cityCode", "city_code"),
        ("PM2.5", "pm2_5"),
        ("是否缴费", "is_paid"),
        ("是否转移", None),
        ("单产（公斤/亩）", "yield_kg_per_mu"),
        ("人口密度(人/饕餮)", "population_density"),
        ("stationcode", "station_code"),
        ("primarypollutant", "primary_pollutant"),
        ("island", "island"),
        ("unheathful", "unheathful"),
        ("order", "order_value"),
        ("2019年", "c_2019_year"),
        ("饕餮数量", None),
        ("所在地（见附注）", "location"),
    ],
)
def test_a_header_is_translated_as_a_whole_or_not_at_all(header: str, name: str | None) -> None:
    assert names.translate(header) == name


def test_unknown_and_repeated_headers_get_names_of_their_own() -> None:
    proposed = names.propose(["名称", "饕餮", "name", "column_2", "名称_2"])
    assert [name.text for name in proposed] == [
        "name",
        "column_2",
        "name_2",
        "column_2_2",
        "name_2_2",
    ]
    assert [name.is_known for name in proposed] == [True, False, True, True, True]


@given(st.lists(st.text(min_size=1, max_size=12), max_size=6))
def test_every_name_passes_the_lint_and_stands_once(headers: list[str]) -> None:
    proposed = [name.text for name in names.propose(headers)]
    assert len(set(proposed)) == len(headers)
    for name in proposed:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert name not in reserved_words()


def test_the_dictionary_gives_nothing_but_parts_of_names() -> None:
    sections = names.read_resource("terms.yaml")
    assert len(sections.pop("fillers")) > 5
    assert all(re.fullmatch(r"[a-z]+", word) for word in sections.pop("english"))
    terms = [(term, english) for section in sections.values() for term, english in section.items()]
    assert len(terms) > 500
    assert [pair for pair in terms if not re.fullmatch(r"[a-z0-9_]+", str(pair[1]))] == []


def test_no_term_has_two_translations() -> None:
    """Of two the later would win, and nobody would see that the earlier one is dead."""
    sections = names.read_resource("terms.yaml")
    terms = [term for name, section in sections.items() if name not in ("fillers", "english")
             for term in section]  # fmt: skip
    assert sorted({term for term in terms if terms.count(term) > 1}) == []


@pytest.mark.parametrize(
    "headers",
    [
        "行政处罚决定书文号 处罚名称 处罚类别 处罚事由 处罚依据 行政相对人名称 "
        "法定代表人姓名 处罚结果 处罚决定日期 处罚机关 当前状态 公示截止期 罚款金额（万元） "
        "更新时间戳 数据来源单位代码",
        "单位代码 单位名称 行业门类代码 所属镇街 营业收入本期 营业收入上年同期 "
        "营业收入同比增幅（%） 税金及附加本期 应付职工薪酬上年同期 从业人员平均人数本期 "
        "出口交货值同比增幅（%）",
        "工单编号 来电人 来电号码 诉求类型 诉求内容 承办单位 满意度 是否满意 回访时间 办理结果",
        "公民身份号码 监护人姓名 联系手机 座机 电子邮箱 家庭住址 开户行 银行卡号 社保卡号 "
        "车牌号 病种 残疾等级 救助金额 婚姻状况 宗教信仰 人脸照片编号 微信号 护照号码",
        "用户编号 户名 表号 用水性质 上期读数 本期读数 用水量（立方米） 应收水费 抄表日期 "
        "欠费标志 营业所",
        "序号 县区 小麦_播种面积（亩） 小麦_单产（公斤/亩） 玉米_总产量（吨） 备注",
    ],
)
def test_the_headers_of_common_tables_are_all_understood(headers: str) -> None:
    assert [header for header in headers.split() if names.translate(header) is None] == []
