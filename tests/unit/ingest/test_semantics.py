"""Which deliveries count: split, corrected, shrunken, out of order; nothing half, nothing lost."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from pipelines.home import Home
from pipelines.ingest import semantics, store
from pipelines.ingest.arrive import arrivals, plain_name, waiting
from pipelines.ingest.store import Receipt
from quality.contract import Contract
from tests.conftest import Land, MakeContract, TakeUp

FIRST = date(2026, 6, 29)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
KEY = {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1}


@pytest.fixture(scope="module")
def meter(make_contract: MakeContract) -> Contract:
    return make_contract([KEY, {"name": "v"}, {"name": "w"}])


@pytest.fixture(scope="module")
def split(make_contract: MakeContract) -> Contract:
    """Three files make one delivery."""
    return make_contract([KEY, {"name": "v"}, {"name": "w"}], custom={"parts": 3})


def text(*keys: str, value: str = "x") -> str:
    return "\n".join(["k,v,w", *(f"{key},{value}," for key in keys), ""])


def many(count: int) -> str:
    return text(*(f"m{number}" for number in range(count)))


def statuses(receipts: list[Receipt]) -> dict[str, str]:
    return {r.file_name.removeprefix("meter_"): r.status for r in receipts}


def left(home: Home) -> list[str]:
    return sorted(p.name.removeprefix("meter_") for p in (home.landing / "water").iterdir())


def in_force(home: Home) -> list[str]:
    """Names of the files whose rows count."""
    receipts = store.read_receipts(home.raw, "water", "meter")
    return [r.file_name.removeprefix("meter_") for r in semantics.counting(receipts)]


def rows_on_disk(home: Home) -> int:
    return len(list(home.raw.rglob("*.parquet")))


# -- split deliveries --------------------------------------------------------------------


def test_parts_wait_for_the_others_and_are_then_loaded_together(
    home: Home, split: Contract, land: Land, take_up: TakeUp
) -> None:
    """Two thirds of a register must not replace the whole of it."""
    land(home, "water", "meter_20260629_1.csv", text("a"))
    land(home, "water", "meter_20260629_3.csv", text("c"))
    held = take_up(home, split, FIRST)
    assert [r.status for r in held] == ["refused", "refused"]
    assert all("缺少分片 _2" in (r.reason or "") for r in held)
    assert left(home) == ["20260629_1.csv", "20260629_3.csv"]
    assert rows_on_disk(home) == 0
    assert take_up(home, split, SECOND) == [], "it was told already"
    land(home, "water", "meter_20260629_2.csv", text("b"))
    taken = take_up(home, split, THIRD)
    assert {r.status for r in taken} == {"loaded"}
    assert in_force(home) == ["20260629_1.csv", "20260629_2.csv", "20260629_3.csv"]
    assert left(home) == []
    known = store.read_receipts(home.raw, "water", "meter")
    assert [(r.status, r.night) for r in known][:2] == [("refused", FIRST)] * 2


def test_one_part_corrected_replaces_that_part_alone(
    home: Home, split: Contract, land: Land, take_up: TakeUp
) -> None:
    for part in (1, 2, 3):
        land(home, "water", f"meter_20260629_{part}.csv", text(f"k{part}"))
    take_up(home, split, FIRST)
    land(home, "water", "meter_20260629_2.csv", text("k2", value="new"))
    (corrected,) = take_up(home, split, SECOND)
    assert corrected.status == "loaded"
    assert sorted(in_force(home)) == ["20260629_1.csv", "20260629_2.csv", "20260629_3.csv"]


def test_an_unreadable_part_holds_the_others_back_until_it_comes_again(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """How many parts there are was not agreed; that this one exists is known all the same."""
    land(home, "water", "meter_20260628.csv", text("old"))
    take_up(home, meter, FIRST - timedelta(days=1))
    land(home, "water", "meter_20260629_1.csv", text("a"))
    land(home, "water", "meter_20260629_2.csv", "")
    receipts = take_up(home, meter, FIRST)
    assert statuses(receipts) == {"20260629_1.csv": "refused", "20260629_2.csv": "refused"}
    assert [semantics.rule_of(r) for r in receipts] == ["parts_missing", "empty_file"]
    assert left(home) == ["20260629_1.csv"]
    assert in_force(home) == ["20260628.csv"]
    assert rows_on_disk(home) == 1
    assert take_up(home, meter, SECOND) == []
    land(home, "water", "meter_20260629_2.csv", text("b"))
    assert {r.status for r in take_up(home, meter, THIRD)} == {"loaded"}
    assert in_force(home) == ["20260628.csv", "20260629_1.csv", "20260629_2.csv"]


def test_a_second_try_under_a_number_needs_not_wait_for_the_file_that_was_refused(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", "")
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260629_2.csv", text("a"))
    assert statuses(take_up(home, meter, SECOND)) == {"20260629_2.csv": "loaded"}


def test_a_newer_delivery_makes_the_parts_that_wait_harmless(
    home: Home, split: Contract, land: Land, take_up: TakeUp
) -> None:
    """They can no longer replace anything: they are loaded into the history, and wait no more."""
    land(home, "water", "meter_20260629_1.csv", text("a"))
    take_up(home, split, FIRST)
    for part in (1, 2, 3):
        land(home, "water", f"meter_20260630_{part}.csv", text(f"k{part}"))
    take_up(home, split, SECOND)
    (late,) = take_up(home, split, THIRD)
    assert (late.file_name, late.status) == ("meter_20260629_1.csv", "loaded")
    known = store.read_receipts(home.raw, "water", "meter")
    assert semantics.newest_date(known) == SECOND
    assert left(home) == []


def test_two_parts_that_change_places_are_both_taken(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """Each content was in force under the other name; neither is a repetition."""
    land(home, "water", "meter_20260629_1.csv", text("a"))
    land(home, "water", "meter_20260629_2.csv", text("b"))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260629_1.csv", text("b"))
    land(home, "water", "meter_20260629_2.csv", text("a"))
    assert {r.status for r in take_up(home, meter, SECOND)} == {"loaded"}


def test_an_increment_is_never_held_back(
    home: Home, make_contract: MakeContract, land: Land, take_up: TakeUp
) -> None:
    contract = make_contract([KEY, {"name": "v"}, {"name": "w"}], custom={"delivery": "increment"})
    land(home, "water", "meter_20260629_1.csv", "")
    land(home, "water", "meter_20260629_2.csv", text("a"))
    receipts = take_up(home, contract, FIRST)
    assert [r.status for r in receipts] == ["refused", "loaded"]


# -- shrunken deliveries -----------------------------------------------------------------


def test_a_shrunken_full_delivery_replaces_nothing_until_it_is_confirmed(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", many(10))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260630.csv", many(4))
    (refused,) = take_up(home, meter, SECOND)
    assert (refused.status, semantics.rule_of(refused)) == ("refused", "shrunken")
    assert "全量报送 4 行，上一次 10 行，减少 60%" in (refused.reason or "")
    assert (left(home), in_force(home)) == ([], ["20260629.csv"])
    assert rows_on_disk(home) == 1
    assert list(home.archive.rglob(f"{refused.sm3}.csv"))
    land(home, "water", "meter_20260630_confirmed.csv", many(4))
    (confirmed,) = take_up(home, meter, THIRD)
    assert (confirmed.status, confirmed.rows_accepted) == ("loaded", 4)
    land(home, "water", "meter_20260701.csv", many(3))
    (next_day,) = take_up(home, meter, THIRD)
    assert next_day.status == "loaded", "the drop is measured against the confirmed delivery"


def test_a_confirmation_counts_for_the_content_that_was_refused_alone(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """Else a department that always writes `_confirmed` has no guard."""
    land(home, "water", "meter_20260629.csv", many(10))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260630_confirmed.csv", many(4))
    (first,) = take_up(home, meter, SECOND)
    assert semantics.rule_of(first) == "shrunken"
    land(home, "water", "meter_20260630_confirmed.csv", many(3))
    (other,) = take_up(home, meter, THIRD)
    assert semantics.rule_of(other) == "shrunken"


def test_exactly_the_agreed_drop_is_let_through(
    home: Home, make_contract: MakeContract, land: Land, take_up: TakeUp
) -> None:
    contract = make_contract([KEY, {"name": "v"}, {"name": "w"}], custom={"maxDrop": 0.3})
    land(home, "water", "meter_20260629.csv", many(10))
    take_up(home, contract, FIRST)
    land(home, "water", "meter_20260630.csv", many(6))
    assert statuses(take_up(home, contract, SECOND)) == {"20260630.csv": "refused"}
    land(home, "water", "meter_20260630.csv", many(7))
    assert statuses(take_up(home, contract, SECOND)) == {"20260630.csv": "loaded"}


def test_quarantined_rows_count_as_lost(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """A key column that came empty must not empty the dataset."""
    land(home, "water", "meter_20260629.csv", many(10))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260630.csv", text(*["m1"], *[""] * 9))
    (receipt,) = take_up(home, meter, SECOND)
    assert semantics.rule_of(receipt) == "shrunken"


def test_parts_are_judged_together_and_confirmed_together(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", many(10))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260630_1.csv", many(3))
    land(home, "water", "meter_20260630_2.csv", text("b", "c", "d"))
    assert {r.status for r in take_up(home, meter, SECOND)} == {"loaded"}, "six of ten rows"
    for part, keys in ((1, "a"), (2, "b")):
        land(home, "water", f"meter_20260701_{part}.csv", text(keys))
    refused = take_up(home, meter, THIRD)
    assert [semantics.rule_of(r) for r in refused] == ["shrunken"] * 2
    land(home, "water", "meter_20260701_1_confirmed.csv", text("a"))
    (held,) = take_up(home, meter, THIRD)
    assert semantics.rule_of(held) == "parts_missing", "half a confirmation is none"
    land(home, "water", "meter_20260701_2_confirmed.csv", text("b"))
    assert {r.status for r in take_up(home, meter, THIRD)} == {"loaded"}


def test_a_corrected_file_is_measured_against_the_one_it_corrects(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", many(10))
    take_up(home, meter, FIRST)
    land(home, "water", "meter_20260629.csv", many(2))
    assert statuses(take_up(home, meter, SECOND)) == {"20260629.csv": "refused"}
    land(home, "water", "meter_20260629_confirmed.csv", many(2))
    (confirmed,) = take_up(home, meter, THIRD)
    assert confirmed.status == "loaded"
    assert in_force(home) == ["20260629_confirmed.csv"], "it has the place of the unconfirmed name"


def test_a_delivery_that_comes_after_a_later_one_is_not_measured(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260630.csv", many(10))
    take_up(home, meter, SECOND)
    land(home, "water", "meter_20260629.csv", many(1))
    (late,) = take_up(home, meter, THIRD)
    assert late.status == "loaded"
    assert semantics.newest_date(store.read_receipts(home.raw, "water", "meter")) == SECOND


# -- repeated and corrected --------------------------------------------------------------


def test_a_correction_back_to_the_first_content_is_taken(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """The content was loaded once; but what is in force is another."""
    for night, value in ((FIRST, "one"), (SECOND, "two"), (THIRD, "one")):
        land(home, "water", "meter_20260629.csv", text("a", value=value))
        (receipt,) = take_up(home, meter, night)
        assert receipt.status == "loaded"
    known = store.read_receipts(home.raw, "water", "meter")
    assert [r.night for r in known] == [FIRST, SECOND, THIRD], "no night loses its receipt"
    assert [r.night for r in semantics.counting(known)] == [THIRD]


def test_a_part_of_a_log_may_say_again_what_an_earlier_one_said(
    home: Home, make_contract: MakeContract, land: Land, take_up: TakeUp
) -> None:
    """Inserted, deleted, inserted again: the third file is no repetition of the first."""
    custom = {"delivery": "change_log", "changeColumn": "v", "deleteValues": ["D"]}
    log = make_contract([KEY, {"name": "v", "required": True}, {"name": "w"}], custom=custom)
    for part, value in ((1, "I"), (2, "D"), (3, "I"), (4, "I")):
        land(home, "water", f"meter_20260629_{part}.csv", text("a", value=value))
    assert [r.status for r in take_up(home, log, FIRST)] == ["loaded"] * 3 + ["repeated"]


def test_copies_that_came_together_are_told_and_wait_together(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629_1.csv", text("a"))
    land(home, "water", "meter_20260629_2.csv", text("a"))
    land(home, "water", "meter_20260629_3.csv", "")
    receipts = take_up(home, meter, FIRST)
    assert [semantics.rule_of(r) for r in receipts] == [
        "parts_missing", "parts_missing", "empty_file",
    ]  # fmt: skip
    land(home, "water", "meter_20260629_3.csv", text("c"))
    assert [r.status for r in take_up(home, meter, SECOND)] == ["loaded", "repeated", "loaded"]


# -- early, and nights that are over -----------------------------------------------------


def test_an_early_file_waits_and_says_so(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260630.csv", text("a"))
    assert take_up(home, meter, FIRST) == []
    (waits,) = waiting(arrivals(home.landing, frozenset({meter.name})), FIRST)
    assert waits.name == "water/meter_20260630.csv"
    assert "业务日期晚于 2026-06-29" in waits.reason


def test_a_night_that_is_over_takes_nothing_up_any_more(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    """Run again it must give what it gave; the late file belongs to the next night."""
    land(home, "water", "meter_20260630.csv", text("a"))
    take_up(home, meter, SECOND)
    land(home, "water", "meter_20260629_9.csv", text("b"))
    assert take_up(home, meter, FIRST) == []
    assert left(home) == ["20260629_9.csv"]
    assert [r.status for r in take_up(home, meter, SECOND)] == ["loaded"]


# -- drift, receipts, names --------------------------------------------------------------


def test_a_missing_optional_column_is_null_and_recorded(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", "v,k,新\n1,a,2\n")
    (receipt,) = take_up(home, meter, FIRST)
    assert (receipt.status, receipt.rows_accepted) == ("loaded", 1)
    drift = receipt.findings["drift"]
    assert (drift["missing"], drift["unknown"], drift["reordered"]) == (["w"], ["新"], True)


def test_receipts_of_an_older_version_are_read(
    home: Home, meter: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text("a"))
    take_up(home, meter, FIRST)
    (path,) = home.raw.rglob("*.json")
    old = json.loads(path.read_text())
    del old["findings"]
    path.write_text(json.dumps(old))
    (receipt,) = store.read_receipts(home.raw, "water", "meter")
    assert (receipt.status, receipt.findings) == ("loaded", {})


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("meter_20260629_confirmed.csv", "meter_20260629.csv"),
        ("meter_20260629_2_confirmed.csv.gz", "meter_20260629_2.csv.gz"),
        ("meter_20260629.csv", "meter_20260629.csv"),
        ("meter_confirmed.csv", "meter_confirmed.csv"),
    ],
)
def test_the_plain_name_is_that_without_the_confirmation(name: str, plain: str) -> None:
    assert plain_name(name) == plain
