"""One planted incident: what goes wrong, when it is put right, and what it ought to be called.

Belongs here: the record, the kinds, and where each kind can be planted.
Does not belong here: when which is planted (`schedule`), how a file is spoilt (`spoil`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

MISSING_COLUMN, SHIFTED_COLUMNS = "missing_column", "shifted_columns"
WRONG_ENCODING, UNIT_CHANGE = "wrong_encoding", "unit_change"
CUT_FILE, STALE_FILE, LATE_DELIVERY = "cut_file", "stale_file", "late_delivery"
DUPLICATED_LOAD = "duplicated_load"
VOLUME_JUMP, VOLUME_DROP = "volume_jump", "volume_drop"
DRIFT, DISAGREEMENT = "drift", "disagreement"
KINDS = (
    MISSING_COLUMN, SHIFTED_COLUMNS, WRONG_ENCODING, UNIT_CHANGE, CUT_FILE, STALE_FILE,
    LATE_DELIVERY, DUPLICATED_LOAD, VOLUME_JUMP, VOLUME_DROP, DRIFT, DISAGREEMENT,
)  # fmt: skip
NEED_HISTORY = frozenset({UNIT_CHANGE, VOLUME_JUMP, VOLUME_DROP, DRIFT})
"""Kinds that show only beside what the dataset's deliveries were like before."""

CORRECT, DISPUTE, ASK_TIME = "correct", "dispute", "ask_time"
"""What the department answers on the reply sheet; an empty answer is silence."""


@dataclass(frozen=True)
class Incident:
    """Something that went wrong in the deliveries of one dataset."""

    number: int
    department: str
    dataset: str
    kind: str
    column: str
    """English name of the column concerned; empty where the whole file is."""
    first: date
    """Business date of the first delivery that is wrong, or that does not come."""
    nights: int
    """Consecutive business dates whose deliveries are wrong."""
    corrected: date | None
    """Night on which the right files come, or the fault ends; None where it never is."""
    reply: str
    """What the department answers the night after the first: a constant of this module, or ''."""
    causes: tuple[str, ...]
    """Names of the cause that are right; a name before a colon stands for all that begin so."""

    @property
    def name(self) -> str:
        """`department/dataset`."""
        return f"{self.department}/{self.dataset}"

    def record(self) -> dict[str, Any]:
        """The incident as plain values, for JSON."""
        return asdict(self) | {
            "first": self.first.isoformat(),
            "corrected": self.corrected.isoformat() if self.corrected else None,
            "causes": list(self.causes),
        }
