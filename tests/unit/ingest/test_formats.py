"""One table in every format, encoding and fault: the same texts and the right lines come back."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest import decode, parse
from pipelines.ingest.findings import MEMBER_LINES, SHEET_LINES, Findings
from pipelines.ingest.frames import DOOR_COLUMNS, LINE
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from quality.pandera_schemas import RAGGED
from tests.unit.ingest import corpus
from tests.unit.ingest.corpus import HEADERS, ROWS, TRADITIONAL, TRADITIONAL_HEADERS

TABLE = (HEADERS, *ROWS)
KNOWN = Layout(headers=HEADERS)
OPEN = Layout()


def read(path: Path, layout: Layout, findings: Findings | None = None) -> pl.DataFrame:
    return pl.concat(parse.read(path, layout, findings or Findings()))


def texts(frame: pl.DataFrame, headers: tuple[str, ...] = HEADERS) -> list[tuple[str, ...]]:
    return frame.select(headers).rows()


def refusal(path: Path, layout: Layout = OPEN) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        read(path, layout)
    return refused.value


# -- delimited ---------------------------------------------------------------------------

ENCODINGS = {
    "utf-8": ("utf-8", b""),
    "utf-8 with mark": ("utf-8", b"\xef\xbb\xbf"),
    "gb18030": ("gb18030", b""),
    "gbk": ("gbk", b""),
    "utf-16le with mark": ("utf-16le", b"\xff\xfe"),
    "utf-16be with mark": ("utf-16be", b"\xfe\xff"),
    "utf-16le": ("utf-16le", b""),
    "utf-16be": ("utf-16be", b""),
}
FOUND = {"gbk": "gb18030"}
LINE_ENDS = ("\n", "\r\n", "\r")
LINES = [2, 3, 5, 6]


@pytest.mark.parametrize("layout", [OPEN, KNOWN], ids=["open", "known"])
@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("delimiter", list(",\t|;^~\x01"), ids=repr)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_delimited_text_is_found_out(
    tmp_path: Path, encoding: str, delimiter: str, end: str, layout: Layout
) -> None:
    codec, mark = ENCODINGS[encoding]
    path = tmp_path / "x.dat"
    path.write_bytes(mark + corpus.csv_text(TABLE, delimiter, end).encode(codec))
    findings = Findings()
    frame = read(path, layout, findings)
    assert texts(frame) == list(ROWS)
    assert frame[LINE].to_list() == LINES
    assert not frame[RAGGED].any()
    assert (findings.encoding, findings.delimiter) == (FOUND.get(codec, codec), delimiter)
    assert (findings.header_line, findings.file_format) == (1, "csv")


@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
def test_big5_is_told_from_gbk(tmp_path: Path, end: str) -> None:
    rows = (TRADITIONAL_HEADERS, *TRADITIONAL)
    path = tmp_path / "x.csv"
    path.write_bytes(corpus.csv_text(rows, end=end).encode("big5"))
    findings = Findings()
    assert texts(read(path, OPEN, findings), TRADITIONAL_HEADERS) == list(TRADITIONAL)
    assert findings.encoding == "big5"


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "gb18030", "utf-8", "utf-16", "big5"])
def test_a_declared_encoding_is_used(tmp_path: Path, encoding: str) -> None:
    rows = (("甲", "乙"), ("大", "小"))
    path = tmp_path / "x.csv"
    path.write_bytes(corpus.csv_text(rows).encode(encoding))
    assert texts(read(path, Layout(encoding=encoding)), ("甲", "乙")) == [("大", "小")]


@pytest.mark.parametrize("delimiter", list(",|\t"), ids=repr)
@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
def test_quotes_escaped_with_a_backslash_are_found_out(
    tmp_path: Path, delimiter: str, end: str
) -> None:
    path = tmp_path / "x.csv"
    text = corpus.csv_text(TABLE, delimiter, end, csv.QUOTE_ALL, escaped=True)
    path.write_bytes(text.encode("gb18030"))
    findings = Findings()
    frame = read(path, OPEN, findings)
    assert texts(frame) == list(ROWS)
    assert frame[LINE].to_list() == LINES
    assert findings.quote == "escaped"


def test_a_null_of_mysql_is_nothing_and_not_the_letter_n(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes('编号,名称,备注\n1,\\N,"一\\"二\\""\n2,N,\\N\n'.encode())
    frame = read(path, Layout(headers=("编号", "名称", "备注")))
    assert texts(frame, ("编号", "名称", "备注")) == [("1", "", '一"二"'), ("2", "N", "")]


def test_backslashes_in_plain_text_are_text(tmp_path: Path) -> None:
    rows = [("路径", "说明"), ("C:\\数据\\a", "x"), ("\\\\服务器\\共享", 'y"z"')]
    path = tmp_path / "x.csv"
    path.write_text(corpus.csv_text(rows), "utf-8")
    assert texts(read(path, OPEN), ("路径", "说明")) == rows[1:]


def test_a_nul_stays_in_its_value(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("编号,名称\n1,沂\0河\n2,\0\n".encode())
    frame = read(path, OPEN)
    assert texts(frame, ("编号", "名称")) == [("1", "沂\0河"), ("2", "\0")]


def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    names = [f"列{i}" for i in range(10_000)]
    path = tmp_path / "x.csv"
    path.write_text(corpus.csv_text([names, list(map(str, range(10_000)))]), "utf-8")
    frame = read(path, OPEN)
    assert frame.width == 10_000 + len(DOOR_COLUMNS)
    assert frame["列9999"].to_list() == ["9999"]


def test_more_columns_than_a_sheet_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(",".join(f"c{i}" for i in range(20_000)) + "\n", "utf-8")
    assert refusal(path).rule == "too_many_columns"


def test_the_encoding_shows_however_late_the_first_chinese_character_comes(tmp_path: Path) -> None:
    """A head of 256 KB in plain ASCII says nothing."""
    path = tmp_path / "x.csv"
    rows = [("code", "name"), *((str(i), "abcdefgh") for i in range(30_000)), ("1", "临沂市兰山区")]
    path.write_bytes(corpus.csv_text(rows).encode("gb18030"))
    findings = Findings()
    assert read(path, OPEN, findings)["name"].to_list()[-1] == "临沂市兰山区"
    assert findings.encoding == "gb18030"


def test_one_bad_byte_does_not_turn_utf8_into_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("编号,名称\n1,沂河\n2,蒙山".encode() + b"\xb0\n")
    findings = Findings()
    assert read(path, OPEN, findings)["名称"].to_list() == ["沂河", "蒙山\ufffd"]
    assert findings.encoding == "utf-8"


TRAILING = "编号,名称,\n1,沂河,\n2,蒙山,\n3,沭河,\n"


@pytest.mark.parametrize("content", [TRAILING, TRAILING.replace("名称,", "名称")])
def test_a_delimiter_behind_the_last_value_is_no_ragged_row(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content, "utf-8")
    frame = read(path, OPEN)
    assert not frame[RAGGED].any()
    assert frame["名称"].to_list() == ["沂河", "蒙山", "沭河"]


CHARACTERS = st.sampled_from("ab甲沂河，。；0 1\"'\\\n\r,\t|;^")
VALUES = st.text(CHARACTERS, max_size=6)


@settings(max_examples=250)
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=8),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    delimiter=st.sampled_from(list(",\t|;^")),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    escaped=st.booleans(),
    size=st.sampled_from([1, 3, 17, 1 << 20]),
)
def test_what_is_written_in_any_dialect_is_read_back(
    tmp_path: Path,
    rows: list[tuple[str, str, str]],
    encoding: str,
    delimiter: str,
    end: str,
    quoting: int,
    escaped: bool,
    size: int,
) -> None:
    """Encoding and delimiter declared; that the quotes are escaped is found out, or not needed."""
    codec, mark = ENCODINGS[encoding]
    if escaped and not any('"' in text for row in rows for text in row):
        escaped = False
    text = corpus.csv_text([HEADERS, *rows], delimiter, end, quoting, escaped)
    path = tmp_path / "x.csv"
    path.write_bytes(mark + text.encode(codec))
    layout = Layout("csv", codec, delimiter, headers=HEADERS)
    dialect = parse.delimited.Dialect(delimiter, escaped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "BLOCK_BYTES", size)
        patch.setattr(parse.delimited, "find_dialect", lambda *_: dialect)
        frames = list(parse.read(path, layout, Findings()))
    got = [row for frame in frames for row in texts(frame)]
    assert got == [row for row in rows if any(value.strip() for value in row)]


# -- titles, sums, two header rows -------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """What stands in a file besides the table, and what the door must say about it."""

    name: str
    rows: list[list[str]]
    headers: tuple[str, ...]
    expected: list[tuple[str, ...]]
    lines: list[int]
    totals: list[int] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    blanks: int = 0
    titles: int = 0


SIMPLE = ("县区", "人口", "面积")
WIDE = (*SIMPLE, "在册")
FAULTS = [
    Fault(
        "title rows",
        [["临沂市人口统计表", "", ""], ["单位：万人", "", ""], list(SIMPLE),
         ["兰山区", "184", "888"], ["罗庄区", "66", "569"]],
        SIMPLE, [("兰山区", "184", "888"), ("罗庄区", "66", "569")], [4, 5], titles=2,
    ),
    Fault(
        "a row of sums below, of parts in between",
        [list(SIMPLE), ["兰山区", "184", "888"], ["小计", "184", "888"],
         ["罗庄区", "66", "569"], ["合 计", "250.00", "1,457"], ["", "总计", ""]],
        SIMPLE, [("兰山区", "184", "888"), ("罗庄区", "66", "569")], [2, 4], totals=[3, 5, 6],
    ),
    Fault(
        "a sum with a text behind it is a row",
        [list(SIMPLE), ["合计", "按户籍", "888"], ["会计", "1", "2"]],
        SIMPLE, [("合计", "按户籍", "888"), ("会计", "1", "2")], [2, 3],
    ),
    Fault(
        "blank rows at the end and in between",
        [list(SIMPLE), ["兰山区", "184", "888"], ["", "", ""], ["罗庄区", "66", "569"],
         ["", " ", ""], ["", "", ""]],
        SIMPLE, [("兰山区", "184", "888"), ("罗庄区", "66", "569")], [2, 4], blanks=3,
    ),
    Fault(
        "signatures and notes below, in one cell and in several",
        [[*WIDE], ["兰山区", "184", "888", "是"], ["填表人：王小明", "", "审 核 人：", ""],
         ["注：人口为万人。", "", "", ""], ["", "填报日期:", "2026-03-05", ""]],
        WIDE, [("兰山区", "184", "888", "是")], [2], notes=[3, 4, 5],
    ),
    Fault(
        "rows that begin like a note and say more than a note does",
        [[*WIDE], ["备注：老城", "184", "888", "是"], ["注：老城", "184", "", ""],
         ["说明书", "", "", ""], ["单位：", "甲", "乙", ""]],
        WIDE, [("备注：老城", "184", "888", "是"), ("注：老城", "184", "", ""),
               ("说明书", "", "", ""), ("单位：", "甲", "乙", "")], [2, 3, 4, 5],
    ),
    Fault(
        "the header again at each break of a page",
        [[*SIMPLE], ["兰山区", "184", "888"], [*SIMPLE], ["罗庄区", "66", "569"],
         ["县区", "66", "面积"]],
        SIMPLE, [("兰山区", "184", "888"), ("罗庄区", "66", "569"), ("县区", "66", "面积")],
        [2, 4, 5], again=[3],
    ),
    Fault(
        "a header of two rows",
        [["县区", "人口", "", "面积"], ["", "男", "女", ""], ["兰山区", "90", "94", "888"],
         ["罗庄区", "33", "33", "569"]],
        ("县区", "人口_男", "人口_女", "面积"),
        [("兰山区", "90", "94", "888"), ("罗庄区", "33", "33", "569")], [3, 4],
    ),
    Fault(
        "a title above a header of two rows, sums below",
        [["人口统计表", "", "", ""], ["县区", "人口", "", "面积"], ["", "男", "女", ""],
         ["兰山区", "90", "94", "888"], ["合计", "90", "94", "888"]],
        ("县区", "人口_男", "人口_女", "面积"), [("兰山区", "90", "94", "888")], [4],
        totals=[5], titles=1,
    ),
]  # fmt: skip


def _as_csv(path: Path, rows: list[list[str]]) -> None:
    path.write_bytes(corpus.csv_text(rows).encode("gb18030"))


def _as_xlsx(path: Path, rows: list[list[str]]) -> None:
    corpus.xlsx(path, {"数据": rows})


def _as_html(path: Path, rows: list[list[str]]) -> None:
    path.write_text(corpus.html_text(rows), "utf-8")


def test_a_signature_without_delimiters_is_no_ragged_row(tmp_path: Path) -> None:
    """It would be quarantined as misshapen, and the department asked to mend it."""
    path = tmp_path / "x.csv"
    path.write_text("县区,人口,面积\n兰山区,184,888\n填表人：王小明\n兰山区,184\n", "utf-8")
    findings = Findings()
    frame = read(path, OPEN, findings)
    assert frame[LINE].to_list() == [2, 4]
    assert frame["_ragged"].to_list() == [False, True]
    assert findings.note_row_lines == [3]


@pytest.mark.parametrize("known", [False, True], ids=["open", "known"])
@pytest.mark.parametrize("write", [_as_csv, _as_xlsx, _as_html])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_stands_around_a_table_is_no_row_of_it(
    tmp_path: Path,
    fault: Fault,
    write: Callable[[Path, list[list[str]]], None],
    known: bool,
) -> None:
    path = tmp_path / "x.xls"
    write(path, fault.rows)
    findings = Findings()
    frame = read(path, Layout(headers=fault.headers) if known else OPEN, findings)
    assert texts(frame, fault.headers) == fault.expected
    assert frame[LINE].to_list() == fault.lines
    assert findings.total_row_lines == fault.totals
    assert findings.total_rows == len(fault.totals)
    assert findings.note_row_lines == fault.notes
    assert findings.note_rows == len(fault.notes)
    assert findings.repeated_header_lines == fault.again
    assert findings.repeated_headers == len(fault.again)
    assert findings.title_rows == fault.titles
    if write is not _as_xlsx:  # a sheet ends with its last value
        assert findings.blank_records == fault.blanks


# -- other formats -----------------------------------------------------------------------

Write = Callable[[Path], object]
HOLDING: dict[str, tuple[Write, str, list[int]]] = {
    "xlsx": (lambda p: corpus.xlsx(p, {"数据": TABLE}), "workbook", [2, 3, 4, 5]),
    "xls": (lambda p: corpus.xls(p, {"数据": TABLE}), "workbook", [2, 3, 4, 5]),
    "ods": (lambda p: corpus.ods(p, {"数据": TABLE}), "workbook", [2, 3, 4, 5]),
    "html": (lambda p: p.write_text(corpus.html_text(TABLE), "utf-8"), "html", [2, 3, 4, 5]),
    "html in GBK": (
        lambda p: p.write_bytes(corpus.html_text(TABLE, "gb2312").encode("gbk")),
        "html", [2, 3, 4, 5],
    ),
    "json": (lambda p: p.write_text(corpus.json_text(TABLE), "utf-8"), "json", [1, 2, 3, 4]),
    "json in GBK": (
        lambda p: p.write_bytes(corpus.json_text(TABLE).encode("gbk")), "json", [1, 2, 3, 4],
    ),
    "json in UTF-16": (
        lambda p: p.write_bytes(corpus.json_text(TABLE).encode("utf-16")), "json", [1, 2, 3, 4],
    ),
    "json in an answer": (
        lambda p: p.write_text(
            f'{{"code":0,"data":{{"total":4,"none":[],"list":{corpus.json_text(TABLE)}}}}}', "utf-8"
        ),
        "json", [1, 2, 3, 4],
    ),
    "geojson": (
        lambda p: p.write_text(corpus.geojson_text(TABLE), "utf-8"), "geojson", [1, 2, 3, 4],
    ),
    "ndjson": (lambda p: p.write_text(corpus.ndjson_text(TABLE), "utf-8"), "ndjson", [1, 2, 3, 4]),
    "xml": (lambda p: p.write_text(corpus.xml_text(TABLE), "utf-8"), "xml", [1, 2, 3, 4]),
    "xml in GBK": (
        lambda p: p.write_bytes(corpus.xml_text(TABLE, "GBK").encode("gbk")), "xml", [1, 2, 3, 4],
    ),
    "xml in UTF-16": (
        lambda p: p.write_bytes(corpus.xml_text(TABLE, "UTF-16").encode("utf-16")),
        "xml", [1, 2, 3, 4],
    ),
    "parquet": (lambda p: corpus.parquet(p, TABLE), "parquet", [1, 2, 3, 4]),
}  # fmt: skip
ENDINGS = (".xls", ".csv", ".dat")


@pytest.mark.parametrize("layout", [OPEN, KNOWN], ids=["open", "known"])
@pytest.mark.parametrize("form", HOLDING)
def test_the_content_decides_and_not_the_name(tmp_path: Path, form: str, layout: Layout) -> None:
    write, kind, lines = HOLDING[form]
    for ending in ENDINGS:
        path = tmp_path / f"x{ending}"
        write(path)
        findings = Findings()
        frame = read(path, layout, findings)
        assert texts(frame) == list(ROWS)
        assert frame[LINE].to_list() == lines
        assert findings.file_format == kind


@pytest.mark.parametrize("form", HOLDING)
def test_a_packed_file_reads_like_the_file(tmp_path: Path, form: str) -> None:
    write, kind, lines = HOLDING[form]
    plain = tmp_path / "x"
    write(plain)
    packed, archive = tmp_path / "x.csv.gz", tmp_path / "x.zip"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    corpus.zipped(archive, {"报送数据.dat": plain.read_bytes()}, "gbk")
    for path, container in ((packed, "gzip"), (archive, "zip")):
        findings = Findings()
        frame = read(path, OPEN, findings)
        assert texts(frame) == list(ROWS)
        assert frame[LINE].to_list() == lines
        assert (findings.file_format, findings.container) == (kind, container)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
def test_fixed_width_counts_two_for_a_chinese_character(
    tmp_path: Path, encoding: str, end: str
) -> None:
    rows = [(HEADERS), ("371302", "沂河管理处", "末"), ("1", "", ""), ("22", "蒙山Ａ", "x y")]
    path = tmp_path / "x.txt"
    path.write_bytes(corpus.fixed_text(rows, (8, 14, 6), end).encode(encoding))
    findings = Findings()
    frame = read(path, Layout("fixed", headers=HEADERS, widths=(8, 14, 6)), findings)
    assert texts(frame) == rows[1:]
    assert frame[LINE].to_list() == [2, 3, 4]
    assert not frame[RAGGED].any()


# -- several tables of one dataset -------------------------------------------------------


def test_members_with_the_same_header_are_one_delivery(tmp_path: Path) -> None:
    """The columns of the second stand in another order; the third is another dataset's."""
    turned = [tuple(reversed(row)) for row in TABLE]
    path = corpus.zipped(
        tmp_path / "x.zip",
        {
            "一月.csv": corpus.csv_text(TABLE).encode("gb18030"),
            "二月.csv": corpus.csv_text(turned, ";").encode(),
            "别的.csv": corpus.csv_text([("甲", "乙"), ("1", "2")]).encode(),
            "说明.docx": b"PK",
        },
        "gbk",
    )
    for layout in (OPEN, KNOWN):
        findings = Findings()
        frame = read(path, layout, findings)
        assert texts(frame) == [*ROWS, *ROWS]
        assert frame[LINE].to_list() == [*LINES, *(MEMBER_LINES + line for line in LINES)]
        assert [part.member for part in findings.parts] == ["一月.csv", "二月.csv"]
        assert any("别的.csv" in note for note in findings.skipped)
        assert any("说明.docx" in note for note in findings.skipped)


