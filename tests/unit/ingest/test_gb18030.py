"""GB18030: the fast way and the plain way give the same text, errors too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest import gb18030


def every_character() -> str:
    return "".join(map(chr, (*range(0x20, 0xD800), *range(0xE000, 0x110000))))


def plain(block: bytes) -> bytes:
    return gb18030._moved(gb18030._by_python(block))


def test_both_ways_read_every_character_alike() -> None:
    characters = every_character()
    for start in range(0, len(characters), 4096):
        block = characters[start : start + 4096].encode("gb18030")
        assert gb18030.to_utf8(block) == plain(block)


@given(st.binary(max_size=40))
def test_both_ways_mark_bad_bytes_alike(block: bytes) -> None:
    assert gb18030.to_utf8(block) == plain(block)


@pytest.mark.parametrize("tail", [b"\x81", b"\x81\x30", b"\x81\x30\x81", b"\xff", b"\x80"])
def test_half_a_character_does_not_take_the_line_end_along(tail: bytes) -> None:
    """Otherwise two rows would become one where a block ends."""
    text = gb18030.to_utf8(b"1,2" + tail + b"\n").decode()
    assert text.endswith("\n")
    assert text.startswith("1,2\ufffd")


def test_characters_of_names_lie_where_unicode_has_them_now() -> None:
    assert gb18030.to_utf8(b"\xfe\x59\xa6\xd9\xa8\xbc").decode() == "\u9fb4\ufe10\u1e3f"
