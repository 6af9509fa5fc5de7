"""Numbers and texts that name somebody or some place.

Belongs here: resident numbers, unified codes, phones, division codes, names, addresses, and
what came masked. Does not belong here: their level (`levels`).
"""

from __future__ import annotations

import polars as pl

from pipelines.onboarding.evidence import FOLDED, MASK, Evidence, percent, surname_pattern
from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import CHECKED, HINTED, MOST, Kind, RuleDraft, sureness_of
from quality.check_digits import (
    RESIDENT_NUMBER_PATTERN,
    UNIFIED_CODE_PATTERN,
    resident_number_holds,
    unified_code_holds,
)
from quality.row_rules import LANDLINE_PATTERN, MOBILE_PATTERN, PERSON_NAME_PATTERN

ORGANISATION = (
    r"(公司|厂|店|部|局|院|所|中心|学校|小学|中学|大学|幼儿园|合作社|委员会|协会|银行|支行|集团|社|站|场|"
    r"基金会|事务所|政府)$"
)
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|81|82)"
_DIVISIONS = {
    6: ("GB/T 2260 县级以上行政区划代码。", rf"^{_PROVINCE}[0-9]{{4}}$"),
    9: ("乡级统计用区划代码。", rf"^{_PROVINCE}[0-9]{{7}}$"),
    12: ("村级统计用区划代码。", rf"^{_PROVINCE}[0-9]{{10}}$"),
    4: ("GB/T 2260 代码的前四位（地级）。", rf"^{_PROVINCE}[0-9]{{2}}$"),
    2: ("GB/T 2260 代码的前两位（省级）。", rf"^{_PROVINCE}$"),
}
_PLACE_PARTS = (
    r"[省市区县]",
    r"[镇乡街]|街道|办事处",
    r"[路村巷弄]|社区|小区|大道",
    r"[0-9一二三四五六七八九十]+(号|栋|幢|单元|室|楼)",
)
_BANK_CARD = r"^[1-9][0-9]{15,18}$"
_LONGEST_CARD = 19
_BY_CHANCE = 20
_CUT, _CUT_SHARE = r"0{4}$", 0.2
_EMAIL = r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+$"
_PLATE = (
    "^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使][A-Z]"
    "[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳领]$"
)
PLACE_END = r"[省市区县镇乡村街道路府站园厂]$"


def masked(header: Header, found: Evidence) -> Kind | None:
    """Values that came masked; they stay so."""
    share = found.matching(MASK)
    if share < 0.05 or header.hints("text"):
        return None
    looks = () if share > MOST else (f"{percent(1 - share)} of the values are not masked",)
    return Kind(
        "masked", "high" if share > 0.5 else "medium", description="来件已脱敏，按原样保留。",
        told=(f"已脱敏 {percent(share)}",), looks=looks,
    )  # fmt: skip


def resident_number(header: Header, found: Evidence) -> Kind | None:
    """Resident numbers, by form and check character."""
    holds = pl.col(FOLDED).str.to_uppercase()
    return _checked(
        header, found, "resident_number", "公民身份号码", "GB 11643 公民身份号码。",
        holds.str.contains(RESIDENT_NUMBER_PATTERN)
        & holds.str.slice(6, 8).str.to_date("%Y%m%d", strict=False).is_not_null(),
        holds.map_batches(resident_number_holds, return_dtype=pl.Boolean),
    )  # fmt: skip


def unified_code(header: Header, found: Evidence) -> Kind | None:
    """Unified social credit codes, likewise."""
    holds = pl.col(FOLDED).str.to_uppercase()
    return _checked(
        header, found, "unified_code", "统一社会信用代码", "GB 32100 统一社会信用代码。",
        holds.str.contains(UNIFIED_CODE_PATTERN),
        holds.map_batches(unified_code_holds, return_dtype=pl.Boolean),
    )  # fmt: skip


