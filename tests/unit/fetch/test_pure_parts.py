"""The parts of a fetch that need no server: signature, texts, windows, waiting, whole files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.fetch.delivery import landing_file, row_file
from pipelines.fetch.json_text import Number, at, text_of
from pipelines.fetch.patience import Patience, retry_after
from pipelines.fetch.signature import sign
from pipelines.fetch.window import Window
from pipelines.ingest.arrive import arrivals
from quality.contract import Contract

MakeContract = Callable[..., Contract]


def test_the_signature_is_that_of_the_portal() -> None:
    """RFC 4231, test case 2: key `Jefe`, text `what do ya want for nothing?`."""
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    expected = base64.b64encode(bytes.fromhex(digest)).decode()
    assert sign("what do ", "Jefe", "ya want ", "for nothing?") == expected


def test_headers_that_a_tool_takes_for_patterns_are_written_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "meter_20260305.csv"
    with row_file(path, ["编号", "^.*$", "*"]) as rows:
        rows.append_records([("1", "2", None)])
    assert path.read_text(encoding="utf-8") == "编号,^.*$,*\n1,2,\n"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_any_json_value_has_a_text_that_can_be_written(value: Any) -> None:
    """One odd value must not end the fetch of a million rows."""
    read = json.loads(json.dumps(value), parse_int=Number, parse_float=Number)
    text = text_of(read)
    if text is None:
        assert value is None
        return
    text.encode()
    if isinstance(value, dict | list):
        assert json.loads(text) == json.loads(json.dumps(value))


def test_a_path_leads_to_nothing_rather_than_to_an_error() -> None:
    assert at({"a": {"b": [1]}}, "a.b") == [1]
    assert at({"a": [1]}, "a.b") is None
    assert at([1], "") == [1]


@pytest.mark.parametrize(
    ("kind", "since", "expected"),
    [
        ("integer", None, "1 = 1"),
        ("integer", 41, '("c" > 41) or "c" is null'),
        ("date", None, """("c" < date '2026-03-06') or "c" is null"""),
        ("date", date(2026, 3, 4),
         """("c" >= date '2026-03-04' and "c" < date '2026-03-06') or "c" is null"""),
        ("timestamp", datetime(2026, 3, 4, 1, 2, 3, 450000),
         """("c" >= timestamp '2026-03-04 01:02:03.450000' and "c" < date '2026-03-06') """
         """or "c" is null"""),
    ],
)  # fmt: skip
def test_a_window_leaves_no_row_out(
    make_contract: MakeContract, kind: str, since: Any, expected: str
) -> None:
    physical = {"integer": "bigint"}.get(kind, kind)
    columns = [{"name": "c", "logicalType": kind, "physicalType": physical}]
    column = make_contract(columns).column("c")
    before = None if kind == "integer" else date(2026, 3, 6)
    assert Window(column, since, before).condition('"c"') == expected


def test_waiting_is_as_long_as_the_server_asks() -> None:
    assert retry_after("120") == 120
    assert retry_after(None) is None
    assert retry_after("soon") is None
    later = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
    assert later is not None
    assert 55 < later <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_waiting_never_exceeds_the_budget() -> None:
    patience = Patience(0.05)
    assert not patience.wait(1, 3_600)
    assert patience.wait(1, 0.04)
    assert not patience.wait(1, 0.04)


def test_nothing_is_in_landing_until_it_is_whole(tmp_path: Path) -> None:
    """The door of another process must never see half a delivery."""
    path = tmp_path / "water" / "meter_20260305.csv"
    with row_file(path, ["编号"]) as rows:
        rows.append_records([("A1",), (None,), ('"x",\n',)])
        assert arrivals(tmp_path, frozenset({"water/meter"})) == []
    assert path.read_text(encoding="utf-8") == '编号\nA1\n\n"""x"",\n"\n'
    path.unlink()

    def fail_half_way() -> None:
        with landing_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert list(path.parent.iterdir()) == []
