"""What every check means to people: title, sub-indicator, severity, message.

Belongs here: reading `rule_library.yaml`, and filling in what a contract leaves out.
Does not belong here: what a check computes (`row_rules`, `relation_rules`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from quality.indicators import PLAIN, read_indicators


@dataclass(frozen=True)
class Entry:
    """One check as people see it."""

    title: str
    indicator: str
    """Code of the sub-indicator of GB/T 36344-2018 that it counts towards."""
    severity: str
    message: str = ""
    """Chinese, with `{title}`, `{other}`, `{0}` …; empty where the rule always brings its own."""

    @property
    def dimension(self) -> str:
        """The dimension of its sub-indicator."""
        return read_indicators()[self.indicator].dimension


@cache
def read_library() -> dict[str, Entry]:
    """Check → its entry, in the order of the file."""
    path = Path(__file__).with_name("rule_library.yaml")
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {check: Entry(**item) for check, item in declared.items()}


def indicator_of(check: str, dimension: str) -> str:
    """The sub-indicator that a rule counts towards: the check's own where it is of the rule's
    dimension, else the dimension's plain one."""
    entry = read_library().get(check)
    return entry.indicator if entry and entry.dimension == dimension else PLAIN[dimension]


def message_of(
    check: str, titles: Sequence[str], arguments: Sequence[str], named: Mapping[str, str]
) -> str:
    """The library's message for one rule.

    Args:
        check: of the library, with a message.
        titles: Chinese names of the rule's columns, its own first.
        arguments: as the contract gives them.
        named: further fields of the message, such as the other department's name.
    """
    columns = dict(zip(("title", "other", "third"), titles, strict=False))
    return read_library()[check].message.format(*arguments, **columns, **named)
