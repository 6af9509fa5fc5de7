"""The counts of normalisations that a receipt keeps, for those who show them.

Belongs here: reading them from findings. Does not belong here: counting (`normalisations`), which
takes seconds to import.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

NORMALISATIONS = "normalisations"
"""Under this name the counts stand in the findings of a receipt."""


def total(findings: dict[str, Any]) -> int:
    """How many values of a delivery were changed; `findings` are those of its receipt."""
    return sum(column["values"] for column in findings.get(NORMALISATIONS, {}).values())


def by_kind(findings: Iterable[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """Column and kind → how many values of some deliveries show it."""
    counts: Counter[tuple[str, str]] = Counter()
    for found in findings:
        for column, changes in found.get(NORMALISATIONS, {}).items():
            for kind, values in changes["kinds"].items():
                counts[column, kind] += values
    return dict(sorted(counts.items()))
