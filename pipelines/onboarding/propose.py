"""A sample → the proposal of a contract, column by column.

Belongs here: bringing names, kinds, levels and evidence together. Does not belong here: YAML
(`write`), files (`draft`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from pipelines.onboarding import evidence, kinds, levels, names
from pipelines.onboarding.evidence import Evidence
from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import Kind

_HARDLY = 0.01
"""Up to this share missing values look like defects."""
FEWEST_ROWS = 20
"""Below so many rows it says little that nothing is missing: nothing is required but the key."""


@dataclass(frozen=True)
class ColumnDraft:
    """One column of the contract to be."""

    name: str
    header: str
    title: str
    kind: Kind
    level: str
    required: bool
    missing: tuple[str, ...]
    told: str
    """The evidence, in Chinese."""
    sureness: str
    looks: tuple[str, ...]
    key_position: int | None = None
    lacking: int = 0
    """Rows without a value, where they are so few that the column may be meant to be required."""


def columns(rows: pl.DataFrame, headers: Sequence[str]) -> list[ColumnDraft]:
    """What each column would be.

    Args:
        rows: sound rows of a sample: those that have as many values as the header has names.
        headers: the columns to describe.
    """
    found = evidence.gather(rows, headers)
    hints = [Header(header) for header in headers]
    decided = [kinds.decide(*pair) for pair in zip(hints, found, strict=True)]
    drafts: list[ColumnDraft] = []
    for header, name, level, kind, column in zip(
        headers, names.propose(headers), levels.levels(decided, hints, found), decided, found,
        strict=True,
    ):  # fmt: skip
        drafts.append(_column(Header(header), name, level, kind, column))
    return _with_currencies(drafts)


def _column(hint: Header, name: names.Name, level: str, kind: Kind, found: Evidence) -> ColumnDraft:
    looks = kind.looks if name.is_known else (*kind.looks, "give it an English name")
    is_full = found.rows >= FEWEST_ROWS and not found.missing and not kind.missing
    is_remark = hint.hints("remark")
    if level in ("L3", "L4") and kind.domain and not kind.is_agreed:
        # A list in the contract would show what stands in a personal column.
        kind = replace(kind, name="words", domain=())
    return ColumnDraft(
        name=name.text,
        header=hint.text,
        title=hint.text,
        kind=kind,
        level=level,
        required=is_full and not is_remark,
        missing=(*found.spellings, *kind.missing),
        told=found.told(*kind.told),
        sureness=kind.sureness,
        looks=looks,
        lacking=found.missing if found.missing <= _HARDLY * found.rows and not is_remark else 0,
    )


def _with_currencies(drafts: list[ColumnDraft]) -> list[ColumnDraft]:
    """Behind a registered capital the currency that the same text names."""
    taken = {draft.name for draft in drafts}
    found: list[ColumnDraft] = []
    for draft in drafts:
        found.append(draft)
        if draft.kind.parse != "capital_amount":
            continue
        name = f"{draft.name}_currency"
        while name in taken:
            name += "_"
        taken.add(name)
        kind = Kind(
            "currency", "medium", parse="capital_currency",
            description="ISO 4217；原文未写明币种时为 CNY。",
        )  # fmt: skip
        twin = replace(
            draft, name=name.rstrip("_"), title=f"{draft.title}币种", kind=kind, looks=()
        )
        found.append(replace(twin, required=False))
    return found


def as_text(draft: ColumnDraft, rule: str) -> ColumnDraft:
    """The column as a plain text that refuses nothing, because `rule` refused too much."""
    look = f"{rule} would refuse too many rows: kept as text"
    kind = Kind("words", "low")
    return replace(draft, kind=kind, required=False, sureness="low", looks=(*draft.looks, look))
