"""What a column is taken for, and what it must not be taken for. All people here are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pipelines.onboarding.kind import Kind

KindOf = Callable[[str, Sequence[str]], Kind]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def resident_number(order: int) -> str:
    body = f"37130219{60 + order % 40:02}{1 + order % 12:02}{1 + order % 28:02}{order % 1000:03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


RESIDENTS = [resident_number(order) for order in range(100)]
WRONG = [number[:-1] + ("0" if number[-1] != "0" else "1") for number in RESIDENTS]


def described(kind: Kind) -> tuple[str, str, str | None, list[tuple[str, str]]]:
    rules = [(rule.implementation, rule.severity) for rule in kind.rules]
    return kind.name, kind.physical, kind.parse, rules


def test_a_resident_number_is_known_by_form_and_check_character(kind_of: KindOf) -> None:
    expected = [("resident_number_format", "error"), ("resident_number", "error")]
    for header in ("证件号码", "列七"):
        kind = kind_of(header, RESIDENTS)
        assert described(kind) == ("resident_number", "varchar", "code", expected)
        assert kind.sureness == "high"


def test_few_wrong_check_characters_are_defects_and_many_are_not_judged(kind_of: KindOf) -> None:
    few = kind_of("证件号码", [*WRONG[:1], *RESIDENTS[1:]])
    assert [rule.severity for rule in few.rules] == ["error", "error"]
    assert few.looks == ("check character fails on 1.0%",)
    some = kind_of("证件号码", [*WRONG[:15], *RESIDENTS[15:]])
    assert [rule.severity for rule in some.rules] == ["error", "warning"]
    made_up = kind_of("证件号码", WRONG)
    assert [rule.implementation for rule in made_up.rules] == ["resident_number_format"]


def test_a_unified_code_is_known_without_a_header(kind_of: KindOf) -> None:
    codes = ["91371326MA3CTU9N9W", "91371302684810417L", "913713116894701592"] * 20
    rules = [("unified_code_format", "error"), ("unified_code", "error")]
    assert described(kind_of("列三", codes)) == ("unified_code", "varchar", "code", rules)


@pytest.mark.parametrize(
    ("header", "texts", "expected"),
    [
        ("手机号", ["13812345678", "0539-8012345"], ("phone", "varchar")),
        ("列一", [f"138{i:08}" for i in range(60)], ("phone", "varchar")),
        ("所在区划代码", ["371302", "371311"], ("division", "varchar")),
        ("区划代码", ["371302001", "371302002"], ("division", "varchar")),
        ("是否缴费", ["是", "否"], ("boolean", "boolean")),
        ("是否缴费", ["1", "0"], ("boolean", "boolean")),
        ("数量", ["1", "0"], ("number", "integer")),
        ("办理日期", ["2026-03-05", "2026年3月6日", "2026/3/7", "46000"], ("date", "date")),
        ("办理日期", ["20260305", "20260306"], ("date", "date")),
        ("流水号", ["20260305", "20260306"], ("code", "varchar")),
        ("办理时间", ["2026-03-05 08:30", "2026/3/5 8:30:01"], ("timestamp", "timestamp")),
        ("办理时间", ["2026-03-05 00:00:00", "2026-03-06"], ("date", "date")),
        ("年份", ["2017", "2018"], ("year", "integer")),
        ("启用时间", ["1981", "2024"], ("year", "integer")),
        ("人数", ["1981", "2024"], ("number", "integer")),
        ("参保月份", ["2026-01", "2026-02"], ("month", "varchar")),
        ("参保月份", ["202601", "202602"], ("month", "varchar")),
        ("出生年月", ["1951.03", "1980.12"], ("month", "varchar")),
        ("单价", ["1951.03", "1980.12"], ("number", "decimal(18, 2)")),
        ("欠费标志", ["0", "1"], ("boolean", "boolean")),
        ("当前状态", ["1", "2", "3"], ("code", "varchar")),
        ("等级", ["1", "12"], ("code", "varchar")),
        ("座机", ["0539-8012345", "0539-8012346"], ("phone", "varchar")),
        ("单位代码", ["371302001", "371311002"], ("code", "varchar")),
        ("provinceCode", ["37", "37"], ("division", "varchar")),
        ("cityCode", ["3713", "3701"], ("division", "varchar")),
        ("列一", ["a.b@163.com", "c@sina.com.cn"], ("email", "varchar")),
        ("列一", ["鲁Q12345", "鲁QD12345"], ("plate", "varchar")),
        ("金额", ["1,234.5", "-3"], ("number", "decimal(18, 2)")),
        ("金额", ["￥1,234.50元", "3.5万"], ("amount", "decimal(18, 2)")),
        ("占比", ["12.5%", "8%"], ("percent", "decimal(18, 2)")),
        ("注册资金", ["2150万人民币", "(万元人民币)500", "50"],
         ("capital_amount", "decimal(18, 4)")),
        ("注册资本（万元）", ["3.5万", "12"], ("words", "varchar")),
        ("人数", ["3000000000", "1"], ("number", "bigint")),
        ("浓度", ["0.123456", "1"], ("number", "decimal(18, 6)")),
        ("总产量_吨", ["174621.1855894", "2356576.33"], ("number", "double")),
        ("编号", ["007", "12"], ("code", "varchar")),
        ("编号", ["12", "13"], ("code", "varchar")),
        ("列五", ["12345678901234567", "2"], ("code", "varchar")),
        ("列五", ["110101", "220202"], ("code", "varchar")),
        ("经度", ["118.35", "118.4"], ("longitude", "double")),
        ("纬度", ["35.05", "35.1"], ("latitude", "double")),
        ("姓名", ["王小明", "李四", "张三丰"], ("person", "varchar")),
        ("列二", ["王小明", "李四", "张三丰"], ("person", "varchar")),
        ("县区", ["罗庄区", "费县", "河东区"], ("words", "varchar")),
        ("住址", ["兰山区沂蒙路12号", "罗庄区双月湖街道3号楼"], ("address", "varchar")),
        ("列二", ["兰山区沂蒙路12号", "罗庄区双月湖街道3号楼"], ("address", "varchar")),
        ("单位名称", ["临沂沂河商贸有限公司", "临沂市水务局"], ("organisation", "varchar")),
        ("姓名", ["王**", "李*"], ("masked", "varchar")),
        ("空列", ["", "-", "N/A"], ("empty", "varchar")),
    ],
)  # fmt: skip
def test_a_column_is_taken_for_what_it_is(
    kind_of: KindOf, header: str, texts: Sequence[str], expected: tuple[str, str]
) -> None:
    kind = kind_of(header, list(texts) * 15)
    assert (kind.name, kind.physical) == expected


def test_one_odd_value_in_a_hundred_is_a_defect_and_five_are_not(kind_of: KindOf) -> None:
    numbers = [str(number) for number in range(100)]
    assert kind_of("数量", [*numbers[:99], "约一百"]).physical == "integer"
    assert kind_of("数量", [*numbers[:95], *["约一百"] * 5]).physical == "varchar"


def test_a_list_is_short_only_where_every_value_was_seen_often(kind_of: KindOf) -> None:
    often = ["在营", "吊销", "注销"] * 20
    assert set(kind_of("状态", often).domain) == {"在营", "吊销", "注销"}
    assert kind_of("状态", [*often, "迁出"]).domain == ()


def test_a_list_that_was_only_seen_is_not_agreed_however_often(kind_of: KindOf) -> None:
    """One winter morning knows two pollutants; the summer's third one is no defect."""
    assert not kind_of("首要污染物", ["细颗粒物", "可吸入颗粒物"] * 2_000).is_agreed


