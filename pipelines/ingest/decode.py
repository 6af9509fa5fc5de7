"""Bytes → UTF-8 blocks that end where a record ends.

Belongs here: encodings and block borders. Does not belong here: fields (`delimited`).

A byte that the encoding does not know becomes U+FFFD, which the rule `readable_text` refuses:
nothing is guessed. Line feed, return and quote are never the second byte of a GB18030 or Big5
character, so these may be cut at a line end before they are decoded; that would not hold for
`|` or a backslash, which is why records are sought in what is decoded.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from pipelines.ingest import gb18030, limits
from pipelines.ingest.refusal import RefusedError

BLOCK_BYTES = 16 << 20
_LARGEST_BLOCK = 4 * BLOCK_BYTES
_ESCAPED = re.compile(rb"\\.", re.DOTALL)


def blocks(stream: BinaryIO, encoding: str, *, escaped: bool = False) -> Iterator[bytes]:
    """Blocks of whole records, as UTF-8, line ends as they came.

    A line feed between quotes does not end a record; where quotes do not balance within
    four blocks, the block is cut all the same, and the rows that suffer show by their shape.
    A file without any line feed is cut at its returns.

    Args:
        stream: the file, behind its byte order mark.
        encoding: utf-8, gb18030, big5, utf-16le or utf-16be.
        escaped: whether a backslash takes the meaning from the character behind it.

    Raises:
        RefusedError: a record longer than the door takes.
    """
    pending = b""
    for part in unicode_pieces(stream, encoding):
        pending += part
        cut = _record_end(pending, escaped)
        if cut:
            yield _valid(pending[:cut])
            pending = pending[cut:]
        elif len(pending) > limits.RECORD_BYTES:
            raise _too_long()
    if pending:
        yield _valid(pending)


def text(data: bytes, encoding: str) -> str:
    """The text of a piece of a file."""
    if encoding == "gb18030":
        return gb18030.to_utf8(data).decode()
    return data.decode(encoding, errors="replace")


def _too_long() -> RefusedError:
    message = (
        f"有一条记录超过 {limits.RECORD_BYTES >> 20} MB，可能引号没有闭合或文件不是文本，"
        "请重新导出后报送。"
    )
    return RefusedError("record_too_long", message)


def unicode_pieces(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    """The stream in UTF-8, in pieces cut anywhere."""
    if encoding == "utf-8":
        while part := stream.read(BLOCK_BYTES):
            yield part
    elif encoding.startswith("utf-16"):
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        while part := stream.read(BLOCK_BYTES):
            yield decoder.decode(part).encode()
        yield decoder.decode(b"", final=True).encode()
    else:
        pending = b""
        while part := stream.read(BLOCK_BYTES):
            pending += part
            cut = max(pending.rfind(b"\n"), pending.rfind(b"\r")) + 1
            if cut:
                yield _legacy(pending[:cut], encoding)
                pending = pending[cut:]
            elif len(pending) > limits.RECORD_BYTES:
                raise _too_long()
        if pending:
            yield _legacy(pending, encoding)


def _legacy(block: bytes, encoding: str) -> bytes:
    if encoding == "gb18030":
        return gb18030.to_utf8(block)
    return block.decode(encoding, errors="replace").encode()


def _valid(block: bytes) -> bytes:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return block.decode("utf-8", errors="replace").encode()
    return block


def _record_end(block: bytes, escaped: bool) -> int:
    """Position after the last record that ends in the block; 0 if none does.

    That is the last line feed (or return, where there are no line feeds and more follows) with
    an even number of quotes before it.
    """
    if escaped:
        block = _ESCAPED.sub(b"__", block)
    end = b"\n"
    last = cut = block.rfind(b"\n") + 1
    if not cut:
        # A return may be half of a line end whose line feed comes in the next block.
        end, last = b"\r", block.rfind(b"\r", 0, len(block) - 1) + 1
        cut = last
    quotes = block.count(b'"', 0, cut)
    while quotes % 2:
        if len(block) >= _LARGEST_BLOCK:
            return last
        quote = block.rfind(b'"', 0, cut)
        earlier = block.rfind(end, 0, quote) + 1
        quotes -= block.count(b'"', earlier, cut)
        cut = earlier
    return cut
