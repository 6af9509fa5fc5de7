"""No personal value is shown in clear, whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.catalogue import read_catalogue
from quality.masking import masked_sql, masker

DATABASE = duckdb.connect()
CATALOGUE = read_catalogue(Path(__file__).resolve().parents[3] / "pipelines" / "sources")
PERSONAL = [
    (contract, column)
    for contract in CATALOGUE.contracts
    for column in contract.columns
    if column.level in ("L3", "L4")
]


def shown(name: str, column: str, value: str | None) -> str:
    contract = CATALOGUE.by_name[name]
    return masker(contract.column(column), contract)(value)


@pytest.mark.parametrize(
    ("name", "column", "value", "expected"),
    [
        ("public_security/resident", "id_number", "37130219900307123X", "371302********123X"),
        ("public_security/resident", "full_name", "张建国", "张**"),
        ("public_security/resident", "full_name", "张伟", "张*"),
        ("public_security/resident", "address", "临沂市兰山区沂蒙路12号", "临沂市兰山区***"),
        ("market_regulation/enterprise", "phone", "13912341234", "139****1234"),
        ("market_regulation/enterprise", "enterprise_name", "沂河商贸", "沂河商贸"),
        ("human_resources/social_insurance_enrolment", "contribution_base", "8123.50", "***"),
        ("public_security/resident", "full_name", None, ""),
    ],
)
def test_each_kind_keeps_what_a_clerk_needs(name, column, value, expected):
    assert shown(name, column, value) == expected


def test_a_resident_number_that_strayed_into_a_public_column_is_masked():
    """A shifted column puts the number where the contract expects a name."""
    text = shown("market_regulation/enterprise", "enterprise_name", "证号37130219900307123x。")
    assert text == "证号371302********123x。"


def test_a_unified_code_stays_readable():
    """It is public, and the clerk finds the row by it."""
    code = "91371302199003071X"
    assert (
        shown("market_regulation/enterprise", "unified_code", "91371302MA3C000001")
        == "91371302MA3C000001"
    )
    assert shown("market_regulation/enterprise", "enterprise_name", code + "A") == code + "A"


@given(st.sampled_from(PERSONAL), st.text(min_size=2, max_size=40))
def test_no_personal_value_passes_unchanged(place, value):
    contract, column = place
    masked = masker(column, contract)(value)
    assert "*" in masked
    kept = masked.replace("*", "")
    assert len(kept) <= max(10, len(value) // 2)
    assert len(kept) < len(value) or "*" in value


@given(st.text(alphabet="0123456789X张三临沂路ab ", max_size=24).filter(bool),
       st.sampled_from(["id_number", "phone", "full_name", "address", "remark"]),
       st.sampled_from(["L1", "L3"]))  # fmt: skip
def test_sql_shows_what_python_shows(make_contract, value, name, level):
    """Two ways to mask that differ would show more in one table than in the other."""
    contract = make_contract([{"name": name, "classification": level}])
    column = contract.column(name)
    shown = DATABASE.execute(
        f"select {masked_sql('v', column, contract)} from (select $1::varchar as v)", [value]
    ).fetchone()
    assert shown == (masker(column, contract)(value),)
