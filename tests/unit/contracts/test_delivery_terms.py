"""What a contract says of its deliveries, and what the lint makes of nonsense."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quality.contract import Contract
from quality.contract_reader import ContractError, read_contract
from tests.conftest import MakeContract

KEY = {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1}
CHANGE = {"name": "op", "required": True}
VALUE = {"name": "v", "required": True}
LOG = {"delivery": "change_log", "changeColumn": "op", "deleteValues": ["删除", "D"]}


@pytest.fixture(scope="module")
def log(make_contract: MakeContract) -> Contract:
    return make_contract([KEY, CHANGE, VALUE], custom=LOG)


def names(contract: Contract, family: str) -> set[str]:
    return {rule.rule_id for rule in contract.rules_of(family)}


def test_a_change_log_names_its_column_and_what_deletes(log: Contract) -> None:
    assert (log.delivery, log.change_column, log.delete_values) == (
        "change_log",
        "op",
        ("删除", "D"),
    )
    assert "key_unique" not in names(log, "relation")


def test_a_full_delivery_has_parts_and_a_drop_that_is_allowed(make_contract: MakeContract) -> None:
    plain = make_contract([KEY])
    assert (plain.parts, plain.max_drop, plain.ignored_headers) == (None, 0.5, ())
    custom = {"parts": 3, "maxDrop": 0.2, "ignoredHeaders": ["序号"]}
    told = make_contract([KEY], custom=custom)
    assert (told.parts, told.max_drop, told.ignored_headers) == (3, 0.2, ("序号",))


def test_the_rules_on_deliveries_follow_from_the_kind(
    make_contract: MakeContract, log: Contract
) -> None:
    whole = {"delivery_complete", "not_shrunken"}
    always = {"delivery_readable", "schema_agrees", "delivered_on_time", "file_whole"}
    assert names(make_contract([KEY]), "delivery") == always | whole
    assert names(make_contract([KEY], custom={"delivery": "increment"}), "delivery") == always
    assert names(log, "delivery") == always


@pytest.mark.parametrize(
    ("columns", "custom", "said"),
    [
        ([KEY, CHANGE], {**LOG, "changeColumn": "x"}, "needs changeColumn"),
        ([KEY, CHANGE], {"delivery": "change_log", "deleteValues": ["D"]}, "needs changeColumn"),
        ([KEY, {"name": "op"}], LOG, "must be a required string"),
        ([KEY, CHANGE], {**LOG, "changeColumn": "k"}, "no part of the key"),
        ([KEY, CHANGE], {**LOG, "deleteValues": []}, "needs deleteValues"),
        ([KEY, CHANGE], {**LOG, "deleteValues": [1]}, "put numbers in quotes"),
        ([KEY, {**CHANGE, "enum": [{"value": "D"}]}], LOG, "among the enum"),
        ([CHANGE], LOG, "a change log needs a primary key"),
        ([CHANGE], {"delivery": "increment"}, "an increment needs a primary key"),
        ([KEY], {"changeColumn": "k"}, "changeColumn is for delivery: change_log"),
        ([KEY], {"delivery": "increment", "parts": 2}, "parts is for delivery: full"),
        ([KEY], {"parts": 1}, "from 2"),
        ([KEY], {"parts": "2"}, "from 2"),
        ([KEY], {"parts": True}, "from 2"),
        ([KEY], {"maxDrop": 1.5}, "share from 0 to 1"),
        ([KEY], {"maxDrop": "half"}, "share from 0 to 1"),
        ([KEY], {"ignoredHeaders": "序号"}, "list of texts"),
        ([KEY], {"ignoredHeaders": ["k"]}, "header of a column"),
        ([KEY], {"delivery": "diff"}, "one of full, increment, change_log"),
    ],
)
def test_nonsense_is_refused_with_a_remedy(
    tmp_path: Path,
    make_document: Callable[..., dict[str, Any]],
    write_document: Callable[..., Path],
    columns: list[dict[str, Any]],
    custom: dict[str, Any],
    said: str,
) -> None:
    path = write_document(tmp_path, make_document(columns, custom=custom))
    with pytest.raises(ContractError, match=said):
        read_contract(path)
