"""One place in memory through which a file passes.

Belongs here: bytes that come in at the end and go out at the front. Does not belong here: what
they mean (`decode`).

A block of some megabytes that is new each time costs more in page faults than it costs to read.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np


class Room:
    """Bytes that grow at the end and are used up from the front; `data[:size]` are there."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.size = 0

    def read(self, stream: BinaryIO, most: int) -> int:
        """Take in what one read gives; 0 at the end of the stream."""
        self._reserve(most)
        count: int = stream.readinto(  # type: ignore[attr-defined]
            memoryview(self.data)[self.size : self.size + most]
        )
        self.size += count
        return count

    def append(self, block: bytes) -> None:
        """Take in a block."""
        self._reserve(len(block))
        self.data[self.size : self.size + len(block)] = block
        self.size += len(block)

    def behind(self, most: int) -> np.ndarray:
        """Room for `most` bytes (uint8) behind those that are there; see `taken`."""
        self._reserve(most)
        return np.frombuffer(self.data, dtype=np.uint8)[self.size : self.size + most]

    def taken(self, count: int) -> None:
        """So many bytes have been written to what `behind` gave."""
        self.size += count

    def view(self, end: int) -> memoryview:
        """The first `end` bytes, good until the next change."""
        return memoryview(self.data)[:end]

    def drop(self, end: int) -> None:
        """Let go of the first `end` bytes."""
        rest = self.size - end
        self.data[:rest] = self.data[end : self.size]
        self.size = rest

    def _reserve(self, more: int) -> None:
        """Others may still hold views of the old place, which cannot grow then: a new one."""
        needed = self.size + more
        if needed > len(self.data):
            larger = bytearray(needed + needed // 4)
            larger[: self.size] = self.data[: self.size]
            self.data = larger