def _checked(
    header: Header, found: Evidence, name: str, title: str, description: str,
    form: pl.Expr, holds: pl.Expr,
) -> Kind | None:  # fmt: skip
    """A number with a check character: its form, and whether the character holds."""
    formed, held, hinted = found.share(form), found.share(holds), header.hints(name)
    if formed < (HINTED if hinted else MOST) or (not hinted and held < HINTED * formed):
        return None
    share = held / formed if formed else 0.0
    rules = [
        RuleDraft(
            "format", f"{name}_format", "conformity", "error" if formed >= MOST else "warning",
            f"不是18位{title}，请核对后更正。",
        )
    ]  # fmt: skip
    looks = []
    if formed < 1:
        looks.append(f"{percent(1 - formed)} do not have the form")
    if share >= HINTED:
        severity = "error" if share >= CHECKED else "warning"
        message = "校验码不符，请核对后更正。"
        rules.append(RuleDraft("check_digit", name, "accuracy", severity, message))
    if share < 1:
        looks.append(f"check character fails on {percent(1 - share)}")
    told = (f"格式相符 {percent(formed)}", f"校验码通过 {percent(share)}")
    sureness = "high" if formed >= MOST and share >= CHECKED else "medium"
    return Kind(
        name, sureness, parse="code", rules=tuple(rules), description=description,
        told=told, looks=tuple(looks),
    )  # fmt: skip


def bank_card(header: Header, found: Evidence) -> Kind | None:
    """Numbers of bank cards and accounts: long digits whose last one is a check digit.

    One number in ten passes the check by chance, so that without the header's word many
    different ones must.
    """
    held = found.share(pl.col(FOLDED).str.contains(_BANK_CARD) & luhn_holds(pl.col(FOLDED)))
    hinted = header.hints("bank_card")
    if held < (0.5 if hinted else CHECKED) or (not hinted and found.distinct < _BY_CHANCE):
        return None
    rule = RuleDraft(
        "format", 'matches("^[0-9]{12,19}$")', "conformity", "warning",
        "不是银行卡号或账号的形式，请核对后更正。",
    )  # fmt: skip
    looks = () if hinted else ("long digits with the check digit of bank cards: are they?",)
    if found.share(pl.col(FOLDED).str.contains(_CUT)) > _CUT_SHARE:
        looks = (*looks, "long codes end in zeros: did a spreadsheet cut them?")
    return Kind(
        "bank_card", "high" if hinted and held >= CHECKED else "medium", parse="code",
        rules=(rule,), told=(f"银行卡校验位通过 {percent(held)}",), looks=looks,
    )  # fmt: skip


def luhn_holds(text: pl.Expr) -> pl.Expr:
    """Whether digits pass the check of ISO/IEC 7812-1; null of a text that is no digits."""
    padded = text.str.pad_start(_LONGEST_CARD, "0")
    digits = [padded.str.slice(at, 1).cast(pl.Int16, strict=False) for at in range(_LONGEST_CARD)]
    doubled = [2 * digit - 9 * (digit > 4).cast(pl.Int16) for digit in digits[-2::-2]]
    total = pl.sum_horizontal(*digits[::-2], *doubled, ignore_nulls=False)
    return pl.when(text.str.len_chars() <= _LONGEST_CARD).then(total % 10 == 0)


def email(_: Header, found: Evidence) -> Kind | None:
    """Mail addresses."""
    return _formed("email", "电子邮箱地址", _EMAIL, found)


def plate(_: Header, found: Evidence) -> Kind | None:
    """Number plates of vehicles."""
    return _formed("plate", "车辆号牌", _PLATE, found, parse="code")


def _formed(
    name: str, title: str, pattern: str, found: Evidence, parse: str | None = None
) -> Kind | None:
    """What its form alone tells: a rule that flags where nearly all have it."""
    share = found.matching(pattern)
    if share < HINTED:
        return None
    message = f"不是有效的{title}，请核对后更正。"
    rule = RuleDraft("format", f'matches("{pattern}")', "conformity", "warning", message)
    looks = () if share == 1 else (f"{percent(1 - share)} do not have the form",)
    return Kind(
        name, "high" if share >= MOST else "medium", parse=parse,
        rules=(rule,), told=(f"{title}格式相符 {percent(share)}",), looks=looks,
    )  # fmt: skip


