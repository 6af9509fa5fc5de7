"""Recognising what is wrong with a whole file from the texts of its rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.contract import Contract
from quality.file_faults import _shifted
from tests.conftest import MakeContract

DOMAIN = {"name": "kind", "enum": [{"value": "住宅"}, {"value": "商业"}]}
COLUMNS = [
    {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
    {"name": "owner"},
    DOMAIN,
    {"name": "area", "logicalType": "number", "physicalType": "decimal(18, 2)"},
    {"name": "day", "logicalType": "date", "physicalType": "date"},
    {"name": "state", "enum": [{"value": "现势"}, {"value": "历史"}]},
]
ROW = ["1", "王芳", "住宅", "88.50", "2026-03-05", "现势"]


@pytest.fixture(scope="module")
def contract(make_contract: MakeContract) -> Contract:
    return make_contract(COLUMNS)


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        (["1", "", "王芳", "住宅", "88.50", "2026-03-05"], ["kind", "area", "day"]),
        (["王芳", "住宅", "88.50", "2026-03-05", "现势", ""], ["kind", "area", "day", "state"]),
    ],
    ids=["to the right", "to the left"],
)
def test_values_beside_their_place_are_seen_both_ways(
    contract: Contract, row: list[str], columns: list[str]
) -> None:
    """Six rules would open six orders for one slip of the export."""
    assert [column.name for column in _shifted([row] * 9, contract)] == columns


@given(bad=st.integers(0, 8), place=st.integers(0, 5), text=st.text(max_size=6))
def test_rows_in_place_are_never_called_shifted(
    contract: Contract, bad: int, place: int, text: str
) -> None:
    """One wrong column would be told as a fault of the whole file."""
    spoilt = [text if number == place else value for number, value in enumerate(ROW)]
    rows = [spoilt] * bad + [ROW] * (9 - bad)
    assert len(_shifted(rows, contract)) < 2


def test_few_rows_say_nothing(contract: Contract) -> None:
    """Two rows that happen to look so would rename what their rules say."""
    assert _shifted([["1", "", "王芳", "住宅", "88.50", "2026-03-05"]] * 4, contract) == []
