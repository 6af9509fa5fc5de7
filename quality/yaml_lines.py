"""YAML that remembers its lines: what a lint needs to point at the place to mend.

Belongs here: reading one YAML file into plain values plus the line of every value.
Does not belong here: what the values mean (see `contract_lint`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Location = tuple[str | int, ...]
Refuse = Callable[[Location, str, str], None]
"""Takes the place of a problem, the rule that it breaks and what to do about it."""


class YamlError(Exception):
    """A file that is not YAML; carries the 1-based `line` and what the parser said."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: not valid YAML: {problem}")
        self.path, self.line, self.problem = path, line, problem


@dataclass(frozen=True)
class YamlDocument:
    """Plain `data`, and `lines`: location (keys and list positions) → 1-based line."""

    path: Path
    data: Any
    lines: dict[Location, int]

    def line(self, location: Location) -> int:
        """The line of a location, or of its nearest ancestor that is in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


def read_yaml(path: Path) -> YamlDocument:
    """Read one YAML document.

    Raises:
        YamlError: the text is not UTF-8 or not YAML, or a key stands twice in one mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise YamlError(path, line, "the text is not UTF-8; save the file as UTF-8") from error
    lines: dict[Location, int] = {}
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise YamlError(path, 1, "the file is empty")
        _collect(path, loader, node, (), lines)
        return YamlDocument(path, loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(path, mark.line + 1 if mark else 1, str(error.problem)) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise YamlError(path, line, error.reason) from error
    finally:
        if loader is not None:
            loader.dispose()


def _collect(
    path: Path,
    loader: yaml.SafeLoader,
    node: yaml.Node,
    location: Location,
    lines: dict[Location, int],
) -> None:
    lines[location] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise YamlError(path, key.start_mark.line + 1, f"the key {name!r} stands twice")
            seen.add(name)
            _collect(path, loader, value, (*location, name), lines)
            lines[(*location, name)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _collect(path, loader, value, (*location, position), lines)
    else:
        try:
            loader.construct_object(node)
        except ValueError as error:  # PyYAML lets 2026-13-45 through as a date until here
            raise YamlError(path, node.start_mark.line + 1, str(error)) from error
