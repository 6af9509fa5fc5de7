"""How a personal value is shown, even to the department that delivered it.

Belongs here: value and column → what may stand in a work order, a sample or a workbook.
Does not belong here: tokens and masks of published tables (the marts' columns declare them).

L1 and L2 are shown as they are, save for a resident number that strayed there (a shifted
column). L3 and L4 keep what a clerk needs to find the row, as GB/T 35273 asks for display.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from quality.contract import Column, Contract

CLEAR_LEVELS = ("L1", "L2")

_RESIDENT_NUMBER = re.compile(
    r"(?<!\d)(\d{6})(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(\d{3}[\dXx])(?![\dA-Za-z])"
)
_RESIDENT_NUMBER_LENGTH = 18
_KINDS_BY_CHECK = {
    "resident_number": "number",
    "resident_number_format": "number",
    "unified_code": "number",
    "unified_code_format": "number",
    "phone": "phone",
    "person_name": "name",
}
_KINDS_BY_NAME = (
    (re.compile(r"(_|^)(id_number|code|number)$"), "number"),
    (re.compile(r"(_|^)phone$"), "phone"),
    (re.compile(r"(_|^)(name|legal_representative)$"), "name"),
    (re.compile(r"(_|^)(address|location)$"), "address"),
)


def masker(column: Column, contract: Contract) -> Callable[[str | None], str]:
    """Shows the values of one column as they may be shown; an empty text for a missing one."""
    shown = _clear if column.level in CLEAR_LEVELS else _MASKS[kind_of(column, contract)]
    return lambda value: shown(value) if value else ""


def kind_of(column: Column, contract: Contract) -> str:
    """`number`, `phone`, `name`, `address` or `other`: from the rules that the contract names
    for the column, else from the column's name."""
    for rule in contract.rules_of("row"):
        if rule.columns[:1] == (column.name,) and rule.check in _KINDS_BY_CHECK:
            return _KINDS_BY_CHECK[rule.check]
    for pattern, kind in _KINDS_BY_NAME:
        if pattern.search(column.name):
            return kind
    return "other"


def _clear(value: str) -> str:
    if len(value) < _RESIDENT_NUMBER_LENGTH:
        return value
    return _RESIDENT_NUMBER.sub(r"\1********\2", value)


def _name(value: str) -> str:
    return value[0] + "*" * min(len(value) - 1, 3)


def _address(value: str) -> str:
    return value[: min(6, len(value) // 2)] + "***"


def _ends(value: str, head: int, tail: int) -> str:
    """First and last characters; of a short text, which may be a wrong value, at most a third."""
    if len(value) < head + tail + 4:
        head, tail = min(head, len(value) // 3), 0
    hidden = len(value) - head - tail
    return value[:head] + "*" * hidden + (value[-tail:] if tail else "")


_MASKS: dict[str, Callable[[str], str]] = {
    "number": lambda value: _ends(value, 6, 4),
    "phone": lambda value: _ends(value, 3, 4),
    "name": _name,
    "address": _address,
    "other": lambda _: "***",
}


def masked_sql(value: str, column: Column, contract: Contract) -> str:
    """The SQL expression that shows a text expression as `masker` shows its value."""
    if column.level in CLEAR_LEVELS:
        pattern = (
            r"(^|[^0-9])(\d{6})(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
            r"(\d{3}[\dXx])($|[^0-9A-Za-z])"
        )
        return f"regexp_replace({value}, '{pattern}', '\\1\\2********\\3\\4', 'g')"
    kind = kind_of(column, contract)
    if kind in ("number", "phone"):
        head, tail = (6, 4) if kind == "number" else (3, 4)
        short = f"least({head}, length({value}) // 3)"
        return (
            f"case when length({value}) < {head + tail + 4} "
            f"then left({value}, {short}) || repeat('*', length({value}) - {short}) "
            f"else left({value}, {head}) || repeat('*', length({value}) - {head + tail}) "
            f"|| right({value}, {tail}) end"
        )
    if kind == "name":
        return f"left({value}, 1) || repeat('*', least(length({value}) - 1, 3))"
    if kind == "address":
        return f"left({value}, least(6, length({value}) // 2)) || '***'"
    return "'***'"
