"""The cells of a workbook that show an error: `#N/A`, `#DIV/0!`, `#REF!` …

Belongs here: finding them in the parts of XLSX and XLSM files. Does not belong here: any other
cell; those come from calamine (`workbook_worker`), which gives an error as a blank cell.

The parts are gone through as bytes, not as XML: a sheet of millions of cells that has no error is
read at the speed at which it unpacks.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from html import unescape

from pipelines.ingest import limits

Errors = dict[int, dict[int, str]]
"""Row → column → what the cell shows; both count from 0."""

_BLOCK = 1 << 20
_LONGEST_CELL = 64 << 10
"""Bytes of one cell's markup; a formula has at most 8,192 characters."""
_MARKS = (b't="e"', b"t='e'")
_MARK = re.compile(rb"""\st=["']e["']""")
_DATA = re.compile(rb"<(\w+:)?sheetData")
_PLACE = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,40})<")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def error_cells(path: str, sheet: str) -> Errors:
    """The errors of one sheet; none where the file is no XLSX.

    A part that cannot be read has no errors to tell of: whether the workbook can be, calamine
    says.
    """
    found: Errors = defaultdict(dict)
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part(archive, sheet)
            if part is None:
                return {}
            with archive.open(part) as stream:
                for column, row, text in cells_in(iter(lambda: stream.read(_BLOCK), b"")):
                    found[row][column] = text
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError,
            zlib.error, KeyError):  # fmt: skip
        return {}
    return dict(found)


def _part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part that holds a sheet; None where the archive is no XLSX or does not say."""
    if "xl/workbook.xml" not in archive.namelist():
        return None
    book = _small(archive, "xl/workbook.xml")
    relations = _small(archive, "xl/_rels/workbook.xml.rels")
    wanted = next(
        (found for found in map(_attributes, _SHEET.findall(book)) if found.get("name") == sheet),
        {},
    )
    identity = next((value for key, value in wanted.items() if key.endswith(":id")), None)
    for relation in map(_attributes, _RELATION.findall(relations)):
        if relation.get("Id") == identity:
            target = relation.get("Target", "")
            return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    return None


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(limits.WORKBOOK_INDEX_BYTES)


def _attributes(tag: bytes) -> dict[str, str]:
    return {
        name.decode(): unescape((double or single).decode("utf-8", "replace"))
        for name, double, single in _ATTRIBUTE.findall(tag)
    }


def cells_in(blocks: Iterator[bytes]) -> Iterator[tuple[int, int, str]]:
    """Column, row and text of each error cell.

    The last cell of a block may be cut: it is looked at with the next one.
    """
    text, start = b"", b""
    for block in blocks:
        text += block
        if not start:
            data = _DATA.search(text)
            start = b"<" + (data[1] or b"" if data else b"") + b"c "
        end = max(text.rfind(start), len(text) - _LONGEST_CELL, 0)
        yield from _whole_cells(text, start, end)
        text = text[end:]
    yield from _whole_cells(text, start, len(text))


def _whole_cells(text: bytes, start: bytes, end: int) -> Iterator[tuple[int, int, str]]:
    if not any(text.find(mark, 0, end) >= 0 for mark in _MARKS):
        return
    for mark in _MARK.finditer(text, 0, end):
        begin, close = text.rfind(start, 0, mark.start()), text.find(b">", mark.end())
        if begin < 0 or text.find(b">", begin) != close:
            continue
        following = text.find(start, close)
        place = _PLACE.search(text, begin, close)
        value = _VALUE.search(text, close, following if following >= 0 else len(text))
        if place and value:
            yield _column(place[1]), int(place[2]) - 1, value[1].decode("utf-8", "replace")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
