"""One small logical table, written in every format the door reads.

Belongs here: writers of files, some of them byte by byte, since no library writes such files any
more. Does not belong here: what the door should make of them.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape as xml_escape

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

Rows = Sequence[Sequence[str]]

HEADERS = ("编号", "单位名称", "备注")
ROWS: tuple[tuple[str, ...], ...] = (
    ("371302001", "沂河“大桥”管理处", '甲,乙|丙;丁\t戊^己 5" 管'),
    ("0012", "", "第一行\n第二行"),
    ("A-3", "（全角）１２３", "临沂市兰山区金雀山街道"),
    ("=1+1", "'91371300", "末"),
)
TRADITIONAL_HEADERS = ("編號", "單位名稱", "備註")
TRADITIONAL: tuple[tuple[str, ...], ...] = (
    ("1", "臺北市政府財政局", "註冊資金,單位:萬元"),
    ("2", "", "新竹縣\n竹北市"),
    ("3", "高雄市環境保護局", "電話號碼"),
)


def csv_text(
    rows: Rows,
    delimiter: str = ",",
    end: str = "\n",
    quoting: int = csv.QUOTE_MINIMAL,
    escaped: bool = False,
) -> str:
    """Rows, the header first, as delimited text; line breaks inside values as they are."""
    if end == "\r" and quoting == csv.QUOTE_MINIMAL:
        quoting = csv.QUOTE_ALL  # Python's writer leaves a line feed bare there
    buffer = io.StringIO()
    writer = csv.writer(
        buffer, delimiter=delimiter, lineterminator=end, quoting=quoting,
        doublequote=not escaped, escapechar="\\" if escaped else None,
    )  # fmt: skip
    writer.writerows(rows)
    return buffer.getvalue()


def fixed_text(rows: Rows, widths: Sequence[int], end: str = "\r\n") -> str:
    """Rows with each field filled up to its width, a Chinese character counting two."""
    lines = []
    for row in rows:
        fields = (
            text + " " * (width - len(text.encode("gb18030")))
            for text, width in zip(row, widths, strict=True)
        )
        lines.append("".join(fields))
    return end.join(lines) + end


def xlsx(path: Path, sheets: dict[str, Rows], hidden: Sequence[str] = ()) -> Path:
    """Text cells; a sheet a name."""
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for number, row in enumerate(rows):
                for position, text in enumerate(row):
                    sheet.write_string(number, position, text)
    return path


def ods(path: Path, sheets: dict[str, Rows]) -> Path:
    """An OpenDocument spreadsheet, trailing blanks repeated as LibreOffice writes them."""
    tables = []
    for name, rows in sheets.items():
        body = "".join(
            "<table:table-row>"
            + "".join(
                f'<table:table-cell office:value-type="string">{_paragraphs(text)}'
                "</table:table-cell>"
                for text in row
            )
            + '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
            for row in rows
        )
        blank = (
            '<table:table-row table:number-rows-repeated="1048000">'
            '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
        )
        tables.append(f'<table:table table:name="{name}">{body}{blank}</table:table>')
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
        f"<office:body><office:spreadsheet>{''.join(tables)}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest/>')
    return path


def _paragraphs(text: str) -> str:
    return "".join(f"<text:p>{xml_escape(line)}</text:p>" for line in text.split("\n"))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _biff_text(text: str, wide: bool) -> bytes:
    length = struct.pack("<H" if wide else "<B", len(text.encode("utf-16-le")) // 2)
    return length + b"\x01" + text.encode("utf-16-le")


def xls(path: Path, sheets: dict[str, Rows]) -> Path:
    """A real .xls: BIFF8 in a compound file."""
    bof = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    bodies = []
    for rows in sheets.values():
        body = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
        width = max(map(len, rows))
        body += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
        for number, row in enumerate(rows):
            for position, text in enumerate(row):
                place = struct.pack("<HHH", number, position, 0)
                body += _record(0x0204, place + _biff_text(text, True))
        bodies.append(body + _record(0x000A, b""))
    names = [_biff_text(name, False) for name in sheets]
    start = len(_record(0x0809, bof)) + len(_record(0x0042, b"\xb0\x04")) + 4
    start += sum(len(_record(0x0085, b"\0" * 6 + name)) for name in names)
    stream = _record(0x0809, bof) + _record(0x0042, b"\xb0\x04")
    for name, body in zip(names, bodies, strict=True):
        stream += _record(0x0085, struct.pack("<IBB", start, 0, 0) + name)
        start += len(body)
    stream += _record(0x000A, b"") + b"".join(bodies)
    path.write_bytes(compound_file("Workbook", stream))
    return path


def compound_file(name: str, stream: bytes) -> bytes:
    """One stream in a compound file of 512-byte sectors: FAT, directory, then the stream."""
    stream += b"\0" * (max(4096, -(-len(stream) // 512) * 512) - len(stream))
    sectors = len(stream) // 512
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    fat = [0xFFFFFFFD, end, *range(3, 2 + sectors), end]
    assert len(fat) <= 128
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\0" * 16, 0x3E, 3,
        0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0, 0,
    )  # fmt: skip
    header += struct.pack("<108I", *[free] * 108)

    def entry(title: str, kind: int, child: int, first: int, size: int) -> bytes:
        raw = title.encode("utf-16-le") + b"\0\0" if title else b""
        return struct.pack(
            "<64sHBBIII16sIQQIQ", raw, len(raw), kind, 1, free, free, child, b"\0" * 16, 0, 0, 0,
            first, size,
        )  # fmt: skip

    directory = entry("Root Entry", 5, 1, end, 0) + entry(name, 2, free, 2, len(stream))
    directory += entry("", 0, free, 0, 0) * 2
    table = struct.pack("<128I", *fat, *[free] * (128 - len(fat)))
    return header[:512] + table + directory + stream


def html_text(rows: Rows, charset: str = "utf-8") -> str:
    """A page as report tools send it under the name .xls."""
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(text).replace(chr(10), '<br>')}</td>" for text in row)
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<html><head><meta charset="{charset}"><style>td {{}}</style></head>'
        f"<body><table>{body}</table></body></html>"
    )


def records(rows: Rows) -> list[dict[str, str]]:
    """The rows behind the header as objects."""
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def json_text(rows: Rows) -> str:
    """An array of objects."""
    return json.dumps(records(rows), ensure_ascii=False)


def geojson_text(rows: Rows) -> str:
    """Features on points."""
    features = [
        {
            "type": "Feature",
            "properties": record,
            "geometry": {"type": "Point", "coordinates": [118.35, 35.05]},
        }
        for record in records(rows)
    ]
    document = {"type": "FeatureCollection", "crs": {"name": "x"}, "features": features}
    return json.dumps(document, ensure_ascii=False)


def ndjson_text(rows: Rows) -> str:
    """An object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records(rows))


def xml_text(rows: Rows, encoding: str = "UTF-8") -> str:
    """Records of elements."""
    body = "".join(
        "<记录>"
        + "".join(f"<{name}>{xml_escape(text)}</{name}>" for name, text in record.items())
        + "</记录>\n"
        for record in records(rows)
    )
    return f'<?xml version="1.0" encoding="{encoding}"?>\n<数据><说明>x</说明>{body}</数据>'


def parquet(path: Path, rows: Rows) -> Path:
    """Columns of text."""
    columns: dict[str, Any] = {
        name: [row[position] for row in rows[1:]] for position, name in enumerate(rows[0])
    }
    pq.write_table(pa.table(columns), path)
    return path


def zipped(path: Path, members: dict[str, bytes], encoding: str | None = None) -> Path:
    """A zip archive; with an encoding, its names are written in it and not said to be so."""
    places = {name: name for name in members}
    if encoding:
        sizes = {name: len(name.encode(encoding)) for name in members}
        places = {name: chr(65 + i) * sizes[name] for i, name in enumerate(members)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(places[name], content)
    if encoding:
        data = path.read_bytes()
        for name, place in places.items():
            data = data.replace(place.encode(), name.encode(encoding))
        path.write_bytes(data)
    return path
