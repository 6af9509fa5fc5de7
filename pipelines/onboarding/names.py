"""Headers → proposed English column names.

Belongs here: composing a name from a dictionary of terms (`resources/terms.yaml`). Does not
belong here: what a column holds (`evidence`, `kinds`).

A header is covered by as few terms as possible, in its order; one that the dictionary does not
cover as a whole becomes `column_<position>`: half a translation misleads more than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from quality.sql_types import reserved_words

LONGEST = 60
"""Characters of a proposed name; a longer one says nothing that a title would not say better."""

_PIECES = re.compile(r"[A-Za-z0-9.]+|[\u3400-\u9fff]+")
_BRACKETED = re.compile(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]")
_STRETCHED = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Name:
    """A proposed name; `is_known` where the header's own words gave it."""

    text: str
    is_known: bool


def read_resource(name: str) -> Any:
    """One YAML file of this package's `resources`."""
    path = resources.files("pipelines.onboarding") / "resources" / name
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def propose(headers: Sequence[str]) -> list[Name]:
    """A name for each header: lower-case letters, digits and underscores, each one once."""
    names: list[Name] = []
    taken: set[str] = set()
    for position, header in enumerate(headers, start=1):
        found = translate(header)
        text = found or f"column_{position}"
        unique, number = text, 2
        while unique in taken:
            unique, number = f"{text}_{number}", number + 1
        taken.add(unique)
        names.append(Name(unique, found is not None))
    return names


def fold(header: str) -> str:
    """A header in plain characters, without the spaces that only stretch it: 姓　名 → 姓名."""
    return _STRETCHED.sub("", unicodedata.normalize("NFKC", header))


def translate(header: str) -> str | None:
    """The English name that a header's words make; None where they are not all known.

    A remark in brackets that nobody knows is left out: it names a unit at best.
    """
    folded = fold(header)
    words = _words(_BRACKETED.sub(" ", folded))
    if not words:
        return None
    for remark in _BRACKETED.findall(folded):
        words += _unit(remark)
    text = re.sub(r"_+", "_", "_".join(words)).strip("_")
    if text[:1].isdigit():
        text = f"c_{text}"
    if text in reserved_words():
        text = f"{text}_value"
    return text if 0 < len(text) <= LONGEST else None


def _unit(remark: str) -> list[str]:
    """The words of a remark in brackets, 公斤/亩 as kg_per_mu; none where they are not known."""
    parts = [_words(part) for part in remark.split("/")]
    joined: list[str] = []
    for part in parts:
        if not part:
            return []
        joined += ["per", *part] if joined else part
    return joined


def _words(text: str) -> list[str] | None:
    """The words of a text in its order; None where a Chinese part is not covered."""
    words: list[str] = []
    for piece in _PIECES.findall(text):
        if piece[0] > "\x7f":
            covered = _cover(piece)
            if covered is None:
                return None
            words += covered
        else:
            humps = _HUMPS.split(piece.replace(".", "_").strip("_"))
            words += [word for hump in humps for word in _apart(hump.lower())]
    return [word for word in words if word]


def _apart(word: str) -> list[str]:
    """English words that were written as one: stationcode → station, code; else the word."""
    return _fewest(word, _english()) or [word]


def _cover(text: str) -> list[str] | None:
    """The fewest terms that make up a Chinese text, translated; None where there are none."""
    return _fewest(text, _terms())


def _fewest(text: str, terms: Mapping[str, str]) -> list[str] | None:
    """The fewest terms that a text falls apart into; of two ways the one that begins longer."""
    best: list[tuple[int, list[str]] | None] = [None] * len(text) + [(0, [])]
    for start in reversed(range(len(text))):
        for end in range(len(text), start, -1):
            rest, term = best[end], text[start:end]
            if rest is None or term not in terms:
                continue
            count = rest[0] + 1
            known = best[start]
            if known is None or count < known[0]:
                best[start] = (count, [terms[term], *rest[1]])
    return best[0][1] if best[0] else None


@cache
def _terms() -> dict[str, str]:
    return dict(_read_terms())


@cache
def _english() -> dict[str, str]:
    words: list[str] = read_resource("terms.yaml")["english"]
    return {word: word for word in words}


def _read_terms() -> Iterator[tuple[str, str]]:
    sections = read_resource("terms.yaml")
    for filler in sections.pop("fillers"):
        yield str(filler), ""
    del sections["english"]
    for section in sections.values():
        for term, english in section.items():
            yield str(term), str(english)