@pytest.mark.parametrize(
    ("header", "texts", "size"),
    [("性别", ["男", "女"], 4), ("性别", ["1", "2"], 4), ("民族", ["汉族", "回族"], 59)],
)
def test_a_standards_list_is_taken_whole(
    kind_of: KindOf, header: str, texts: list[str], size: int
) -> None:
    kind = kind_of(header, texts)
    assert (len(kind.domain), kind.is_agreed, kind.physical) == (size, True, "varchar")
    assert not kind_of(header, [*texts, "不明说"]).is_agreed
    assert not kind_of("列一", texts * 30).is_agreed


def test_an_open_end_is_no_reason_to_leave_a_date_a_text(kind_of: KindOf) -> None:
    days = [f"2026-03-{day:02}" for day in range(1, 29)] * 2
    kind = kind_of("有效期至", [*days, *["长期"] * 20])
    assert (kind.physical, kind.missing, kind.domain) == ("date", ("长期",), ())
    assert "_original" in kind.description
    assert kind_of("有效期至", ["长期"] * 60).physical == "varchar"


def test_a_date_that_cannot_be_read_is_a_text_without_a_list_and_told(kind_of: KindOf) -> None:
    odd = ["05/03/2026", "06/03/2026"] * 30
    kind = kind_of("办理日期", odd)
    assert (kind.physical, kind.domain, kind.sureness) == ("varchar", (), "low")
    assert kind.looks == ("100% cannot be read as dates or times: kept as text",)


