"""JSON, GeoJSON and NDJSON → records.

Belongs here: finding the array of objects and reading it object by object, however long it is.
Does not belong here: which columns there are (`records`).

A number stays the text it was written as; true and false become these words, null nothing; what
is nested becomes its JSON text. Of a GeoJSON feature the properties are the values, besides
`geometry_type` and `geometry_coordinates`.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from pipelines.ingest import decode, limits, records, sniff
from pipelines.ingest.container import Member, read_up_to
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import Table
from pipelines.ingest.layout import Layout
from pipelines.ingest.records import Record
from pipelines.ingest.refusal import RefusedError

_PIECE = 1 << 20
_SPACE = " \t\r\n\ufeff"


class _Number(str):
    """The text of a number."""

    __slots__ = ()


class _Object(dict[str, Any]):
    """A JSON object; `pairs` is kept where a name stands twice."""

    __slots__ = ("pairs",)
    pairs: list[tuple[str, Any]] | None


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    found.pairs = pairs if len(found) < len(pairs) else None
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=_Number,
    strict=False,
)


def table(
    member: Member,
    encoding: sniff.Encoding,
    layout: Layout,
    findings: Findings,
    *,
    by_line: bool,
) -> Table:
    """The table of a JSON file; `by_line` where each line is an object of its own.

    Raises:
        RefusedError: not JSON, cut off, nested too deeply, or without an array of objects.
    """
    codec = sniff.python_codec(encoding.name)
    path = None if by_line else _array_path(member, codec, encoding.mark, layout, findings)

    def read() -> Iterator[Record]:
        with member.open() as stream:
            read_up_to(stream, encoding.mark)
            if by_line:
                yield from _lines(stream, codec)
            else:
                yield from _elements(_Scanner(stream, codec), path)

    found = records.table(read, layout, findings)
    facts: dict[str, object] = {"encoding": encoding.name, "record": path}
    certainty = {**found.certainty, "encoding": encoding.certainty}
    return replace(found, facts=facts, certainty=certainty, member=member.name)


# -- values ------------------------------------------------------------------------------


def text(value: Any) -> str:
    """A value as text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        inner = ",".join(f"{_json(name)}:{_json(item)}" for name, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_json, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _record(value: Any, number: int) -> Record:
    """The record that a value is.

    Raises:
        RefusedError: nested too deeply.
    """
    try:
        return _flat(value, number)
    except RecursionError as error:
        raise _too_deep() from error


def _flat(value: Any, number: int) -> Record:
    if not isinstance(value, _Object):
        return Record({}, number, json.dumps([text(value)], ensure_ascii=False))
    odd = None
    if value.pairs is not None:
        odd = json.dumps([text(item) for _, item in value.pairs], ensure_ascii=False)
    if value.get("type") == "Feature" and isinstance(value.get("properties"), dict):
        return Record(_feature(value), number, odd)
    return Record({name: text(item) for name, item in value.items()}, number, odd)


def _feature(value: _Object) -> dict[str, str]:
    found = {name: text(item) for name, item in value["properties"].items()}
    if "id" in value:
        found.setdefault("id", text(value["id"]))
    geometry = value.get("geometry")
    if isinstance(geometry, dict):
        coordinates = geometry.get("coordinates", geometry.get("geometries"))
        found["geometry_type"] = text(geometry.get("type"))
        found["geometry_coordinates"] = text(coordinates)
    return found


# -- one object a line -------------------------------------------------------------------


def _lines(stream: BinaryIO, codec: str) -> Iterator[Record]:
    """One record a line; a line that is no object is a record that does not fit."""
    number = 0
    for block in decode.blocks(stream, codec, escaped=True):
        for line in block.decode().split("\n"):
            number += 1
            if line.strip(_SPACE):
                yield _line_record(line.strip(_SPACE), number)
        number -= block.endswith(b"\n")


def _line_record(line: str, number: int) -> Record:
    odd = Record({}, number, json.dumps([line], ensure_ascii=False))
    try:
        value, end = _DECODER.raw_decode(line)
        return odd if line[end:].strip(_SPACE + ",") else _record(value, number)
    except (json.JSONDecodeError, RecursionError, RefusedError):
        return odd


# -- a document --------------------------------------------------------------------------


class _Scanner:
    """A JSON document, value by value, with no more of it in memory than one value."""

    def __init__(self, stream: BinaryIO, codec: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)(errors="replace")
        self._text = ""
        self._place = 0
        self._ended = False

    def _more(self, size: int = _PIECE) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        part = read_up_to(self._stream, size)
        self._ended = len(part) < size
        self._text = self._text[self._place :] + self._decoder.decode(part, self._ended)
        self._place = 0
        return True

    def peek(self) -> str:
        """The next character that is no space, which stays; empty at the end."""
        while True:
            while self._place < len(self._text):
                character = self._text[self._place]
                if character not in _SPACE:
                    return character
                self._place += 1
            if not self._more():
                return ""

    def take(self, expected: str) -> str:
        """The next character, which must be one of the expected."""
        character = self.peek()
        if not character or character not in expected:
            raise _broken()
        self._place += 1
        return character

    def value(self) -> Any:
        """The next value."""
        self.peek()
        size = _PIECE
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if len(self._text) - self._place > limits.RECORD_BYTES or not self._more(size):
                    raise _broken() from error
                size *= 2
                continue
            except RecursionError as error:
                raise _too_deep() from error
            if end == len(self._text) and self._more():
                continue
            self._place = end
            return value


def _broken() -> RefusedError:
    message = "JSON 文件格式有误或没有传完，请检查后重新导出报送。"
    return RefusedError("unreadable_file", message)


def _too_deep() -> RefusedError:
    return RefusedError("unreadable_file", "JSON 文件嵌套过深，请导出为一条记录一个对象后报送。")


def _array_path(
    member: Member, codec: str, mark: int, layout: Layout, findings: Findings
) -> str | None:
    """Path of the array that holds the records; None where the document is one record."""
    with member.open() as stream:
        read_up_to(stream, mark)
        scanner = _Scanner(stream, codec)
        if scanner.peek() == "[":
            return ""
        if scanner.peek() != "{":
            raise _broken()
        arrays: dict[str, int] = {}
        _walk(scanner, "", 0, lambda path, first: _note(arrays, path, first, layout))
    if not arrays:
        return None
    best = max(arrays, key=lambda path: arrays[path])
    for other in arrays.keys() - {best}:
        findings.skip(f"JSON 中的数组「{other}」：不是所选的记录，未读取。")
    if layout.record and not arrays[best]:
        message = f"JSON 中没有记录数组「{layout.record}」，请按约定导出后报送。"
        raise RefusedError("missing_record", message)
    return best


def _note(arrays: dict[str, int], path: str, first: Any, layout: Layout) -> None:
    if isinstance(first, dict):
        names = _record(first, 1).values.keys()
        hits = len(names & set(layout.headers))
        if layout.record:
            hits = int(path == layout.record or path.endswith(f".{layout.record}"))
        arrays[path] = hits


def _walk(scanner: _Scanner, path: str, depth: int, found: Callable[[str, Any], None]) -> None:
    """Go through an object and tell of each array in it, with its first element."""
    if depth > limits.JSON_DEPTH:
        raise _too_deep()
    scanner.take("{")
    if scanner.peek() == "}":
        scanner.take("}")
        return
    while True:
        name = scanner.value()
        if type(name) is not str:
            raise _broken()
        scanner.take(":")
        inner = f"{path}.{name}" if path else name
        opening = scanner.peek()
        if opening == "{":
            _walk(scanner, inner, depth + 1, found)
        elif opening == "[":
            scanner.take("[")
            for position, value in enumerate(_array(scanner)):
                if not position:
                    found(inner, value)
        else:
            scanner.value()
        if scanner.take(",}") == "}":
            return


def _array(scanner: _Scanner) -> Iterator[Any]:
    """The elements of an array whose bracket has been taken."""
    if scanner.peek() == "]":
        scanner.take("]")
        return
    while True:
        yield scanner.value()
        if scanner.take(",]") == "]":
            return


def _elements(scanner: _Scanner, path: str | None) -> Iterator[Record]:
    if path is None:
        yield _record(scanner.value(), 1)
    else:
        _enter(scanner, path)
        for number, value in enumerate(_array(scanner), 1):
            yield _record(value, number)
    if not path and scanner.peek():
        raise _broken()


def _enter(scanner: _Scanner, path: str) -> None:
    """Go to the first element of the array with that path."""
    if not path:
        scanner.take("[")
        return
    depth = 0
    here: list[str] = []
    scanner.take("{")
    while True:
        name = scanner.value()
        scanner.take(":")
        inner = ".".join([*here, name])
        opening = scanner.peek()
        if inner == path and opening == "[":
            scanner.take("[")
            return
        if opening == "{" and path.startswith(f"{inner}."):
            scanner.take("{")
            here.append(name)
            depth += 1
            continue
        scanner.value()
        while scanner.take(",}") == "}":
            here.pop()
