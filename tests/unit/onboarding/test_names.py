"""English names of columns: understood as a whole, or not at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.onboarding import names
from quality.sql_types import reserved_words


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("统一社会信用代码", "unified_code"),
        ("法定代表人证件号码", "legal_representative_id_number"),
        ("监护人联系电话", "guardian_phone"),
        ("总产量_吨", "total_output_tonnes"),
        ("注册资本（万元）", "registered_capital_10k_cny"),
        ("姓　名", None),
        ("cityCode", "city_code"),
        ("PM2.5", "pm2_5"),
        ("是否缴费", "is_payment"),
        ("order", "order_value"),
        ("2019年", "c_2019_year"),
        ("饕餮数量", None),
        ("所在地（见附注）", "location"),
    ],
)
def test_a_header_is_translated_as_a_whole_or_not_at_all(header: str, name: str | None) -> None:
    assert names.translate(header) == name


def test_unknown_and_repeated_headers_get_names_of_their_own() -> None:
    proposed = names.propose(["名称", "饕餮", "name", "column_2", "名称_2"])
    assert [name.text for name in proposed] == [
        "name",
        "column_2",
        "name_2",
        "column_2_2",
        "name_2_2",
    ]
    assert [name.is_known for name in proposed] == [True, False, True, True, True]


@given(st.lists(st.text(min_size=1, max_size=12), max_size=6))
def test_every_name_passes_the_lint_and_stands_once(headers: list[str]) -> None:
    proposed = [name.text for name in names.propose(headers)]
    assert len(set(proposed)) == len(headers)
    for name in proposed:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert name not in reserved_words()


def test_the_dictionary_gives_nothing_but_parts_of_names() -> None:
    sections = names.read_resource("terms.yaml")
    assert len(sections.pop("fillers")) > 5
    terms = [(term, english) for section in sections.values() for term, english in section.items()]
    assert len(terms) > 500
    assert [pair for pair in terms if not re.fullmatch(r"[a-z0-9_]+", str(pair[1]))] == []
