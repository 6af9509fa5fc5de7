"""What the parts of an XLSX or XLSM file say of a sheet that calamine does not.

Belongs here: the cells that show an error (`#N/A`, `#DIV/0!`, `#REF!` …), which calamine gives as
blank cells, and whether the sheet seems to hold texts alone. Does not belong here: any other cell;
those come from calamine (`workbook_worker`).

The parts are gone through as bytes, not as XML: a sheet of millions of cells that has no error is
read at the speed at which it unpacks.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape

from pipelines.ingest import limits

Errors = dict[int, dict[int, str]]
"""Row → column → what the cell shows; both count from 0."""

_BLOCK = 1 << 20
_LARGE = 8
"""Blocks from which on a sheet is large: below, opening a workbook twice saves nothing."""
_MERGED = b"mergeCell "
_LONGEST_CELL = 64 << 10
"""Bytes of one cell's markup; a formula has at most 8,192 characters."""
_MARKS = (b't="e"', b"t='e'")
_MARK = re.compile(rb"""\st=["']e["']""")
_DATA = re.compile(rb"<(\w+:)?sheetData")
_PLACE = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,40})<")
_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*>")
_TEXT = re.compile(rb"""\st=["'](?:s|str|inlineStr)["']""")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True)
class SheetLook:
    """What was seen of one sheet."""

    errors: Errors = field(default_factory=dict)
    may_be_texts: bool = False
    """Whether it is large, begins in column A, has no merged cell and no error, and each cell of
    its first block that is filled is a text."""


def look_at(path: str, sheet: str) -> SheetLook:
    """Go through one sheet; nothing is seen where the file is no XLSX.

    Of a part that cannot be read nothing is told: whether the workbook can be, calamine says.
    """
    found: Errors = defaultdict(dict)
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part(archive, sheet)
            if part is None:
                return SheetLook()
            with archive.open(part) as stream:
                blocks = _Blocks(iter(lambda: stream.read(_BLOCK), b""))
                for column, row, text in cells_in(blocks):
                    found[row][column] = text
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError,
            zlib.error, KeyError):  # fmt: skip
        return SheetLook()
    is_large = blocks.count >= _LARGE
    return SheetLook(
        dict(found), is_large and blocks.begins_with_texts and not blocks.has_merges and not found
    )


class _Blocks:
    """The blocks of a sheet, and what their bytes tell while they pass."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.count = 0
        self.begins_with_texts = False
        self.has_merges = False

    def __iter__(self) -> Iterator[bytes]:
        before = b""
        for block in self._blocks:
            if self.count == 0:
                self.begins_with_texts = _begins_with_texts(block)
            self.count += 1
            self.has_merges = self.has_merges or _MERGED in before[-len(_MERGED) :] + block
            before = block
            yield block


def _begins_with_texts(block: bytes) -> bool:
    data = _DATA.search(block)
    cells = _CELL.findall(block, data.end()) if data else []
    place = _PLACE.search(cells[0]) if cells else None
    return (
        place is not None
        and place[1] == b"A"
        and all(_TEXT.search(cell) or cell.endswith(b"/>") for cell in cells)
    )


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


def cells_in(blocks: Iterable[bytes]) -> Iterator[tuple[int, int, str]]:
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
