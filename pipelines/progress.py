"""How far a night has come, for whoever watches it.

Belongs here: the small interface that assets report to. The terminal's bars are in `cli`.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by the assets as they go; must not raise and must not be slow."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins that has `total` steps."""

    def advance(self, name: str, step: str) -> None:
        """One step of a stage is done; `step` says which."""


class Silent:
    """Nobody watches."""

    def stage(self, name: str, total: int) -> None:
        """Nothing to show."""

    def advance(self, name: str, step: str) -> None:
        """Nothing to show."""
