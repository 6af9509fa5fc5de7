"""XML → records.

Belongs here: which element is a record, and its values by name. Does not belong here: which
columns there are (`records`).

Values of a record are its attributes and the texts of the elements in it; what is nested is
named 上级_下级, as a header of two rows would be. Entities are refused when they are declared, and
nothing outside the file is ever fetched.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from xml.parsers import expat

from pipelines.ingest import limits, records, sniff
from pipelines.ingest.container import Member, read_up_to
from pipelines.ingest.decode import unicode_pieces
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import Table
from pipelines.ingest.layout import Layout
from pipelines.ingest.records import Record
from pipelines.ingest.refusal import RefusedError

_DECLARED = re.compile(rb"^\s*<\?xml[^>]*\bencoding\s*=\s*[\"']([A-Za-z0-9_-]+)[\"']")
_KNOWN = {"utf-8": "utf-8", "utf8": "utf-8", "gb2312": "gb18030", "gbk": "gb18030",
          "gb18030": "gb18030", "big5": "big5"}  # fmt: skip
_SAMPLE_ELEMENTS = 20_000


def table(
    member: Member, head: bytes, encoding: sniff.Encoding, layout: Layout, findings: Findings
) -> Table:
    """The table of an XML file.

    Raises:
        RefusedError: not well-formed, cut off, with entities, too deep, or without records.
    """
    encoding = _encoding(head, encoding)
    codec = sniff.python_codec(encoding.name)
    path = _record_path(member, codec, encoding.mark, layout)

    def read() -> Iterator[Record]:
        reader = _Reader(path)
        for piece in _pieces(member, codec, encoding.mark):
            reader.feed(piece)
            yield from reader.taken()
        reader.feed(b"", last=True)
        yield from reader.taken()

    found = records.table(read, layout, findings)
    facts: dict[str, object] = {"encoding": encoding.name, "record": "/".join(path)}
    certainty = {**found.certainty, "encoding": encoding.certainty}
    return replace(found, facts=facts, certainty=certainty, member=member.name)


def _encoding(head: bytes, found: sniff.Encoding) -> sniff.Encoding:
    """What the file says of itself, where its mark does not; without either it is UTF-8."""
    if found.mark or found.certainty == "declared":
        return found
    said = _DECLARED.match(head)
    if said:
        name = _KNOWN.get(said[1].decode().lower())
        return sniff.Encoding(name, "sure") if name else found
    return found


def _pieces(member: Member, codec: str, mark: int) -> Iterator[bytes]:
    with member.open() as stream:
        read_up_to(stream, mark)
        for piece in unicode_pieces(stream, codec):
            for start in range(0, len(piece), 1 << 20):
                yield piece[start : start + (1 << 20)]


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse_entity
    return parser


def _refuse_entity(*_: object) -> None:
    message = "XML 文件声明了实体（ENTITY），有安全风险，请去掉后重新导出报送。"
    raise RefusedError("xml_entities", message)


def _feed(parser: expat.XMLParserType, piece: bytes, last: bool, fed: list[int]) -> None:
    """Parse on; `fed` counts what the parser was given, which it holds until a value ends."""
    try:
        parser.Parse(piece, last)
    except expat.ExpatError as error:
        message = f"XML 文件第 {error.lineno} 行格式有误或没有传完，请检查后重新导出报送。"
        raise RefusedError("unreadable_file", message) from error
    fed[0] += len(piece)
    if fed[0] - parser.CurrentByteIndex > limits.RECORD_BYTES:
        raise RefusedError("record_too_long", "XML 中有一个值过长，请检查后重新导出报送。")


def _local(name: str) -> str:
    return name.rsplit(":", 1)[-1]


class _Enough(Exception):  # noqa: N818 - no error: the sample is complete
    """Stops a parser that has seen what it should."""


def _record_path(member: Member, codec: str, mark: int, layout: Layout) -> tuple[str, ...]:
    """Path of the element that is one record: the shallowest that repeats and holds values."""
    shape = _Shape()
    fed = [0]
    try:
        for piece in _pieces(member, codec, mark):
            _feed(shape.parser, piece, False, fed)
        _feed(shape.parser, b"", True, fed)
    except _Enough:
        pass
    if layout.record:
        wanted = tuple(layout.record.strip("/").split("/"))
        for path in shape.counts:
            if path[-len(wanted) :] == wanted:
                return path
        message = f"XML 中没有记录元素「{layout.record}」，请按约定导出后报送。"
        raise RefusedError("missing_record", message)
    holders = [path for path in shape.counts if path in shape.values and len(path) > 1]
    if not holders:
        if shape.counts and next(iter(shape.counts)) in shape.values:
            return next(iter(shape.counts))
        raise RefusedError("empty_file", "XML 文件中没有记录，请重新导出后报送。")
    expected = set(layout.headers)
    return max(
        holders,
        key=lambda path: (
            len(expected & shape.values[path]),
            shape.counts[path] > 1,
            -len(path),
            shape.counts[path],
        ),
    )


class _Shape:
    """Which elements there are, how often, and what values they hold."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.values: dict[tuple[str, ...], set[str]] = {}
        self._path: list[str] = []
        self._has_elements: list[bool] = []
        self._elements = 0
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _SAMPLE_ELEMENTS:
            raise _Enough
        if self._has_elements:
            self._has_elements[-1] = True
        self._path.append(_local(name))
        self._has_elements.append(False)
        if len(self._path) > limits.XML_DEPTH:
            raise RefusedError("unreadable_file", "XML 文件嵌套过深，请按记录导出后报送。")
        path = tuple(self._path)
        self.counts[path] += 1
        if attributes:
            self.values.setdefault(path, set()).update(map(_local, attributes))

    def _end(self, _: str) -> None:
        path = tuple(self._path)
        if not self._has_elements.pop() and len(path) > 1:
            self.values.setdefault(path[:-1], set()).add(path[-1])
        self._path.pop()


