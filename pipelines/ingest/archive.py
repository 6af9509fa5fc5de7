"""The archive: every original under its SM3 (GB/T 32905), never changed.

Belongs here: hashing and keeping originals. Does not belong here: what is in them.

A file is copied first, which gives its SHA-256, a matter of a tenth of a second for 200 MB. Its
SM3, five times as long, is worked out of the copy by another thread, which begins with the first
block that is written and goes on while the copy is read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Condition

_BLOCK = 256 << 10
_numbers = count(1)
"""Of the copies that this process has begun; several datasets are received at once."""


@dataclass(frozen=True)
class Original:
    """An archived file: its place, SM3 (hexadecimal) and size in bytes."""

    path: Path
    sm3: str
    size: int


def place(archive: Path, sm3: str, file_name: str) -> Path:
    """Where the original of a file of this content and name lies."""
    return archive / sm3[:2] / f"{sm3}{Path(file_name).suffix.lower()}"


class Copy:
    """A delivered file's copy, on its way into the archive.

    `path` is where to read it; `sha256` (hexadecimal) tells it from every other content.
    """

    def __init__(
        self, path: Path, sha256: str, size: int, sm3: Future[str], place: Callable[[str], Path]
    ) -> None:
        self.path = path
        self.sha256 = sha256
        self.size = size
        self._sm3 = sm3
        self._place = place
        self._kept: Original | None = None

    def keep(self) -> Original:
        """Put the copy in its place in the archive, once its SM3 is known and it is on the disk.

        Nobody may be reading it. A file that is already there is not written again.

        Raises:
            OSError: the archive cannot be written.
        """
        if self._kept is None:
            sm3 = self._sm3.result()
            target = self._place(sm3)
            if target.exists():
                self.path.unlink()
            else:
                target.parent.mkdir(exist_ok=True)
                self.path.chmod(0o444)
                self.path.replace(target)
            self.path = target
            self._kept = Original(target, sm3, self.size)
        return self._kept

    def discard(self) -> None:
        """Throw the copy away, unless it has been kept."""
        if self._kept is None:
            self.path.unlink(missing_ok=True)


@contextmanager
def receiving(archive: Path) -> Iterator[Callable[[Path], Copy]]:
    """A function that copies files into the archive; the files themselves stay.

    A copy, not a link: whoever still writes to the landed file must not reach the original.
    On leaving the block, copies that have not been kept are thrown away.

    Raises:
        OSError: a file cannot be read or the archive cannot be written.
    """
    archive.mkdir(parents=True, exist_ok=True)
    copies: list[Copy] = []
    with ThreadPoolExecutor(1, thread_name_prefix="sm3") as hashing:

        def receive(path: Path) -> Copy:
            temporary = archive / f".incoming-{os.getpid()}-{next(_numbers)}"
            copies.append(
                _copy(path, temporary, hashing, lambda sm3: place(archive, sm3, path.name))
            )
            return copies[-1]

        try:
            yield receive
        finally:
            for copy in copies:
                copy.discard()


class _Growth:
    """How much of a file has been written, told by the thread that writes it."""

    def __init__(self) -> None:
        self._told = Condition()
        self._size = 0
        self._ended = False

    def add(self, size: int) -> None:
        """So many more bytes can be read."""
        with self._told:
            self._size += size
            self._told.notify_all()

    def end(self) -> None:
        """No more will come."""
        with self._told:
            self._ended = True
            self._told.notify_all()

    def reaches_beyond(self, position: int) -> bool:
        """Wait for bytes behind a position; false where none will come."""
        with self._told:
            self._told.wait_for(lambda: self._ended or self._size > position)
            return self._size > position


def _copy(
    path: Path, target: Path, hashing: ThreadPoolExecutor, place: Callable[[str], Path]
) -> Copy:
    """Copy a file block by block. One small block for all of it stays in the cache."""
    digest = hashlib.sha256()
    size = 0
    block = memoryview(bytearray(_BLOCK))
    growth = _Growth()
    with path.open("rb", buffering=0) as source, target.open("wb") as copy:
        sm3 = hashing.submit(_sm3, target, growth)
        try:
            while count := source.readinto(block):
                copy.write(block[:count])
                copy.flush()
                growth.add(count)
                digest.update(block[:count])
                size += count
        finally:
            growth.end()
    return Copy(target, digest.hexdigest(), size, sm3, place)


def _sm3(path: Path, growth: _Growth) -> str:
    """The SM3 of a copy that may still be written; it is on the disk by the end."""
    digest = hashlib.new("sm3")
    size = 0
    block = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as copy:
        while growth.reaches_beyond(size):
            count = copy.readinto(block)
            if not count:
                raise OSError(f"{path.name}: shorter than what was written")
            digest.update(block[:count])
            size += count
        os.fsync(copy.fileno())
    return digest.hexdigest()
