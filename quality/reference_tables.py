"""Reference data that rules look things up in: dated divisions and tables of codes.

Belongs here: reading `reference/*.yaml`. Does not belong here: what a rule makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).with_name("reference")


@dataclass(frozen=True)
class Division:
    """One division code in the years that it was in use under one name."""

    code: str
    name: str
    first: date
    last: date
    now: tuple[str, ...] = ()
    """The codes of today on its land; empty where it still is in use."""


@dataclass(frozen=True)
class Zone:
    """A code that some body gives a development zone, which GB/T 2260 does not know."""

    code: str
    name: str
    used_by: str
    inside: tuple[str, ...]
    """The divisions of GB/T 2260 in which it lies."""


@cache
def divisions() -> tuple[Division, ...]:
    """The divisions of this city, past ones too."""
    return tuple(
        Division(
            item["code"],
            item["name"],
            date(item["from"], 1, 1),
            date(item["to"], 12, 31) if "to" in item else date.max,
            tuple(item.get("now", ())),
        )
        for item in _read("divisions.yaml")["divisions"]
    )


@cache
def zones() -> tuple[Zone, ...]:
    """The zones' codes."""
    return tuple(
        Zone(item["code"], item["name"], item["used_by"], tuple(item["inside"]))
        for item in _read("divisions.yaml")["zones"]
    )


@cache
def provinces() -> tuple[str, ...]:
    """The first two digits of every division code of the country."""
    return tuple(_read("divisions.yaml")["provinces"])


@cache
def code_tables() -> dict[str, tuple[str, ...]]:
    """Name of a reference table → its codes."""
    return {name: tuple(table["values"]) for name, table in _read("codes.yaml").items()}


def _read(name: str) -> Any:
    return yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