def test_sheets_with_the_same_header_are_one_delivery(tmp_path: Path) -> None:
    sheets = {
        "说明": [("本表由统计科填报",)],
        "2023": TABLE,
        "旧": TABLE,
        "2024": [("标题", "", ""), *TABLE],
        "汇总": [("县区", "合计"), ("兰山区", "1")],
    }
    path = corpus.xlsx(tmp_path / "x.xlsx", sheets, hidden=["旧"])
    for layout in (OPEN, KNOWN):
        findings = Findings()
        frame = read(path, layout, findings)
        assert texts(frame) == [*ROWS, *ROWS]
        assert frame[LINE].to_list() == [2, 3, 4, 5, *(SHEET_LINES + i for i in (3, 4, 5, 6))]
        assert [part.sheet for part in findings.parts] == ["2023", "2024"]
        notes = "".join(findings.skipped)
        assert all(f"「{name}」" in notes for name in ("说明", "旧", "汇总"))


@pytest.mark.parametrize("write", [
    corpus.xlsx,
    lambda path, tables: corpus.zipped(
        path, {f"{name}.csv": corpus.csv_text(rows).encode() for name, rows in tables.items()}
    ),
], ids=["sheets", "members"])  # fmt: skip
def test_a_part_whose_header_is_nearly_right_is_not_left_out(
    tmp_path: Path, write: Callable[[Path, dict[str, corpus.Rows]], Path]
) -> None:
    """Left out, a year's rows would be gone and nobody would see it."""
    broken = [("编号", "单位名", "备注"), *ROWS]
    path = write(tmp_path / "x.dat", {"2023": TABLE, "2024": broken})
    found = refusal(path, KNOWN)
    assert found.rule == "wrong_header"
    assert "2024" in found.message
    assert "单位名称" in found.message
