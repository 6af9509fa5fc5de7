"""The archive: every original under its SM3 (GB/T 32905), never changed.

Belongs here: hashing and keeping originals. Does not belong here: what is in them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 4 << 20


@dataclass(frozen=True)
class Original:
    """An archived file: its place, SM3 (hexadecimal) and size in bytes."""

    path: Path
    sm3: str
    size: int


def keep(path: Path, archive: Path) -> Original:
    """Copy a file into the archive and return where it lies; the file itself stays.

    A copy, not a link: whoever still writes to the landed file must not reach the original.
    A file that is already there is not written again.

    Raises:
        OSError: the file cannot be read or the archive cannot be written.
    """
    digest = hashlib.new("sm3")
    archive.mkdir(parents=True, exist_ok=True)
    temporary = archive / f".incoming-{os.getpid()}"
    size = 0
    with path.open("rb") as source, temporary.open("wb") as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            target.write(block)
            size += len(block)
        target.flush()
        os.fsync(target.fileno())
    sm3 = digest.hexdigest()
    place = archive / sm3[:2] / f"{sm3}{path.suffix.lower()}"
    if place.exists():
        temporary.unlink()
    else:
        place.parent.mkdir(exist_ok=True)
        temporary.chmod(0o444)
        temporary.replace(place)
    return Original(place, sm3, size)
