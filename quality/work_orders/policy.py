"""Reads `policy.yaml`: deadlines, extensions, escalation.

Belongs here: the typed policy and its checks. Does not belong here: applying it (`derive`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from quality.working_days import WorkingDays

DEFAULT_POLICY = Path(__file__).with_name("policy.yaml")


class PolicyError(ValueError):
    """The policy cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True)
class Level:
    """One level of escalation."""

    after: int
    """Working days past the due date."""
    to: str
    """Who hears of it, in Chinese."""


@dataclass(frozen=True)
class Policy:
    """The policy of one city; all spans are working days."""

    due_days: dict[str, int]
    """Severity → days that an order may take."""
    reopen_within: int
    correction_days: int
    extension_times: int
    extension_days: int
    arbiter: str
    """The department that decides on disputes."""
    after_rejection: int
    exemption_days: int
    escalation: tuple[Level, ...]
    """In the order of `after`; level 1 is the first."""
    calendar: WorkingDays

    def level_of(self, days_overdue: int) -> int:
        """The level that an order reaches so long after its due date; 0 for none."""
        return sum(level.after <= days_overdue for level in self.escalation)


def read_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read and check the policy.

    Raises:
        PolicyError: a key is missing, or a number makes no sense.
    """
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        policy = Policy(
            due_days={name: _span(data["due_days"][name]) for name in ("error", "warning")},
            reopen_within=_span(data["reopen_within"]),
            correction_days=_span(data["correction_days"]),
            extension_times=_span(data["extension"]["times"]),
            extension_days=_span(data["extension"]["days"]),
            arbiter=str(data["arbiter"]),
            after_rejection=_span(data["after_rejection"]),
            exemption_days=_span(data["exemption_days"]),
            escalation=tuple(
                Level(_span(item["after"]), str(item["to"])) for item in data["escalation"]
            ),
            calendar=WorkingDays(
                frozenset(_day(day) for day in data["calendar"]["holidays"]),
                frozenset(_day(day) for day in data["calendar"]["working_days"]),
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        message = f"{path}: {error!r} is wrong or missing: compare with {DEFAULT_POLICY}"
        raise PolicyError(message) from error
    bounds = [level.after for level in policy.escalation]
    if bounds != sorted(set(bounds)) or 0 in bounds:
        raise PolicyError(f"{path}: escalation: `after` must start at 1 or more and grow")
    return policy


def _span(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no number of working days")
    return value


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise ValueError(f"{value!r} is no date; write 2026-07-01")
    return value