def phone(header: Header, found: Evidence) -> Kind | None:
    """Mobile numbers; landline numbers only where the header says so."""
    hinted = header.hints("phone")
    share = found.matching(f"{MOBILE_PATTERN}|{LANDLINE_PATTERN}" if hinted else MOBILE_PATTERN)
    if share < (0.3 if hinted else MOST):
        return None
    rule = RuleDraft(
        "format", "phone", "conformity", "error" if share >= MOST else "warning",
        "不是有效的手机或固定电话号码，请更正。",
    )  # fmt: skip
    looks = () if share == 1 else (f"{percent(1 - share)} are no phone number",)
    return Kind(
        "phone", sureness_of(share, hinted), parse="code",
        rules=(rule,) if share >= HINTED else (), told=(f"电话格式相符 {percent(share)}",),
        looks=looks,
    )  # fmt: skip


def division(header: Header, found: Evidence) -> Kind | None:
    """A division code of one length: 6 digits a county, 9 a township, 12 a village.

    Of provinces and cities the first 2 and 4 digits alone, where the header says so. A header
    that says no more than 代码 leaves it likely at best.
    """
    hinted = header.hints("division")
    if not hinted and not header.hints("any_code"):
        return None
    for length, (level, pattern) in _DIVISIONS.items():
        share = found.matching(pattern)
        if share < MOST or (length < 6 and not hinted):
            continue
        shown = "^[1-8]" + "[0-9]" + (f"{{{length - 1}}}$" if length > 2 else "$")
        rule = RuleDraft(
            "format", f'matches("{shown}")', "conformity",
            "error" if hinted else "warning", f"应为{length}位行政区划代码，请更正。",
        )  # fmt: skip
        sureness = "high" if share == 1 and hinted else "medium"
        looks = () if hinted else ("digits that read as division codes: are they?",)
        return Kind(
            "division", sureness, parse="code", rules=(rule,), description=level,
            told=(f"{length}位区划代码 {percent(share)}",), looks=looks,
        )  # fmt: skip
    return None


def person(header: Header, found: Evidence) -> Kind | None:
    """Names of persons: two to four characters behind a common surname, or the header's word."""
    share = found.matching(surname_pattern())
    hinted = header.hints("person") and not header.hints("relation")
    named = found.matching(PERSON_NAME_PATTERN)
    placed = found.matching(PLACE_END)
    if not (hinted and named >= 0.5 and share >= 0.3) and (share < 0.85 or placed > 0.2):
        return None
    rule = RuleDraft(
        "is_a_name", "person_name", "conformity", "warning",
        "含有汉字和间隔号以外的字符，请核对后更正。",
    )  # fmt: skip
    looks = () if hinted else ("looks like names of persons: is it?",)
    return Kind(
        "person", "high" if hinted and share >= 0.85 else "medium" if hinted else "low",
        rules=(rule,) if named >= MOST else (), told=(f"形似人名 {percent(share)}",), looks=looks,
    )  # fmt: skip


def address(header: Header, found: Evidence) -> Kind | None:
    """Texts made of the parts of an address, or the header's word."""
    hinted = header.hints("address")
    parts = [pl.col(FOLDED).str.contains(pattern).cast(pl.Int8) for pattern in _PLACE_PARTS]
    is_place = (pl.sum_horizontal(parts) >= 2) & (pl.col(FOLDED).str.len_chars() <= 80)
    share = found.share(is_place & ~pl.col(FOLDED).str.contains(ORGANISATION))
    if header.hints("text", "code") or (share < 0.2 if hinted else share < 0.6):
        return None
    looks = () if hinted else ("looks like addresses: is it?",)
    sureness = "high" if hinted and share >= 0.6 else "medium" if hinted else "low"
    return Kind("address", sureness, told=(f"形似地址 {percent(share)}",), looks=looks)
