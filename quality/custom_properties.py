"""ODCS `customProperties`: what the standard leaves to the house.

Belongs here: finding them, with their places. Does not belong here: what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quality.yaml_lines import Location

Custom = Mapping[str, tuple[Any, Location]]
"""Property → its value and where it stands."""


def custom_properties(data: Mapping[str, Any], location: Location) -> Custom:
    """The custom properties of one element of a document that stands at `location`."""
    found: dict[str, tuple[Any, Location]] = {}
    for position, item in enumerate(data.get("customProperties") or []):
        where = (*location, "customProperties", position)
        found[str(item.get("property"))] = (item.get("value"), where)
    return found
