"""Tokens: the keyed hash against two other implementations, and the key's file."""

from __future__ import annotations

import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.tokens import TOKEN_LENGTH, read_key, tokenizer


def sm3(message: bytes) -> bytes:
    """SM3 written out from GB/T 32905-2016, to check the library's against."""
    mask = 0xFFFFFFFF

    def rotate(value: int, by: int) -> int:
        by %= 32
        return (value << by | value >> (32 - by)) & mask

    def p0(x: int) -> int:
        return x ^ rotate(x, 9) ^ rotate(x, 17)

    def p1(x: int) -> int:
        return x ^ rotate(x, 15) ^ rotate(x, 23)

    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600,
             0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]  # fmt: skip
    padded = message + b"\x80" + bytes((55 - len(message)) % 64)
    padded += (len(message) * 8).to_bytes(8, "big")
    for start in range(0, len(padded), 64):
        block = padded[start : start + 64]
        w = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
        for j in range(16, 68):
            mixed = p1(w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15))
            w.append(mixed ^ rotate(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            constant = 0x79CC4519 if j < 16 else 0x7A879D8A
            ss1 = rotate((rotate(a, 12) + e + rotate(constant, j)) & mask, 7)
            ss2 = ss1 ^ rotate(a, 12)
            ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            gg = e ^ f ^ g if j < 16 else e & f | ~e & g
            tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & mask
            tt2 = (gg + h + ss1 + w[j]) & mask
            a, b, c, d = tt1, a, rotate(b, 9), c
            e, f, g, h = p0(tt2), e, rotate(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]
    return b"".join(word.to_bytes(4, "big") for word in state)


def sm3_hmac(key: bytes, message: bytes) -> bytes:
    """RFC 2104 with a block of 64 bytes."""
    key = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in key) + message)
    return sm3(bytes(byte ^ 0x5C for byte in key) + inner)


def test_the_second_implementation_gives_the_standards_examples() -> None:
    """GB/T 32905-2016, appendix A."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == (
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


@given(st.binary(min_size=1, max_size=80), st.text(max_size=80))
def test_a_token_is_the_first_half_of_the_sm3_hmac(key: bytes, value: str) -> None:
    """A token that another system cannot compute again is of no use to it."""
    assert tokenizer(key)(value) == sm3_hmac(key, value.encode()).hex()[:TOKEN_LENGTH]


def test_a_token_agrees_with_openssl() -> None:
    hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
    from cryptography.hazmat.primitives.hmac import HMAC

    key = bytes(range(32))
    openssl = HMAC(key, hashes.SM3())
    openssl.update(b"11010519491231002X")
    assert tokenizer(key)("11010519491231002X") == openssl.finalize().hex()[:TOKEN_LENGTH]


def test_tokens_of_the_fixed_key_never_change() -> None:
    """Yesterday's published tokens must meet today's."""
    token = tokenizer(bytes.fromhex("00" * 32))("11010519491231002X")
    assert token == sm3_hmac(bytes(32), b"11010519491231002X").hex()[:32]
    assert len(token) == 32
    assert token == hmac.digest(bytes(32), b"11010519491231002X", "sm3").hex()[:32]


def test_another_key_gives_another_token() -> None:
    assert tokenizer(b"a" * 32)("x") != tokenizer(b"b" * 32)("x")


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "token.key"
    key = read_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_key(path) == key
    assert [p.name for p in path.parent.iterdir()] == ["token.key"]


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    assert read_key(tmp_path / "a" / "key") != read_key(tmp_path / "b" / "key")
