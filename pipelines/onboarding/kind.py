"""What a column holds, as far as its header and its texts show.

Belongs here: the finding, and the shares that decide how much it may do. Does not belong here:
finding it (`identifiers`, `times`, `numbers`, `kinds`).
"""

from __future__ import annotations

from dataclasses import dataclass

MOST = 0.98
"""From which share of the filled values on a kind is taken; the rest are defects."""
HINTED = 0.8
"""The same where the header says it too: as a warning, so that nothing is refused."""
CHECKED = 0.95
"""From which share on the check character is a rule that refuses."""


@dataclass(frozen=True)
class RuleDraft:
    """A rule under a column; `suffix` follows the column's name in the rule's."""

    suffix: str
    implementation: str
    dimension: str
    severity: str
    message: str


@dataclass(frozen=True)
class Kind:
    """What a column holds."""

    name: str
    sureness: str
    """high, medium or low."""
    logical: str = "string"
    physical: str = "varchar"
    parse: str | None = None
    rules: tuple[RuleDraft, ...] = ()
    description: str = ""
    told: tuple[str, ...] = ()
    """Evidence in Chinese, for the contract."""
    looks: tuple[str, ...] = ()
    """What a person should look at."""
    domain: tuple[str, ...] = ()
    """A list of answers."""
    missing: tuple[str, ...] = ()
    """Texts that this kind reads as no value, besides those that stand for "missing"."""
    is_agreed: bool = False
    """The list is a standard's, so that other values are refused; a list that was only seen in a
    sample flags them."""


def sureness_of(share: float, is_hinted: bool) -> str:
    """How sure a share of the values and a header make it."""
    if share >= MOST and is_hinted:
        return "high"
    return "medium" if share >= MOST or is_hinted else "low"