def test_a_month_whose_zero_a_spreadsheet_may_have_cut_is_told(kind_of: KindOf) -> None:
    assert kind_of("出生年月", ["1951.1", "1980.12"] * 30).looks == (
        "does .1 mean January, or October without its zero?",
    )


def card_number(body: str) -> str:
    digits = [int(digit) for digit in reversed(body)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::2]]
    return body + str(-(sum(doubled) + sum(digits[1::2])) % 10)


@pytest.mark.parametrize("length", [16, 17, 18, 19])
def test_bank_cards_are_known_by_their_check_digit(kind_of: KindOf, length: int) -> None:
    cards = [card_number("622202" + f"{n * 7919:0{length - 7}}") for n in range(60)]
    assert {len(card) for card in cards} == {length}
    assert kind_of("列一", cards).name == "bank_card"
    wrong = [card[:-1] + str((int(card[-1]) + 1) % 10) for card in cards]
    assert kind_of("列一", wrong).name == "code"
    assert kind_of("列一", cards[:1] * 60).name == "code"


def test_digits_below_a_header_that_says_code_alone_are_perhaps_divisions(kind_of: KindOf) -> None:
    sure, likely = (kind_of(header, ["371302", "371311"] * 30) for header in ("区划代码", "代码"))
    assert [(kind.sureness, kind.rules[0].severity) for kind in (sure, likely)] == [
        ("high", "error"),
        ("medium", "warning"),
    ]
    assert likely.looks == ("digits that read as division codes: are they?",)


def test_one_value_in_every_row_is_told(kind_of: KindOf) -> None:
    assert kind_of("名称", ["临沂"] * 50).looks == ("the same value in every row",)
    assert kind_of("名称", ["临沂"] * 49).looks == ()


def test_an_inferred_pattern_only_flags(kind_of: KindOf) -> None:
    kind = kind_of("许可证号", [f"JY-{number:06}" for number in range(60)])
    assert described(kind)[3] == [('matches("^[A-Z]{2}-[0-9]{6}$")', "warning")]


def test_nothing_is_sure_of_a_handful_of_values(kind_of: KindOf) -> None:
    assert kind_of("证件号码", RESIDENTS[:9]).sureness == "low"
    assert kind_of("证件号码", RESIDENTS[:40]).sureness == "medium"


def test_coordinates_beyond_china_are_told_and_not_refused(kind_of: KindOf) -> None:
    kind = kind_of("经度", ["118.35"] * 20 + ["0"])
    assert (kind.rules, kind.looks) == ((), ("some coordinates lie outside China",))
