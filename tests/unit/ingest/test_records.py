"""JSON and XML: values as they were written, records that do not fit, files made to do harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.ingest import json_records, limits, parse, records
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import LINE, ROW
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from quality.pandera_schemas import RAGGED


def read(
    folder: Path, content: str | bytes, layout: Layout | None = None,
    findings: Findings | None = None,
) -> pl.DataFrame:  # fmt: skip
    path = folder / "x.dat"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return pl.concat(parse.read(path, layout or Layout(), findings or Findings()))


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.drop(LINE, RAGGED, ROW).to_dicts()


def refusal(folder: Path, content: str | bytes, layout: Layout | None = None) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        read(folder, content, layout)
    return refused.value


# -- JSON --------------------------------------------------------------------------------


def test_a_json_value_is_the_text_it_was_written_as(tmp_path: Path) -> None:
    """371302199001011234 must not become a rounded float, nor 1.10 become 1.1."""
    content = (
        '[{"a": 371302199001011234, "b": 1.10, "c": true, "d": null, "e": "0012"},'
        ' {"a": 1e3, "b": "-;", "c": [1, 2.50], "d": {"x": "一"}}]'
    )
    assert rows(read(tmp_path, content)) == [
        {"a": "371302199001011234", "b": "1.10", "c": "true", "d": "", "e": "0012"},
        {"a": "1e3", "b": "-;", "c": "[1,2.50]", "d": '{"x":"一"}', "e": ""},
    ]


def test_a_name_that_comes_late_is_a_column_too(tmp_path: Path) -> None:
    content = json.dumps([*({"a": 1, "b": 2} for _ in range(3)), {"a": 1, "c": 3}])
    assert rows(read(tmp_path, content))[-1] == {"a": "1", "b": "", "c": "3"}


def test_a_name_twice_in_a_record_is_kept_and_refused_as_a_row(tmp_path: Path) -> None:
    frame = read(tmp_path, '[{"a": 1, "a": 2, "b": 3}, {"a": 4, "b": 5}]')
    assert frame[RAGGED].to_list() == [True, False]
    assert json.loads(frame[ROW][0]) == ["1", "2", "3"]


def test_what_is_no_object_among_objects_costs_no_other_row(tmp_path: Path) -> None:
    frame = read(tmp_path, '[{"a": 1, "b": 2}, 7, {"a": 3, "b": 4}]')
    assert frame[RAGGED].to_list() == [False, True, False]
    assert frame["a"].to_list() == ["1", "", "3"]


def test_a_broken_line_costs_no_other_line(tmp_path: Path) -> None:
    frame = read(tmp_path, '{"a": 1, "b": 2}\n{"a": 3, "b"\n\n{"a": 5, "b": 6}\n')
    assert frame[LINE].to_list() == [1, 2, 4]
    assert frame[RAGGED].to_list() == [False, True, False]


@pytest.mark.parametrize("piece", [1, 2, 7, 64])
def test_a_value_is_whole_wherever_the_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(json_records, "_PIECE", piece)
    content = ' {"n": 12345, "x": [1, 2], "list" : [ {"a": 123, "b": "沂\\"河"} , {"a": -4} ] } '
    assert rows(read(tmp_path, content)) == [{"a": "123", "b": '沂"河'}, {"a": "-4", "b": ""}]


def test_the_array_that_has_the_expected_names_is_taken(tmp_path: Path) -> None:
    content = '{"meta": [{"x": 1, "y": 2}], "data": {"rows": [{"a": 1, "b": 2}]}}'
    findings = Findings()
    assert rows(read(tmp_path, content, Layout(headers=("a", "b")), findings)) == [
        {"a": "1", "b": "2"}
    ]
    assert findings.record == "data.rows"
    assert "meta" in findings.skipped[0]
    declared = Layout(record="rows")
    assert rows(read(tmp_path, content, declared)) == [{"a": "1", "b": "2"}]
    assert refusal(tmp_path, content, Layout(record="none")).rule == "missing_record"


def test_a_long_file_is_never_in_memory_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_records, "_PIECE", 4096)
    monkeypatch.setattr(limits, "RECORD_BYTES", 20_000)
    monkeypatch.setattr(records, "CHUNK_ROWS", 1000)
    content = json.dumps([{"a": i, "b": "x" * 50} for i in range(5000)])
    assert read(tmp_path, content).height == 5000


@pytest.mark.parametrize("content", [
    '[{"a": 1}, {"a": 2', '[{"a": 1}]]', '{"a": [1,2]', '[{"a": 1} {"a": 2}]', "[1, 2", "{]",
    '{"a" 1}', "[" * 100_000, '{"a":' * 100_000, '[{"a": ' + "[" * 5000 + "]" * 5000 + "}]",
], ids=lambda content: content[:20])  # fmt: skip
def test_what_is_no_json_is_refused(tmp_path: Path, content: str) -> None:
    assert refusal(tmp_path, content, Layout("json")).rule == "unreadable_file"


def test_half_a_character_is_marked_and_no_crash(tmp_path: Path) -> None:
    assert rows(read(tmp_path, '[{"a": "\\ud800x", "b\\udfff": 1}]')) == [
        {"a": "\ufffdx", "b\ufffd": "1"}
    ]


def test_a_feature_without_geometry_or_with_an_id(tmp_path: Path) -> None:
    content = (
        '{"type":"FeatureCollection","features":[{"type":"Feature","id":7,"properties":{"a":"-;"},'
        '"geometry":null},{"type":"Feature","properties":{"a":"x"},"geometry":'
        '{"type":"Point","coordinates":[118.350, 35.05]}}]}'
    )
    assert rows(read(tmp_path, content)) == [
        {"a": "-;", "id": "7", "geometry_type": "", "geometry_coordinates": ""},
        {"a": "x", "id": "", "geometry_type": "Point", "geometry_coordinates": "[118.350,35.05]"},
    ]


# -- XML ---------------------------------------------------------------------------------

XML = """<?xml version="1.0"?><r xmlns:n="u"><head><date>2026-03-05</date></head>
<rows><row id="1"><n:name>沂河</n:name><人口><男>1</男><女>2</女></人口></row>
<row id="2"><n:name>蒙山</n:name><人口><男>3</男></人口><note>a<!-- x -->b</note></row>
<row id="3"><n:name>一</n:name><n:name>二</n:name></row></rows></r>"""


def test_xml_values_are_attributes_and_texts_by_name(tmp_path: Path) -> None:
    findings = Findings()
    frame = read(tmp_path, XML, findings=findings)
    assert findings.record == "r/rows/row"
    assert rows(frame)[:2] == [
        {"id": "1", "name": "沂河", "人口_男": "1", "人口_女": "2", "note": ""},
        {"id": "2", "name": "蒙山", "人口_男": "3", "人口_女": "", "note": "ab"},
    ]
    assert frame[RAGGED].to_list() == [False, False, True]
    assert json.loads(frame[ROW][2]) == ["3", "一", "二"]


def test_the_record_element_can_be_declared(tmp_path: Path) -> None:
    assert rows(read(tmp_path, XML, Layout(record="head"))) == [{"date": "2026-03-05"}]
    assert refusal(tmp_path, XML, Layout(record="none")).rule == "missing_record"


BILLION = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9))


@pytest.mark.parametrize("content", [
    f'<!DOCTYPE r [<!ENTITY e0 "ha">{BILLION}]><r><x><a>&e9;</a></x></r>',
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r><x><a>&f;</a></x></r>',
    '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><r><x><a>1</a></x></r>',
], ids=["a billion", "a file", "a server"])  # fmt: skip
def test_entities_are_refused_and_nothing_is_fetched(tmp_path: Path, content: str) -> None:
    assert refusal(tmp_path, content).rule == "xml_entities"


def test_a_document_type_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    content = '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/r.dtd"><r><x><a>1</a><b>2</b></x></r>'
    assert rows(read(tmp_path, content)) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("content", [
    "<r><x><a>1</a></x><x><a>2", "<r><x><a>1</b></x></r>", "<r>" * 5000, "<?xml version='1.0'?>",
    "<r><x><a>&nichts;</a></x></r>", "<r><x><a>\x01</a></x></r>",
])  # fmt: skip
def test_what_is_no_xml_is_refused_with_a_reason(tmp_path: Path, content: str) -> None:
    assert refusal(tmp_path, content, Layout("xml")).rule == "unreadable_file"


def test_a_value_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORD_BYTES", 1 << 20)
    content = f'<r><x><a y="{"z" * (4 << 20)}">1</a></x></r>'
    assert refusal(tmp_path, content).rule == "record_too_long"
