"""The properties of a contract's schema → its columns.

Belongs here: names, types, levels, keys, domains and readings of columns. Does not belong here:
the rules on them (`rule_reader`).
"""

from __future__ import annotations

import re
from typing import Any

from quality import sql_types
from quality.contract import LEVELS, Column
from quality.custom_properties import custom_properties
from quality.yaml_lines import Location, Refuse, YamlDocument

IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]*$")
PARSES = {
    "code": "string",
    "amount": "number",
    "percent": "number",
    "capital_amount": "number",
    "capital_currency": "string",
}
"""Named readings of a text (see `pipelines.ingest.readings`) → the logical type they give."""

RESERVED_HEADERS = frozenset({"_line_number", "_ragged", "_row"})
"""Columns that the door adds to those of a file; a header of that name would be read as another."""


def read_columns(schema: dict[str, Any], document: YamlDocument, refuse: Refuse) -> list[Column]:
    """Read the columns of a schema; every problem goes to `refuse`."""
    columns: list[Column] = []
    for position, item in enumerate(schema.get("properties") or []):
        where: Location = ("schema", 0, "properties", position)
        column = _column(item, where, document, refuse)
        if any(column.name == other.name for other in columns):
            refuse(where, "column", f"the name {column.name!r} stands twice")
        columns.append(column)
    if not columns:
        refuse(("schema", 0), "column", "describe at least one column under properties")
    positions = sorted(c.key_position for c in columns if c.key_position is not None)
    if positions != list(range(1, len(positions) + 1)):
        refuse(("schema", 0), "key", "primaryKeyPosition must count 1, 2, 3 … without gaps")
    return columns


def _column(
    item: dict[str, Any], where: Location, document: YamlDocument, refuse: Refuse
) -> Column:
    name = str(item.get("name", ""))
    if not IDENTIFIER.match(name):
        refuse(where, "column", f"the name {name!r} must be lower-case letters, digits, _")
    if name in sql_types.reserved_words():
        refuse(where, "column", f"SQL keeps the name {name!r} for itself; give another")
    if item.get("physicalName") in RESERVED_HEADERS:
        message = (
            f"column {name!r}: the door calls a column of its own {item['physicalName']!r}; have "
            "the department rename the header"
        )
        refuse((*where, "physicalName"), "column", message)
    for key in ("physicalName", "businessName", "logicalType", "physicalType"):
        if not item.get(key):
            refuse(where, "column", f"column {name!r} needs {key}")
    logical, physical = str(item.get("logicalType")), str(item.get("physicalType"))
    if logical not in sql_types.LOGICAL_TYPES:
        known = ", ".join(sql_types.LOGICAL_TYPES)
        message = f"column {name!r}: logicalType must be one of {known}"
        refuse((*where, "logicalType"), "type", message)
    elif obstacle := sql_types.obstacle(logical, physical):
        refuse((*where, "physicalType"), "type", f"column {name!r}: {obstacle}")
    level = item.get("classification")
    if level not in LEVELS:
        message = f"column {name!r}: classification must be one of {', '.join(LEVELS)}"
        refuse((*where, "classification"), "level", message)
    custom = custom_properties(item, where)
    parse, parse_where = custom.get("parse", (None, where))
    if parse is not None and PARSES.get(str(parse)) != logical:
        message = f"column {name!r}: parse must be one of {', '.join(PARSES)} and give a {logical}"
        refuse(parse_where, "parse", message)
    missing, missing_where = custom.get("missingValues", ([], where))
    if not isinstance(missing, list):
        message = f"column {name!r}: missingValues must be a list, such as [N/A, '-']"
        refuse(missing_where, "missing", message)
        missing = []
    return Column(
        name=name,
        header=str(item.get("physicalName")),
        title=str(item.get("businessName")),
        logical_type=logical,
        sql_type=physical,
        required=bool(item.get("required")),
        level=str(level),
        key_position=item.get("primaryKeyPosition", 1) if item.get("primaryKey") else None,
        description=str(item.get("description") or ""),
        domain=tuple(str(entry.get("value")) for entry in item.get("enum") or []),
        parse=parse,
        missing=tuple(str(spelling) for spelling in missing),
        line=document.line(where),
    )
