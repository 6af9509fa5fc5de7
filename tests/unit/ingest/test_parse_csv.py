"""CSV: encodings, records, line numbers and shapes, whatever the block borders."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.ingest import decode, limits, parse
from pipelines.ingest.parse import LINE, ROW, Findings
from pipelines.ingest.refusal import RefusedError
from quality.contract import Contract
from quality.pandera_schemas import RAGGED
from tests.conftest import MakeContract

ABC = [{"name": "a", "physicalName": "甲"}, {"name": "b", "physicalName": "乙"}]


class Quiet:
    """A fixture's value that a failing property does not print in full."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract


@pytest.fixture(scope="module")
def utf8(make_contract: MakeContract) -> Contract:
    return make_contract(ABC)


@pytest.fixture(scope="module")
def gb18030(make_contract: MakeContract) -> Contract:
    return make_contract(ABC, server={"encoding": "gb18030"})


@pytest.fixture(scope="module")
def quiet(utf8: Contract) -> Quiet:
    return Quiet(utf8)


@pytest.fixture(scope="module")
def quiet_gb18030(gb18030: Contract) -> Quiet:
    return Quiet(gb18030)


@pytest.fixture(scope="module")
def piped(make_contract: MakeContract) -> Contract:
    return make_contract(ABC, server={"encoding": "gb18030", "delimiter": "|"})


@pytest.fixture(autouse=True)
def folder() -> Any:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def read(
    folder: Path, contract: Contract, content: bytes, findings: Findings | None = None
) -> pl.DataFrame:
    path = folder / "delivery.csv"
    path.write_bytes(content)
    return pl.concat(
        [
            pl.DataFrame(schema={"甲": str, "乙": str, LINE: int, RAGGED: bool, ROW: str}),
            *parse.chunks(path, contract, findings or Findings()),
        ]
    )


