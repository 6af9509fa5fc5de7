"""JSON values → the texts that are written into a delivery.

A number stays the text that it was sent as: 18 digits are not rounded, 1.50 stays 1.50.
"""

from __future__ import annotations

import json
import re
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")


class Number(str):
    """A JSON number, as its text."""

    __slots__ = ()


def text_of(value: Any) -> str | None:
    """One value as text; null is None, a list or object is JSON.

    A half character (a lone surrogate) becomes U+FFFD, which the door names as unreadable.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return text_of(_dump(value))


def at(answer: Any, path: str) -> Any:
    """What stands at `a.b.c` of an answer; None where nothing does. An empty path is all of it."""
    for name in path.split(".") if path else ():
        if not isinstance(answer, dict):
            return None
        answer = answer.get(name)
    return answer


def _dump(value: Any) -> str:
    """As `json.dumps`, with `Number` written as the number it was."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_dump(str(k))}: {_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_dump(item) for item in value) + "]"
    return value if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
