"""Dates, points in time, months, and answers of yes and no.

Belongs here: the spellings that tell them. Does not belong here: reading them
(`pipelines.ingest.readings`).
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from pipelines.onboarding.evidence import COUNT, FOLDED, TEXT, Evidence, percent
from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import MOST, Kind, RuleDraft, sureness_of

_FEWEST_DAYS = 10
_HALF = 0.5
_TIME_OF_DAY = r"[0-9 日T]([01]?[0-9]|2[0-3]):[0-5][0-9]|^[0-9]{14}$"
_MIDNIGHT = r"[ T]0?0:00(:00(\.0+)?)?$"
_SEPARATED_DATE = r"^[0-9]{4}[-/.年]"
_COMPACT_DATE = r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$"
_SERIAL = r"^[2-6][0-9]{4}(\.0+)?$"
_MONTHS = {
    "^[0-9]{4}-(0[1-9]|1[0-2])$": "2026-03",
    "^[0-9]{4}(0[1-9]|1[0-2])$": "202603",
    "^[0-9]{4}/(0?[1-9]|1[0-2])$": "2026/3",
    "^[0-9]{4}年(0?[1-9]|1[0-2])月$": "2026年3月",
    "^[0-9]{4}[.](0?[1-9]|1[0-2])$": "2026.03",
}
_POINTED = "[.]"
_OPEN_ENDS = ("长期", "长期有效", "永久", "永久有效", "无限期", "无固定期限", "至今")
"""What clerks write into the date of an end that there is not."""
_ANSWERS = tuple(map(frozenset, ("是否", "有无", ("true", "false"), ("yes", "no"), "yn")))
_BITS = frozenset("10")


def boolean(header: Header, found: Evidence) -> Kind | None:
    """是 and 否, true and false; one answer alone only where the header asks a question."""
    seen = {str(text).lower() for text in found.values[FOLDED].head(6)}
    hinted = header.hints("boolean")
    pairs = (*_ANSWERS, _BITS) if hinted else _ANSWERS
    is_full = len(seen) == 2 or hinted or seen <= {"true", "false"}
    fits = is_full and any(seen <= pair for pair in pairs)
    if not fits or found.reading("boolean", "boolean") < 1:
        return None
    return Kind("boolean", "high" if len(seen) == 2 else "medium", "boolean", "boolean")


def time(header: Header, found: Evidence) -> Kind | None:
    """Dates and points in time, however they are spelled; bare digits only with a hint."""
    hinted = header.hints("date") and not header.hints("code")
    found, open_ends = _without_open_ends(found) if hinted else (found, ())
    separated = found.matching(_SEPARATED_DATE)
    compact = found.matching(_COMPACT_DATE)
    if separated < 0.5 and not hinted and (compact < 1 or found.distinct < _FEWEST_DAYS):
        return None
    timed = pl.col(FOLDED).str.contains(_TIME_OF_DAY) & ~pl.col(FOLDED).str.contains(_MIDNIGHT)
    is_timed = found.share(timed) > 0
    kind = "timestamp" if is_timed else "date"
    share = found.reading(kind, kind)
    if share < MOST:
        return None
    serial = found.matching(_SERIAL)
    looks = []
    if serial:
        looks.append(f"{percent(serial)} are Excel serial days")
    if separated < 0.5 and not hinted:
        looks.append("digits that read as dates: is it one?")
    if share < 1:
        looks.append(f"{percent(1 - share)} cannot be read as {kind}")
    told = [f"可读为{'时间' if is_timed else '日期'} {percent(share)}"]
    if 0 < compact < 1 or 0 < serial < 1 or 0 < separated < 1:
        told.append("写法不一")
    if open_ends:
        looks.append("an open end (such as 长期) reads as no date")
    return Kind(
        kind, sureness_of(share, hinted) if share == 1 else "medium", kind, kind,
        description=_OPEN_END if open_ends else "", missing=open_ends,
        told=tuple(told), looks=tuple(looks),
    )  # fmt: skip


_OPEN_END = "无期限的写法（如长期）读作空值，原文保留在 _original。"


def _without_open_ends(found: Evidence) -> tuple[Evidence, tuple[str, ...]]:
    """The column without the words for an end that there is not, and those that occur."""
    is_open = pl.col(FOLDED).is_in(_OPEN_ENDS)
    texts = tuple(found.values.filter(is_open)[TEXT].to_list())
    if not texts or len(texts) == found.distinct:
        return found, ()
    rows = int(found.values.filter(is_open)[COUNT].sum())
    rest = found.values.filter(~is_open)
    return replace(found, values=rest, missing=found.missing + rows), texts


def unread(header: Header, found: Evidence) -> tuple[str, ...]:
    """A note on a text that is called a date, or half of which are dates."""
    hinted = header.hints("date") and not header.hints("code")
    share = max(found.reading("date", "date"), found.reading("timestamp", "timestamp"))
    if not hinted and share < _HALF:
        return ()
    return (f"{percent(1 - share)} cannot be read as dates or times: kept as text",)


def month(header: Header, found: Evidence) -> Kind | None:
    """Months of one spelling, which stay texts."""
    for pattern, example in _MONTHS.items():
        bare = example.isdigit() or _POINTED in pattern
        if bare and not header.hints("month", "date"):
            continue
        share = found.share(pl.col(TEXT).str.contains(pattern))
        if share >= MOST:
            rule = RuleDraft(
                "format", f'matches("{pattern}")', "conformity",
                "error" if share == 1 else "warning", f"应为年月（如 {example}），请更正。",
            )  # fmt: skip
            cut = _POINTED in pattern and found.matching(r"[.]1$") > 0
            looks = ("does .1 mean January, or October without its zero?",) if cut else ()
            return Kind("month", "high" if not bare else "medium", rules=(rule,),
                        told=(f"年月格式 {percent(share)}",), looks=looks)  # fmt: skip
    return None