def rows(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return frame.select("甲", "乙", LINE).rows()


def refusal(folder: Path, contract: Contract, content: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        read(folder, contract, content)
    return refused.value


# -- encodings ---------------------------------------------------------------------------


def test_a_byte_order_mark_is_no_part_of_the_first_header(folder: Path, utf8: Contract) -> None:
    frame = read(folder, utf8, "\ufeff甲,乙\n一,二\n".encode())
    assert rows(frame) == [("一", "二", 2)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_ends_a_line(folder: Path, utf8: Contract, end: str) -> None:
    """A file from an old Mac must not read as no rows at all."""
    frame = read(folder, utf8, end.join(["甲,乙", "一,二", "三,四", ""]).encode())
    assert rows(frame) == [("一", "二", 2), ("三", "四", 3)]


def test_the_last_line_needs_no_end(folder: Path, utf8: Contract) -> None:
    assert rows(read(folder, utf8, "甲,乙\n一,二".encode())) == [("一", "二", 2)]


def test_gb18030_reads_rare_characters(folder: Path, gb18030: Contract) -> None:
    frame = read(folder, gb18030, "甲,乙\n㐂𠮷,张·三\n".encode("gb18030"))
    assert rows(frame) == [("㐂𠮷", "张·三", 2)]


TRAILING = "倈亅廀"
"""Characters whose second GB18030 byte is an ASCII character; 亅 ends in `|`."""


def test_a_delimiter_as_second_byte_of_a_character_is_no_delimiter(
    folder: Path, piped: Contract
) -> None:
    assert b"|" in TRAILING.encode("gb18030")
    frame = read(folder, piped, f"甲|乙\n{TRAILING}|二\n三|{TRAILING}\n".encode("gb18030"))
    assert rows(frame) == [(TRAILING, "二", 2), ("三", TRAILING, 3)]


@pytest.mark.parametrize("size", range(1, 24))
def test_no_character_is_cut_by_a_block_border(
    folder: Path, piped: Contract, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(decode, "BLOCK_BYTES", size)
    expected = [(TRAILING, "𠮷|"[0], 2), ("三", "四", 3)]
    frame = read(folder, piped, f"甲|乙\n{TRAILING}|𠮷\n三|四\n".encode("gb18030"))
    assert rows(frame) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_undecodable_bytes_are_kept_visible_and_cost_no_other_row(
    folder: Path, utf8: Contract, gb18030: Contract, encoding: str
) -> None:
    contract = utf8 if encoding == "utf-8" else gb18030
    content = "甲,乙\n一,二\n".encode(encoding) + b"\xff\xff,x\n" + "三,四\n".encode(encoding)
    frame = read(folder, contract, content)
    assert rows(frame)[0::2] == [("一", "二", 2), ("三", "四", 4)]
    assert "\ufffd" in frame["甲"][1]
    assert frame["乙"][1] == "x"


def test_a_header_in_the_other_encoding_names_both(
    folder: Path, utf8: Contract, gb18030: Contract
) -> None:
    text = "甲,乙\n一,二\n"
    found = refusal(folder, utf8, text.encode("gb18030"))
    assert found.rule == "wrong_header"
    assert "文件编码是 GB18030，约定为 UTF-8" in found.message
    found = refusal(folder, gb18030, text.encode())
    assert "文件编码是 UTF-8，约定为 GB18030" in found.message


# -- header ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["乙,甲", "备注,乙,甲", "乙,,甲", ",乙,甲,", " 乙 ,\u3000甲", '"乙","甲"', "乙,x,x,甲"],
)
def test_columns_are_found_by_header_and_not_by_place(
    folder: Path, utf8: Contract, header: str
) -> None:
    values = ["二" if "乙" in h else "一" if "甲" in h else "别" for h in header.split(",")]
    frame = read(folder, utf8, f"{header}\n{','.join(values)}\n".encode())
    assert rows(frame) == [("一", "二", 2)]
    assert not frame[RAGGED].any()


def test_an_extra_column_is_told_and_not_loaded(folder: Path, utf8: Contract) -> None:
    findings = Findings()
    frame = read(folder, utf8, "甲,备注,乙\n一,密,二\n".encode(), findings)
    assert findings.unexpected_headers == ["备注"]
    assert set(frame.columns) == {"甲", "乙", LINE, RAGGED, ROW}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("\n甲,乙\n一,二\n", 3),
        ("标题\n甲,乙\n一,二\n", 3),
        ("标题,\n\n甲,乙\n一,二\n", 4),
        ('"两行的\n标题",\n甲,乙\n一,二\n', 4),
    ],
)
def test_titles_above_the_header_are_no_rows(
    folder: Path, utf8: Contract, content: str, line: int
) -> None:
    assert rows(read(folder, utf8, content.encode())) == [("一", "二", line)]


@pytest.mark.parametrize("content", ["甲,丙\n一,二\n", "一,二\n三,四\n", "标题\n甲,丙\n"])
def test_a_missing_header_is_named(folder: Path, utf8: Contract, content: str) -> None:
    found = refusal(folder, utf8, content.encode())
    assert found.rule == "wrong_header"
    assert "乙" in found.message.split("。")[0]


def test_a_header_twice_is_not_guessed(folder: Path, utf8: Contract) -> None:
    found = refusal(folder, utf8, "甲,乙,甲\n一,二,三\n".encode())
    assert "表头重复：甲" in found.message


def test_a_refusal_never_shows_a_value(folder: Path, utf8: Contract) -> None:
    """A file without a header has a person in its first line."""
    found = refusal(folder, utf8, "张三,11010519491231002X\n李四,x\n".encode())
    assert "张三" not in str(found)
    assert "1101" not in str(found)


def test_a_header_over_two_lines_counts_two_lines(
    folder: Path, make_contract: MakeContract
) -> None:
    contract = make_contract(
        [{"name": "a", "physicalName": "甲"}, {"name": "b", "physicalName": "乙"}]
    )
    frame = read(folder, contract, '甲,乙,"备\n注"\n一,二,三\n'.encode())
    assert rows(frame) == [("一", "二", 3)]


def test_an_empty_file_is_refused(folder: Path, utf8: Contract) -> None:
    assert refusal(folder, utf8, b"").rule == "empty_file"


@pytest.mark.parametrize("content", ["甲,乙", "甲,乙\n", "\ufeff甲,乙\r\n", "甲,乙\n\n\n"])
def test_a_header_alone_is_a_delivery_of_no_rows(
    folder: Path, utf8: Contract, content: str
) -> None:
    assert read(folder, utf8, content.encode()).height == 0


# -- records -----------------------------------------------------------------------------


def test_ragged_rows_are_marked_kept_whole_and_cost_no_other_row(
    folder: Path, utf8: Contract
) -> None:
    frame = read(folder, utf8, "甲,乙\n一,二\n只有\n一,二,三\n四,五\n".encode())
    assert frame[RAGGED].to_list() == [False, True, True, False]
    assert frame[LINE].to_list() == [2, 3, 4, 5]
    kept = [json.loads(row) if row else None for row in frame[ROW]]
    assert kept == [None, ["只有"], ["一", "二", "三"], None]


def test_blank_records_are_counted_and_are_no_rows(folder: Path, utf8: Contract) -> None:
    findings = Findings()
    content = "甲,乙\n\n一,二\n,\n \t,\u3000\n三,四\n\n\n".encode()
    assert rows(read(folder, utf8, content, findings)) == [("一", "二", 3), ("三", "四", 6)]
    assert findings.blank_records >= 3


def test_a_record_with_one_value_is_a_row(folder: Path, utf8: Contract) -> None:
    assert rows(read(folder, utf8, "甲,乙\n,二\n".encode())) == [("", "二", 2)]


def test_quotes_inside_a_plain_field_are_part_of_it(folder: Path, utf8: Contract) -> None:
    content = '甲,乙\n5"管,二\n三,四\n"""引""",四\n'.encode()
    expected = [('5"管', "二", 2), ("三", "四", 3), ('"引"', "四", 4)]
    assert rows(read(folder, utf8, content)) == expected


def test_line_numbers_are_right_after_values_of_several_lines(folder: Path, utf8: Contract) -> None:
    content = '甲,乙\n"一\n\n一","二\r\n二"\n三,四\n"五\n五",六\n七,八\n'.encode()
    frame = read(folder, utf8, content)
    assert frame[LINE].to_list() == [2, 6, 7, 9]
    assert frame["甲"].to_list() == ["一\n\n一", "三", "五\n五", "七"]


@pytest.mark.parametrize("content", [
    '甲,乙\n一,二\n"三,四\n五,六\n七,八\n',
    '甲,乙\n一,二\n三,"四\n五,六\n七,八\n',
    '甲,乙\n一,"二""\n五,六\n',
])  # fmt: skip
@pytest.mark.parametrize("size", [8, 1 << 20])
def test_a_quote_that_is_never_closed_does_not_swallow_the_file(
    folder: Path, utf8: Contract, monkeypatch: pytest.MonkeyPatch, content: str, size: int
) -> None:
    """One stray quote would make thousands of rows one accepted value, unseen."""
    monkeypatch.setattr(decode, "BLOCK_BYTES", size)
    found = refusal(folder, utf8, content.encode())
    assert found.rule == "unclosed_quote"
    line = next(i for i, text in enumerate(content.split("\n"), 1) if '"' in text)
    assert f"第 {line} 行" in found.message


def test_a_record_beyond_the_limit_is_refused(
    folder: Path, utf8: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is held in memory as a whole, and a file without line ends would be one record."""
    monkeypatch.setattr(limits, "RECORD_BYTES", 4_096)
    monkeypatch.setattr(decode, "BLOCK_BYTES", 512)
    content = "甲,乙\n一,二\n" + "三" * 4_096 + ",四\n"
    assert refusal(folder, utf8, content.encode()).rule == "record_too_long"


# -- properties --------------------------------------------------------------------------

texts = st.text(st.sampled_from("ab甲𠮷,\"\n\r|;' \t0"), max_size=6)
records = st.lists(st.tuples(texts, texts), max_size=12)


def written(found: list[tuple[str, ...]], end: str, quoting: int) -> tuple[bytes, list[int]]:
    """A CSV file of Python's own writer, and the physical line on which each record starts."""
    buffer = io.StringIO()
    if end == "\n" and any("\r" in value for record in found for value in record):
        quoting = csv.QUOTE_ALL  # Python's writer leaves a lone CR bare where lines end with LF
    writer = csv.writer(buffer, lineterminator=end, quoting=quoting)
    writer.writerow(["甲", "乙"])
    lines = []
    for record in found:
        before = buffer.getvalue().replace("\r\n", "\n").replace("\r", "\n")
        lines.append(before.count("\n") + 1)
        writer.writerow(record)
    return buffer.getvalue().encode(), lines


@settings(max_examples=300)
@given(
    records,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([1, 2, 3, 5, 8, 13, 64, 1 << 20]),
)
@example([("x\n", ""), ('\n"', "y")], "\n", csv.QUOTE_ALL, 3)
@example([('"\n"', "\r"), ("\r\n", '""')], "\r\n", csv.QUOTE_ALL, 1)
def test_what_a_csv_writer_writes_is_read_back_with_its_lines_whatever_the_blocks(
    quiet: Quiet, found: list[tuple[str, str]], end: str, quoting: int, size: int
) -> None:
    content, lines = written(found, end, quoting)
    expected = [
        (*record, line)
        for record, line in zip(found, lines, strict=True)
        if any(value.strip() for value in record)
    ]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.setattr(decode, "BLOCK_BYTES", size)
        frame = read(Path(name), quiet.contract, content)
    assert rows(frame) == expected
    assert not frame[RAGGED].any()


@settings(max_examples=150)
@given(
    st.lists(st.lists(texts, min_size=1, max_size=4), max_size=10),
    st.sampled_from([1, 3, 8, 1 << 20]),
)
def test_ragged_records_among_others_are_read_back_too(
    quiet: Quiet, found: list[list[str]], size: int
) -> None:
    content, lines = written([tuple(record) for record in found], "\n", csv.QUOTE_ALL)
    expected = [
        (record, line)
        for record, line in zip(found, lines, strict=True)
        if any(value.strip() for value in record) or len(record) != 2
    ]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.setattr(decode, "BLOCK_BYTES", size)
        frame = read(Path(name), quiet.contract, content)
    got = [
        (json.loads(row) if row else [a, b], line)
        for a, b, line, row in frame.select("甲", "乙", LINE, ROW).iter_rows()
    ]
    assert got == expected
    assert frame[RAGGED].to_list() == [len(record) != 2 for record, _ in expected]


@settings(max_examples=200)
@given(st.binary(max_size=60), st.sampled_from(["utf-8", "gb18030"]), st.sampled_from([1, 7, 999]))
@example(b"\r", "utf-8", 1)
@example(b'a,"\xff', "gb18030", 1)
def test_no_bytes_make_the_door_fall_over(
    quiet: Quiet, quiet_gb18030: Quiet, content: bytes, encoding: str, size: int
) -> None:
    """Any file is either read or refused with a reason; anything else stops the dataset."""
    contract = (quiet if encoding == "utf-8" else quiet_gb18030).contract
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.setattr(decode, "BLOCK_BYTES", size)
        frame = read_unless_unclosed(Path(name), contract, "甲,乙\n".encode(encoding) + content)
    assert frame[LINE].is_sorted()
    assert frame[LINE].n_unique() == frame.height


def read_unless_unclosed(folder: Path, contract: Contract, content: bytes) -> pl.DataFrame:
    """The one reason for which the bytes behind a right header may be refused."""
    try:
        return read(folder, contract, content)
    except RefusedError as refused:
        if refused.rule != "unclosed_quote":
            raise
        return pl.DataFrame(schema={LINE: pl.Int64})
