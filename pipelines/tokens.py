"""Keyed SM3 tokens: the only form in which a personal identifier leaves the warehouse.

Belongs here: the key and the hash. Who gets a token instead of a value is the contract's and
the marts' decision.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

TOKEN_LENGTH = 32
"""Hexadecimal characters kept of the 64: 128 bits, no collision to be expected in any city."""


def read_key(path: Path) -> bytes:
    """The token key; made on first use, with mode 0600.

    The same key gives the same tokens, so that a night can be repeated; losing it makes all
    earlier tokens unlinkable.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        temporary.replace(path)
    return bytes.fromhex(path.read_text().strip())


def tokenizer(key: bytes) -> Callable[[str], str]:
    """A function value → token: HMAC (RFC 2104) with SM3 (GB/T 32905), first 128 bits, hex."""

    def token(value: str) -> str:
        return hmac.digest(key, value.encode(), "sm3").hex()[:TOKEN_LENGTH]

    return token
