"""Text whose fields have fixed widths → a table.

Belongs here: cutting lines by widths. Does not belong here: bytes and encodings (`decode`).

Widths count columns as the systems that write such files do: a Chinese character takes two.
That is what they take in GB18030, so lines are cut there, whatever the encoding of the file. The
blanks that fill a field up are no part of its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import polars as pl

from pipelines.ingest import decode, gb18030, header, sniff
from pipelines.ingest.container import Member, read_up_to
from pipelines.ingest.frames import CHUNK_ROWS, ROW, Table, column_names, with_door_columns
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from quality.pandera_schemas import RAGGED

_LINE_END = re.compile(rb"\r\n?|\n")


def table(member: Member, head: bytes, encoding: sniff.Encoding, layout: Layout) -> Table:
    """The table of a fixed-width text.

    Raises:
        RefusedError: the layout gives no widths, or the text is empty.
    """
    if not layout.widths:
        message = "定长文件需要在数据合同中写明各字段宽度（widths）。"
        raise RefusedError("no_widths", message)
    codec = sniff.python_codec(encoding.name)
    text = decode.text(head[encoding.mark :], codec)
    lines = text.splitlines()[: header.HEAD_ROWS]
    if not any(line.strip() for line in lines):
        raise RefusedError("empty_file", "文件没有内容，请重新导出后报送。")
    rows = [_cut(line.encode("gb18030", errors="replace"), layout.widths) for line in lines]
    found = header.find_header(rows, layout)
    first = found.first + found.rows
    names = column_names(found.names)
    if len(names) != len(layout.widths):
        names = [*names, *(f"#{i}" for i in range(len(names), len(layout.widths)))]

    def frames() -> Iterator[pl.DataFrame]:
        line = 1
        with member.open() as stream:
            read_up_to(stream, encoding.mark)
            for block in decode.blocks(stream, codec):
                lines = _LINE_END.split(block)
                if not lines[-1]:
                    lines.pop()
                for start in range(max(first - line + 1, 0), len(lines), CHUNK_ROWS):
                    part = lines[start : start + CHUNK_ROWS]
                    yield _frame(part, line + start, names, layout.widths)
                line += len(lines)

    return Table(
        found,
        found.first + 1 if found.rows else None,
        frames,
        facts={"encoding": encoding.name},
        certainty={"encoding": encoding.certainty, "header": found.certainty},
    )


def _cut(line: bytes, widths: tuple[int, ...]) -> list[str]:
    fields, start = [], 0
    for width in widths:
        fields.append(line[start : start + width].decode("gb18030", errors="replace").strip())
        start += width
    return fields


def _frame(
    lines: list[bytes], line: int, names: list[str], widths: tuple[int, ...]
) -> pl.DataFrame:
    total = sum(widths)
    text = b"\n".join(lines).decode()
    cut = pl.Series(text.encode("gb18030", errors="replace").split(b"\n"), dtype=pl.Binary).bin
    sizes = cut.size()
    rest = _texts(cut.slice(total))
    columns, start = [], 0
    for name, width in zip(names, widths, strict=True):
        columns.append(_texts(cut.slice(start, width)).alias(name))
        start += width
    frame = pl.DataFrame(columns)
    is_blank = pl.Series(lines, dtype=pl.Binary).bin.size() == 0
    ragged = ((rest != "") | (sizes <= total - widths[-1])) & ~is_blank
    marked = with_door_columns(frame, pl.int_range(line, line + len(lines), eager=True))
    if not ragged.any():
        return marked
    whole = [
        json.dumps([*fields, more] if more else list(fields), ensure_ascii=False) if odd else None
        for odd, fields, more in zip(ragged, frame.iter_rows(), rest, strict=True)
    ]
    return marked.with_columns(ragged.alias(RAGGED), pl.Series(ROW, whole, dtype=pl.String))


def _texts(values: pl.Series) -> pl.Series:
    """Pieces of GB18030 as texts, without the blanks that fill them up."""
    joined = gb18030.to_utf8(b"\n".join(values.to_list())).decode()
    return pl.Series(joined.split("\n"), dtype=pl.String).str.strip_chars(" ")
