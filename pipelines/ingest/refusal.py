"""A delivery that cannot be read at all, and what the department is told.

Belongs here: the typed reasons. Row-level findings are rules, not refusals.
"""

from __future__ import annotations


class RefusedError(Exception):
    """A whole delivery is refused: `rule` names why, `message` (Chinese) what to do.

    The message names headers, sheets and lines, never a value of a row.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        self.message = message