class _Reader:
    """Collects the records of one path."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self._wanted = list(path)
        self._path: list[str] = []
        self._found: list[Record] = []
        self._number = 0
        self._pairs: list[tuple[str, str]] | None = None
        self._texts: list[list[str]] = []
        self._has_elements: list[bool] = []
        self._size = 0
        self._fed = [0]
        self._parser = _parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, piece: bytes, last: bool = False) -> None:
        """Parse on."""
        _feed(self._parser, piece, last, self._fed)

    def taken(self) -> list[Record]:
        """The records that have ended since the last call."""
        found, self._found = self._found, []
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(_local(name))
        if len(self._path) > limits.XML_DEPTH:
            raise RefusedError("unreadable_file", "XML 文件嵌套过深，请按记录导出后报送。")
        if self._pairs is None and self._path == self._wanted:
            self._pairs, self._texts, self._has_elements, self._size = [], [], [], 0
        if self._pairs is None:
            return
        if self._has_elements:
            self._has_elements[-1] = True
        self._texts.append([])
        self._has_elements.append(False)
        inner = self._path[len(self._wanted) :]
        for attribute, value in attributes.items():
            self._pairs.append(("_".join([*inner, _local(attribute)]), value))

    def _text(self, data: str) -> None:
        if self._pairs is not None and self._texts:
            self._size += len(data)
            if self._size > limits.RECORD_BYTES:
                message = "XML 中有一条记录过长，请检查后重新导出报送。"
                raise RefusedError("record_too_long", message)
            self._texts[-1].append(data)

    def _end(self, _: str) -> None:
        if self._pairs is not None:
            text = "".join(self._texts.pop())
            inner = self._path[len(self._wanted) :]
            has_elements = self._has_elements.pop()
            if text.strip() or (inner and not has_elements):
                name = "_".join(inner) if inner else self._wanted[-1]
                self._pairs.append((name, text.strip() if has_elements else text))
            if not inner:
                self._finish(self._pairs)
                self._pairs = None
        self._path.pop()

    def _finish(self, pairs: list[tuple[str, str]]) -> None:
        self._number += 1
        values = dict(pairs)
        odd = None
        if len(values) < len(pairs):
            odd = json.dumps([value for _, value in pairs], ensure_ascii=False)
        self._found.append(Record(values, self._number, odd))
