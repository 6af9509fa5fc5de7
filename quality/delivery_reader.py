"""What a contract says of its deliveries, besides their kind.

Belongs here: reading and judging changeColumn, deleteValues, parts, maxDrop and ignoredHeaders.
Does not belong here: what the door makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quality.contract import DELIVERIES, MAX_DROP, Column
from quality.custom_properties import Custom
from quality.yaml_lines import Refuse

_NAMES = {
    "changeColumn": "change_log",
    "deleteValues": "change_log",
    "parts": "full",
    "maxDrop": "full",
}
"""Property → the kind of delivery that it belongs to."""


@dataclass(frozen=True)
class Terms:
    """The terms of a dataset's deliveries, as `Contract` keeps them."""

    change_column: str | None = None
    delete_values: tuple[str, ...] = ()
    parts: int | None = None
    max_drop: float = MAX_DROP
    ignored_headers: tuple[str, ...] = ()


def read_terms(delivery: str, custom: Custom, columns: Sequence[Column], refuse: Refuse) -> Terms:
    """Read the contract's customProperties; every problem goes to `refuse`."""
    if delivery in ("increment", "change_log") and not any(
        column.key_position for column in columns
    ):
        kind = "a change log" if delivery == "change_log" else "an increment"
        refuse(("schema", 0), "key", f"{kind} needs a primary key: set primaryKey: true")
    for name, kind in _NAMES.items():
        if name in custom and delivery in DELIVERIES and delivery != kind:
            refuse(custom[name][1], "delivery", f"{name} is for delivery: {kind}; remove it")
    ignored = _texts("ignoredHeaders", custom, refuse)
    for header in ignored:
        if any(column.header == header for column in columns):
            message = f"ignoredHeaders: {header!r} is the header of a column; remove one of them"
            refuse(custom["ignoredHeaders"][1], "delivery", message)
    terms = Terms(ignored_headers=ignored)
    if delivery == "change_log":
        return _change_terms(custom, columns, refuse, terms)
    return Terms(
        parts=_parts(custom, refuse), max_drop=_max_drop(custom, refuse), ignored_headers=ignored
    )


def _change_terms(custom: Custom, columns: Sequence[Column], refuse: Refuse, terms: Terms) -> Terms:
    value, where = custom.get("changeColumn", (None, ("customProperties",)))
    column = next((column for column in columns if column.name == value), None)
    if column is None:
        message = "a change log needs changeColumn: the English name of the column that says what"
        refuse(where, "delivery", f"{message} happened")
    elif column.logical_type != "string" or not column.required or column.key_position:
        message = f"changeColumn {value!r} must be a required string and no part of the key"
        refuse(where, "delivery", message)
    deleted = _texts("deleteValues", custom, refuse)
    _, deleted_where = custom.get("deleteValues", (None, ("customProperties",)))
    if not deleted:
        refuse(deleted_where, "delivery", "a change log needs deleteValues, such as [删除]")
    elif column is not None and column.domain and not set(deleted) <= set(column.domain):
        message = f"deleteValues must be among the enum of {column.name!r}"
        refuse(deleted_where, "delivery", message)
    return Terms(
        change_column=column.name if column else None,
        delete_values=deleted,
        ignored_headers=terms.ignored_headers,
    )


def _parts(custom: Custom, refuse: Refuse) -> int | None:
    value, where = custom.get("parts", (None, ()))
    if value is None:
        return None
    if type(value) is not int or value < 2:
        refuse(where, "delivery", "parts must be a whole number from 2: how many files make one")
        return None
    return value


def _max_drop(custom: Custom, refuse: Refuse) -> float:
    value, where = custom.get("maxDrop", (MAX_DROP, ()))
    if type(value) not in (int, float) or not 0 <= value <= 1:
        refuse(where, "delivery", "maxDrop must be a share from 0 to 1; 1 lets every drop pass")
        return MAX_DROP
    return float(value)


def _texts(name: str, custom: Custom, refuse: Refuse) -> tuple[str, ...]:
    value, where = custom.get(name, ([], ()))
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        refuse(where, "delivery", f"{name} must be a list of texts; put numbers in quotes")
        return ()
    return tuple(value)
