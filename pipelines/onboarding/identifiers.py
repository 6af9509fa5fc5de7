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
_PLACE_PARTS = (
    r"[省市区县]",
    r"[镇乡街]|街道|办事处",
    r"[路村巷弄]|社区|小区|大道",
    r"[0-9一二三四五六七八九十]+(号|栋|幢|单元|室|楼)",
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
    """A division code of one length: 6 digits a county, 9 a township, 12 a village."""
    if not header.hints("division"):
        return None
    for length in (6, 9, 12):
        pattern = rf"^{_PROVINCE}[0-9]{{{length - 2}}}$"
        share = found.matching(pattern)
        if share >= MOST:
            rule = RuleDraft(
                "format", f'matches("^[1-8][0-9]{{{length - 1}}}$")', "conformity", "error",
                f"应为{length}位行政区划代码，请更正。",
            )  # fmt: skip
            level = {6: "县级以上", 9: "乡级", 12: "村级"}[length]
            return Kind(
                "division", "high" if share == 1 else "medium", parse="code", rules=(rule,),
                description=f"GB/T 2260 {level}行政区划代码。" if length == 6
                else f"{level}统计用区划代码。",
                told=(f"{length}位区划代码 {percent(share)}",),
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
