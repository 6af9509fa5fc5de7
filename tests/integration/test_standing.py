"""Which stages stand: never one whose inputs have changed, or that was not finished."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipelines import standing
from pipelines.home import Home
from pipelines.standing import MODELS, ORDERS, PUBLISHED, RULES, STAGES
from pipelines.warehouse import open_warehouse, prepare
from quality.catalogue import Catalogue
from quality.contract import Contract
from tests.conftest import Land, MakeContract, TakeUp

NIGHT, NEXT = date(2026, 6, 30), date(2026, 7, 1)
KEY = {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1}


@pytest.fixture
def contract(make_contract: MakeContract) -> Contract:
    return make_contract([KEY])


@pytest.fixture
def built(home: Home, contract: Contract, land: Land, take_up: TakeUp) -> Catalogue:
    """One delivery, and every stage finished."""
    land(home, "water", "meter_20260630.csv", "k\na\n")
    take_up(home, contract, NIGHT)
    catalogue = Catalogue((contract,), ())
    prepare(home, catalogue, NIGHT)
    for stage in STAGES[1:]:
        standing.finish(home, stage, f"{stage} made")
    return catalogue


def stand(home: Home) -> set[str]:
    return {stage for stage in STAGES[1:] if standing.stands(home, stage)}


def test_nothing_stands_before_the_first_night(home: Home) -> None:
    assert stand(home) == set()
    standing.begin(home, MODELS)
    standing.finish(home, MODELS)  # a stage run by hand before the door
    assert stand(home) == set()


def test_with_the_same_inputs_every_stage_stands_and_nothing_is_written(
    home: Home, built: Catalogue
) -> None:
    with open_warehouse(home) as connection:
        connection.execute("create table meta.marker as select 1 as one")
        connection.execute("insert into meta.night select * from meta.night")
    prepare(home, built, NIGHT)
    assert stand(home) == set(STAGES[1:])
    assert standing.made(home, PUBLISHED) == "published made"
    with open_warehouse(home) as connection:
        assert connection.execute("select count(*) from meta.night").fetchone() == (2,)


def _new_delivery(home: Home, contract: Contract, land: Land, take_up: TakeUp) -> None:
    land(home, "water", "meter_20260630.csv", "k\nb\n")
    take_up(home, contract, NIGHT)


def _refused_delivery(home: Home, contract: Contract, land: Land, take_up: TakeUp) -> None:
    land(home, "water", "meter_20260630_2.csv", "")
    take_up(home, contract, NIGHT)


def _changed_contract(home: Home, contract: Contract, land: Land, take_up: TakeUp) -> None:
    contract.path.write_text(contract.path.read_text("utf-8") + "# another word\n", "utf-8")


def _other_key(home: Home, contract: Contract, land: Land, take_up: TakeUp) -> None:
    home.token_key.write_text("00" * 32)


def _rows_loaded_anew(home: Home, contract: Contract, land: Land, take_up: TakeUp) -> None:
    (path,) = home.raw.rglob("*.parquet")
    path.write_bytes(path.read_bytes())


@pytest.mark.parametrize(
    "change",
    [_new_delivery, _refused_delivery, _changed_contract, _other_key, _rows_loaded_anew],
)
def test_a_changed_input_lets_nothing_stand(
    home: Home, built: Catalogue, contract: Contract, land: Land, take_up: TakeUp,
    change: Callable[[Home, Contract, Land, TakeUp], None],
) -> None:  # fmt: skip
    change(home, contract, land, take_up)
    prepare(home, built, NIGHT)
    assert stand(home) == set()


def test_another_night_lets_nothing_stand_nor_does_the_first_after_it(
    home: Home, built: Catalogue
) -> None:
    """The warehouse holds one night; what was built for it is gone when another was there."""
    prepare(home, built, NEXT)
    assert stand(home) == set()
    prepare(home, built, NIGHT)
    assert stand(home) == set()


def test_a_changed_model_or_macro_lets_nothing_stand(
    home: Home, built: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "dbt"
    (project / "macros").mkdir(parents=True)
    (project / "macros" / "m.sql").write_text("one")
    monkeypatch.setenv("YISHU_DBT_PROJECT", str(project))
    prepare(home, built, NIGHT)
    standing.finish(home, MODELS)
    (project / "target").mkdir()
    (project / "target" / "compiled.sql").write_text("what dbt writes is no input")
    prepare(home, built, NIGHT)
    assert stand(home) == {MODELS}
    (project / "macros" / "m.sql").write_text("two")
    prepare(home, built, NIGHT)
    assert stand(home) == set()


def test_a_stage_that_was_begun_and_not_finished_does_not_stand_nor_what_follows(
    home: Home, built: Catalogue
) -> None:
    """A crash leaves work to be done again, never a wrong result."""
    standing.begin(home, RULES)
    assert stand(home) == {MODELS}
    standing.finish(home, RULES)
    standing.finish(home, ORDERS)
    assert stand(home) == {MODELS, RULES, ORDERS}
    standing.finish(home, MODELS)
    assert stand(home) == {MODELS}, "what was made of the earlier models does not stand"
