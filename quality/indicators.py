"""The twenty sub-indicators of GB/T 36344-2018, and which of them a rule counts towards.

Belongs here: the table (`indicators.yaml`) and the default per dimension.
Does not belong here: which check counts towards which by default (`rule_library`); scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

PLAIN = {
    "conformity": "0104",
    "completeness": "0201",
    "accuracy": "0301",
    "consistency": "0402",
    "timeliness": "0501",
    "accessibility": "0602",
}
"""Dimension → the sub-indicator of a rule of which no more is known."""


@dataclass(frozen=True)
class Indicator:
    """One sub-indicator, X = A / B: of all B, A are as they should be."""

    code: str
    dimension: str
    name: str
    counts: str
    """What is counted, in Chinese."""


@cache
def read_indicators() -> dict[str, Indicator]:
    """Code → sub-indicator, in the standard's order."""
    path = Path(__file__).with_name("indicators.yaml")
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {code: Indicator(code, **item) for code, item in declared.items()}
