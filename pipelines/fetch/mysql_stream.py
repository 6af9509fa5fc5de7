"""A server-side cursor of PyMySQL that can be left in the middle of its rows.

PyMySQL's own reads all rows that are left before it closes, and fails on a connection that is
gone; both hide the reason why it was left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymysql.cursors import SSCursor


class _StreamCursor(SSCursor):
    def abandon(self) -> None:
        """Forget the rows that are left; the connection is of no further use."""
        if self._result is not None:
            self._result.unbuffered_active = False
        self.connection = None


@contextmanager
def streaming(connection: Any) -> Iterator[Any]:
    """A cursor whose rows come as they are asked for."""
    cursor = connection.cursor(_StreamCursor)
    try:
        yield cursor
    except BaseException:
        cursor.abandon()
        raise
    cursor.close()
