"""Codes that a spreadsheet has cut to 15 digits: recognised, and never mended by guess."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipelines.home import PROJECT
from pipelines.ingest import readings
from pipelines.ingest.cast import cast
from pipelines.ingest.parse import LINE, ROW
from quality import check_digits
from quality.contract import Contract
from quality.contract_reader import read_contract
from quality.pandera_schemas import RAGGED, failures, row_schema

SOURCES = PROJECT / "pipelines" / "sources"
TRUE_NUMBER = "11010519491231002X"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return read_contract(SOURCES / "public_security" / "residence_permit.odcs.yaml")


def findings(contract: Contract, numbers: list[str]) -> list[tuple[int, str]]:
    texts = pl.DataFrame(
        {
            "居住证编号": [f"JZ{i:010d}" for i in range(len(numbers))],
            "公民身份号码": numbers,
            "姓名": ["王小明"] * len(numbers),
            "居住地址": ["沂河路1号"] * len(numbers),
            "居住地区划代码": ["371302"] * len(numbers),
            "联系电话": [""] * len(numbers),
            "签发日期": ["2026-01-01"] * len(numbers),
            "有效期至": ["2027-01-01"] * len(numbers),
            LINE: range(2, 2 + len(numbers)),
            RAGGED: [False] * len(numbers),
            ROW: pl.Series([None] * len(numbers), dtype=pl.String),
        }
    )
    found = failures(row_schema(contract, date(2026, 6, 30)), contract, cast(texts, contract))
    return [(row["_index"], row["rule_id"]) for row in found.sort("_index", "rule_id").to_dicts()]


@pytest.mark.parametrize(
    "text", ["3.71302E+17", "3.71302199001011E+17", "371302199001011000", "３.71302e+17"]
)
def test_a_cut_number_is_one_finding_that_names_the_cause(contract: Contract, text: str) -> None:
    """Not four findings (form, check character, birth date …) under which nobody sees it."""
    assert findings(contract, [TRUE_NUMBER, text]) == [(1, "id_number__whole")]


def test_a_cut_column_is_found_even_where_the_check_character_happens_to_fit(
    contract: Contract,
) -> None:
    """One in eleven cut numbers passes its check; the others of the column give it away."""
    base = [f"3713021990010{day:02d}000" for day in range(10, 31)]
    fitting = _true_number_with_zeros()
    assert (0, "id_number__whole") in findings(contract, [fitting, *base])


def test_a_true_number_that_ends_in_zeros_is_not_accused(contract: Contract) -> None:
    fitting = _true_number_with_zeros()
    assert findings(contract, [fitting, TRUE_NUMBER, TRUE_NUMBER]) == []


def test_the_text_stays_as_it_came(contract: Contract) -> None:
    """Never guessed back: neither the missing digits nor another spelling."""
    texts = pl.DataFrame({"公民身份号码": ["3.71302E+17"]})
    column = contract.column("id_number")
    value = texts.select(readings.reading(column)).item()
    assert value == "3.71302E+17"


def _true_number_with_zeros() -> str:
    """A number of order 100 or so that carries the check character 0 rightly."""
    numbers = pl.Series(
        [f"3713021990{month:02d}{day:02d}1000" for month in range(1, 13) for day in range(1, 29)]
    )
    return str(numbers.filter(check_digits.resident_number_holds(numbers))[0])
