"""Whether a text file ends with a whole line: what a transfer that broke off leaves behind.

Belongs here: looking at the last bytes. Does not belong here: what follows from it (quality).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.ingest.findings import Findings

_LINES = ("csv", "tsv", "fixed")


def found(path: Path, findings: Findings) -> dict[str, Any]:
    """What a receipt's findings say of the end of the file: `ends_open`; nothing of a packed
    file or of one that is not made of lines."""
    if findings.container is not None or findings.file_format not in _LINES:
        return {}
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 8))
        tail = file.read().rstrip(b"\0 \t\x1a")
    return {"ends_open": not tail.endswith((b"\n", b"\r"))}
