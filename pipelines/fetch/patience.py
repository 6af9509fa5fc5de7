"""How long to wait before asking again, and when to give up.

Belongs here: rate limit, backoff, `Retry-After`; a budget for a whole fetch. Does not belong
here: what counts as a failure (`http_client`).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic, sleep

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_CHANCE = random.SystemRandom()


class Pace:
    """Keeps requests apart."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = 0.0

    def wait(self) -> None:
        """Wait until the next request may be sent."""
        now = monotonic()
        if now < self._next:
            sleep(self._next - now)
        self._next = max(now, self._next) + self._gap


class Patience:
    """The time that failed requests and the waiting after them may take, all together."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.waits = 0

    def spend(self, seconds: float) -> None:
        """Count time that a failed request took."""
        self.left -= seconds

    def wait(self, attempt: int, asked_for: float | None) -> bool:
        """Wait before another attempt; False where there is no time left for it.

        Args:
            attempt: how often the same request has failed, from 1.
            asked_for: seconds that the server asked for; else exponential backoff, of which a
                random part is kept, so that clients do not come back all at once.
        """
        backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1))
        seconds = asked_for if asked_for is not None else backoff * _CHANCE.uniform(0.5, 1)
        if seconds > self.left:
            return False
        sleep(seconds)
        self.left -= seconds
        self.waits += 1
        return True


def retry_after(text: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or a date; None where unreadable."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    moment = moment_of(text)
    return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())


def moment_of(text: str | None) -> datetime | None:
    """The time that an HTTP date tells; None where it tells none."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
