"""Header and evidence → what a column holds, and how the door should read it.

Belongs here: the order of the questions, and what is left when none fits. Does not belong here:
counting (`evidence`), levels (`levels`), or how a contract writes it (`write`).

A kind is taken where hardly any filled value speaks against it (`kind.MOST`); what does is a
defect of the data and is told. A reading is only proposed after the door's own reading was tried
on every distinct value. Where nothing fits, the column stays a text: that loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from pipelines.onboarding import identifiers, numbers, patterns, times
from pipelines.onboarding.evidence import FOLDED, TEXT, Evidence, percent
from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import MOST, Kind, RuleDraft

FEW, SOME = 10, 50
"""Below so many filled values nothing is sure; below the second, nothing is highly sure."""

_LONG_TEXT = 40
_CODE = r"^[A-Za-z_\-]*[0-9][0-9A-Za-z_\-]*$"
_SPOILED = r"^'|[０-９Ａ-Ｚａ-ｚ]"


def decide(header: Header, found: Evidence) -> Kind:
    """The kind of a column; a text where nothing else fits."""
    if not found.filled:
        return Kind("empty", "low", looks=("no value in the sample: check type and level",))
    kind = next(filter(None, (test(header, found) for test in _TESTS)))
    if found.filled < FEW and kind.sureness != "low":
        return replace(kind, sureness="low", looks=(*kind.looks, "few values"))
    if found.filled < SOME and kind.sureness == "high":
        return replace(kind, sureness="medium")
    return kind


def _text(header: Header, found: Evidence) -> Kind:
    """A code, a short list of answers, or free text."""
    agreed = patterns.standard(header, found)
    if agreed:
        name, values = agreed
        return Kind(
            "category", "high", domain=values, is_agreed=True, description=f"{name} 的取值。",
            told=(f"取值均在 {name} 之内",),
        )  # fmt: skip
    folds = found.share(pl.col(TEXT).str.contains(_SPOILED)) > 0
    parse = "code" if folds and found.matching(r"^[0-9A-Z]+$") == 1 else None
    unread = times.unread(header, found)
    domain = () if parse or unread else patterns.domain(found)
    organisation = found.matching(identifiers.ORGANISATION)
    shape = None if domain else patterns.shape(found)
    if domain and not header.hints("text", "account", "person", "address"):
        told = (f"每值至少出现 {patterns.FEWEST} 次",)
        return Kind("category", "medium", domain=domain, told=told, looks=found.constant())
    if shape:
        # Inferred, not agreed: it flags, and refuses nothing.
        message = "与以往的编码形式不同，请核对。"
        rule = RuleDraft("pattern", f'matches("{shape}")', "conformity", "warning", message)
        return Kind(
            "code",
            "high" if header.hints("code") else "medium",
            parse=parse,
            rules=(rule,),
            told=("编码形式一致",),
            looks=patterns.rounded(found),
        )
    hinted = header.hints("code")
    if hinted or found.matching(_CODE) >= MOST:
        sureness = "medium" if hinted else "low"
        looks = (*patterns.rounded(found), *found.constant())
        return Kind("code", sureness, parse=parse, looks=looks)
    if organisation >= 0.6:
        return Kind("organisation", "medium", told=(f"形似单位名称 {percent(organisation)}",))
    longest = found.greatest(pl.col(FOLDED).str.len_chars())
    name = "text" if longest > _LONG_TEXT or header.hints("text", "statement") else "words"
    looks = patterns.nearly_closed(found) if name == "words" and not unread else ()
    looks = (*unread, *looks, *found.constant())
    sureness = "low" if unread else "medium"
    return Kind(name, sureness, told=(f"最长 {longest} 字",), looks=looks)


_TESTS: tuple[Callable[[Header, Evidence], Kind | None], ...] = (
    identifiers.masked,
    identifiers.email,
    identifiers.plate,
    identifiers.resident_number,
    identifiers.unified_code,
    identifiers.bank_card,
    identifiers.phone,
    identifiers.division,
    times.boolean,
    times.time,
    times.month,
    numbers.number,
    identifiers.person,
    identifiers.address,
    _text,
)
