"""Bytes → UTF-8 blocks that end where a record ends.

Belongs here: encodings and block borders. Does not belong here: fields (`parse`).

A byte that the encoding does not know becomes U+FFFD, which the rule `readable_text` refuses:
nothing is guessed. Line feed, comma and quote are never the second byte of a GB18030
character, so blocks may be cut before they are decoded; that would not hold for `|`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

BLOCK_BYTES = 16 << 20
_LARGEST_BLOCK = 4 * BLOCK_BYTES
_BOM = b"\xef\xbb\xbf"


def blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """Blocks of whole records, as UTF-8 without byte order mark, line ends as they came.

    A line feed between quotes does not end a record; where quotes do not balance within
    four blocks, the block is cut all the same, and the rows that suffer show by their shape.
    """
    with path.open("rb") as file:
        pending = b""
        first = True
        while chunk := file.read(BLOCK_BYTES):
            pending += chunk
            cut = _record_end(pending)
            if cut:
                yield _decode(pending[:cut], encoding, first)
                pending, first = pending[cut:], False
        if pending:
            yield _decode(pending, encoding, first)


def _record_end(block: bytes) -> int:
    """Position after the last record that ends in the block; 0 if none does.

    That is the last line feed with an even number of quotes before it.
    """
    last = cut = block.rfind(b"\n") + 1
    quotes = block.count(b'"', 0, cut)
    while quotes % 2:
        if len(block) >= _LARGEST_BLOCK:
            return last
        quote = block.rfind(b'"', 0, cut)
        earlier = block.rfind(b"\n", 0, quote) + 1
        quotes -= block.count(b'"', earlier, cut)
        cut = earlier
    return cut


def _decode(block: bytes, encoding: str, first: bool) -> bytes:
    if first and block.startswith(_BOM):
        block = block[len(_BOM) :]
    if encoding == "utf-8":
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            return block.decode("utf-8", errors="replace").encode()
        return block
    return block.decode(encoding, errors="replace").encode()
