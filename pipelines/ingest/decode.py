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
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.ingest import gb18030, limits
from pipelines.ingest.refusal import RefusedError
from pipelines.ingest.room import Room

BLOCK_BYTES = 16 << 20
_LARGEST_BLOCK = 4 * BLOCK_BYTES
_ESCAPED = re.compile(rb"\\.", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Whole records in what should be UTF-8, line ends as they came.

    `data` is good until the next block is asked for; `quotes` counts the quotes in it, without
    those that a backslash makes plain.
    """

    data: memoryview
    quotes: int


def blocks(stream: BinaryIO, encoding: str, *, escaped: bool = False) -> Iterator[bytes]:
    """Blocks of whole records, as UTF-8, line ends as they came.

    Args and errors: as `passing_blocks`.
    """
    for block in passing_blocks(stream, encoding, escaped=escaped):
        yield valid(block.data)


def passing_blocks(stream: BinaryIO, encoding: str, *, escaped: bool = False) -> Iterator[Block]:
    """Blocks of whole records that share one place in memory, each used before the next comes.

    A line feed between quotes does not end a record; where quotes do not balance within
    four blocks, the block is cut all the same, and the rows that suffer show by their shape.
    A file without any line feed is cut at its returns.

    Args:
        stream: the file, behind its byte order mark.
        encoding: utf-8, gb18030, big5, utf-16le or utf-16be. Bytes that are not UTF-8 are left
            in a UTF-8 file; `valid` replaces them.
        escaped: whether a backslash takes the meaning from the character behind it.

    Raises:
        RefusedError: a record longer than the door takes.
    """
    pending = Room()
    for _ in _fill(pending, stream, encoding):
        end, quotes = _record_end(pending, escaped)
        if end:
            yield Block(pending.view(end), quotes)
            pending.drop(end)
        elif pending.size > limits.RECORD_BYTES:
            raise _too_long()
    if pending.size:
        rest = pending.view(pending.size)
        yield Block(rest, _without_escapes(rest, escaped).count(b'"'))


def text(data: bytes, encoding: str) -> str:
    """The text of a piece of a file."""
    if encoding == "gb18030":
        return gb18030.to_utf8(data).decode()
    return data.decode(encoding, errors="replace")


def valid(block: bytes | memoryview) -> bytes:
    """The block, with U+FFFD for what is not UTF-8."""
    block = bytes(block)
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return block.decode("utf-8", errors="replace").encode()
    return block


def is_valid(block: bytes | memoryview) -> bool:
    """Whether the block is UTF-8, looked at as one text: a third of the time of one by one."""
    ends = pa.py_buffer(np.array([0, len(block)], dtype=np.int64))
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(block)])
    try:
        cast(pl.Series, pl.from_arrow(whole)).cast(pl.String)
    except (pl.exceptions.ComputeError, pl.exceptions.InvalidOperationError):
        return False
    return True


def _too_long() -> RefusedError:
    message = (
        f"有一条记录超过 {limits.RECORD_BYTES >> 20} MB，可能引号没有闭合或文件不是文本，"
        "请重新导出后报送。"
    )
    return RefusedError("record_too_long", message)


def unicode_pieces(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    """The stream in UTF-8, in pieces cut anywhere."""
    piece = Room()
    for _ in _fill(piece, stream, encoding):
        yield bytes(piece.view(piece.size))
        piece.drop(piece.size)


def _fill(room: Room, stream: BinaryIO, encoding: str) -> Iterator[None]:
    """Put the stream, in UTF-8, piece by piece behind what is in the room."""
    if encoding == "utf-8":
        while room.read(stream, BLOCK_BYTES):
            yield
    elif encoding.startswith("utf-16"):
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        while part := stream.read(BLOCK_BYTES):
            room.append(decoder.decode(part).encode())
            yield
        room.append(decoder.decode(b"", final=True).encode())
        yield
    else:
        raw = Room()
        while raw.read(stream, BLOCK_BYTES):
            end = max(raw.data.rfind(b"\n", 0, raw.size), raw.data.rfind(b"\r", 0, raw.size)) + 1
            if end:
                _decode(raw.view(end), encoding, room)
                raw.drop(end)
                yield
            elif raw.size > limits.RECORD_BYTES:
                raise _too_long()
        if raw.size:
            _decode(raw.view(raw.size), encoding, room)
            yield


def _decode(block: memoryview, encoding: str, room: Room) -> None:
    if encoding == "gb18030":
        gb18030.append_utf8(block, room)
    else:
        room.append(codecs.decode(block, encoding, errors="replace").encode())


def _record_end(pending: Room, escaped: bool) -> tuple[int, int]:
    """Position after the last record that ends in what is pending (0 if none), and its quotes.

    That is the last line feed (or return, where there are no line feeds and more follows) with
    an even number of quotes before it.
    """
    size = pending.size
    data = _without_escapes(pending.view(size), escaped) if escaped else pending.data
    line_end = b"\n"
    last = end = data.rfind(b"\n", 0, size) + 1
    if not end:
        # A return may be half of a line end whose line feed comes in the next block.
        line_end, last = b"\r", data.rfind(b"\r", 0, max(size - 1, 0)) + 1
        end = last
    first = data.find(b'"', 0, end)
    all_quotes = quotes = data.count(b'"', first, end) if first >= 0 else 0
    while quotes % 2:
        if size >= _LARGEST_BLOCK:
            return last, all_quotes
        quote = data.rfind(b'"', 0, end)
        earlier = data.rfind(line_end, 0, quote) + 1
        quotes -= data.count(b'"', earlier, end)
        end = earlier
    return end, quotes


def _without_escapes(block: memoryview, escaped: bool) -> bytes:
    return _ESCAPED.sub(b"__", block) if escaped else bytes(block)
