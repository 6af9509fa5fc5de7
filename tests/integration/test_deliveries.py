"""Deliveries of every kind, taken up over nights: what staging shows, and who is told.

The staging model is the one that `dbt_scaffold` writes, rendered without dbt.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from pipelines.dbt_scaffold import SINCE, differences, staging_sql, write_staging
from pipelines.home import PROJECT, Home
from pipelines.warehouse import prepare
from quality.catalogue import Catalogue
from quality.causes import causes_of, recheck_of
from quality.contract import Contract
from quality.defects import build_defects, open_defect_table
from quality.ledger import read_ledger
from quality.results import RuleResult
from quality.row_results import ledger_results
from quality.work_orders import Night, derive_orders, read_policy
from tests.conftest import Land, MakeContract, TakeUp

FIRST = date(2026, 6, 29)
DAYS = [FIRST + timedelta(days=n) for n in range(5)]
KEY = {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1}
CHANGE = {"name": "op", "required": True, "enum": [{"value": "I"}, {"value": "D"}]}
CUSTOM: dict[str, dict[str, Any]] = {
    "full": {"maxDrop": 1},
    "increment": {"delivery": "increment"},
    "change_log": {"delivery": "change_log", "changeColumn": "op", "deleteValues": ["D"]},
}


@pytest.fixture(scope="module")
def contracts(make_contract: MakeContract) -> dict[str, Contract]:
    """One dataset in each kind of delivery; the full one without its guard."""
    columns = [KEY, CHANGE, {"name": "v", "required": True}]
    return {kind: make_contract(columns, custom=custom) for kind, custom in CUSTOM.items()}


@pytest.fixture(scope="module")
def guarded(make_contract: MakeContract) -> Contract:
    return make_contract([KEY, {"name": "v"}, {"name": "w"}], custom={"parts": 2})


def staging_query(contract: Contract) -> str:
    """The staging model as dbt would compile it on a whole build."""
    names = ("same_values.sql", "since_it_stands.sql", "latest_version.sql")
    macros = "".join((PROJECT / "dbt_project/macros" / name).read_text("utf-8") for name in names)

    def source(schema: str, table: str) -> str:
        return f"meta.{table}" if schema == "meta" else f"raw.{schema}__{table}"

    def no_join(_: list[str]) -> str:
        return ""

    def prefixed(relation: str, columns: Iterable[str]) -> list[str]:
        return [f"{relation}.{column}" for column in columns]

    environment = Environment(autoescape=False, extensions=["jinja2.ext.do"])  # noqa: S701  (SQL)
    model = {"unique_id": f"model.yishu.{contract.staging_model}"}
    template = environment.from_string(macros + staging_sql(contract))
    delivered = ["_delivery_id", "_business_date", "_line_number"]
    dbt = {
        "config": dict, "goes_on": bool, "prefixed": prefixed, "only_changed": no_join,
        "delivered_columns": lambda: delivered, "since_columns": lambda: list(SINCE),
    }  # fmt: skip
    return template.render(source=source, model=model, **dbt)


def staged(home: Home, contract: Contract, night: date) -> list[tuple[str, str]]:
    """Key and value of every row in force as of a night."""
    prepare(home, Catalogue((contract,), ()), night)
    with duckdb.connect(str(home.warehouse)) as connection:
        query = f"select k, v from ({staging_query(contract)}) order by all"
        return connection.execute(query).fetchall()


def standing_since(home: Home, contract: Contract) -> dict[str, date]:
    """Key → since when its row stands as it is, as of the night that was staged last."""
    with duckdb.connect(str(home.warehouse)) as connection:
        query = f"select k, _since_business_date from ({staging_query(contract)})"
        return dict(connection.execute(query).fetchall())


def text(rows: Iterable[tuple[str, str, str]]) -> str:
    return "\n".join(["k,op,v", *(",".join(row) for row in rows), ""])


# -- each kind by itself -----------------------------------------------------------------


def test_a_log_inserts_changes_deletes_and_brings_back(
    home: Home, contracts: dict[str, Contract], land: Land, take_up: TakeUp
) -> None:
    log = contracts["change_log"]
    lines = [("a", "I", "1"), ("b", "I", "1"), ("a", "I", "2"), ("c", "I", "1"), ("c", "D", "")]
    land(home, "water", "meter_20260629.csv", text(lines))
    (receipt,) = take_up(home, log, DAYS[0])
    assert receipt.rows_accepted == 5, "a row that deletes needs no more than its key"
    assert staged(home, log, DAYS[0]) == [("a", "2"), ("b", "1")]
    land(home, "water", "meter_20260630.csv", text([("b", "D", "1"), ("c", "I", "3")]))
    take_up(home, log, DAYS[1])
    assert staged(home, log, DAYS[1]) == [("a", "2"), ("c", "3")]
    assert staged(home, log, DAYS[0]) == [("a", "2"), ("b", "1")]


def test_a_log_of_an_earlier_day_that_comes_late_does_not_win(
    home: Home, contracts: dict[str, Contract], land: Land, take_up: TakeUp
) -> None:
    log = contracts["change_log"]
    land(home, "water", "meter_20260630.csv", text([("a", "D", "")]))
    take_up(home, log, DAYS[1])
    land(home, "water", "meter_20260629.csv", text([("a", "I", "1"), ("b", "I", "1")]))
    take_up(home, log, DAYS[2])
    assert staged(home, log, DAYS[2]) == [("b", "1")]


def test_a_corrected_part_keeps_its_place_in_the_day(
    home: Home, contracts: dict[str, Contract], land: Land, take_up: TakeUp
) -> None:
    """Put behind the others it would bring back what the second part deleted."""
    log = contracts["change_log"]
    land(home, "water", "meter_20260629_1.csv", text([("a", "I", "1")]))
    land(home, "water", "meter_20260629_2.csv", text([("a", "D", "")]))
    take_up(home, log, DAYS[0])
    land(home, "water", "meter_20260629_1.csv", text([("a", "I", "2"), ("b", "I", "1")]))
    take_up(home, log, DAYS[1])
    assert staged(home, log, DAYS[1]) == [("b", "1")]


def test_a_row_that_inserts_still_needs_its_required_values(
    home: Home, contracts: dict[str, Contract], land: Land, take_up: TakeUp
) -> None:
    land(home, "water", "meter_20260629.csv", text([("a", "I", ""), ("b", "", "1")]))
    (receipt,) = take_up(home, contracts["change_log"], DAYS[0])
    assert receipt.rows_quarantined == 2


def test_a_later_line_of_a_log_puts_a_refused_one_right(
    home: Home, contracts: dict[str, Contract], land: Land, take_up: TakeUp
) -> None:
    log = contracts["change_log"]
    lines = [("a", "I", ""), ("b", "I", ""), ("a", "I", "1")]
    land(home, "water", "meter_20260629.csv", text(lines))
    take_up(home, log, DAYS[0])
    prepare(home, Catalogue((log,), ()), DAYS[0])
    with duckdb.connect(str(home.warehouse)) as connection:
        model = f"create schema staging; create view staging.{log.staging_model}"
        connection.execute(f"{model} as {staging_query(log)}")
        open_defect_table(connection, [log])
        build_defects(connection, log)
        found = connection.execute(
            "select line_number, is_open from quality.defect order by all"
        ).fetchall()
    assert found == [(2, False), (3, True)]


def test_a_confirmed_full_delivery_of_no_rows_empties_the_dataset(
    home: Home, contracts: dict[str, Contract], land: Land, take_up: TakeUp
) -> None:
    full = contracts["full"]
    land(home, "water", "meter_20260629.csv", text([("a", "I", "1")]))
    land(home, "water", "meter_20260630.csv", text([]))
    take_up(home, full, DAYS[1])
    assert staged(home, full, DAYS[1]) == []


def test_the_scaffold_of_a_log_agrees_with_its_contract(
    tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    log = contracts["change_log"]
    sql, _ = write_staging(log, tmp_path)
    assert differences(log, tmp_path) == []
    sql.write_text(sql.read_text().replace("delete_values=['D']", "delete_values=['X']"))
    (line,) = differences(log, tmp_path)
    assert "delete_values=['X']; the contract says ['D']" in line


# -- rules, and the orders that follow ---------------------------------------------------


@dataclass
class Nights:
    """Runs the door and the ledger's rules night by night, and derives the orders."""

    home: Home
    contract: Contract
    take_up: TakeUp
    history: list[RuleResult] = field(default_factory=list)

    def run(self, night: date) -> dict[str, str]:
        """Take up, judge; returns rule → status of the rules on deliveries."""
        self.take_up(self.home, self.contract, night)
        return self.judge(night)

    def judge(self, night: date) -> dict[str, str]:
        prepare(self.home, Catalogue((self.contract,), ()), night)
        with duckdb.connect(str(self.home.warehouse)) as connection:
            results = ledger_results(read_ledger(connection, self.contract), self.contract, night)
        self.history = [r for r in self.history if r.business_date != night] + results
        return {r.rule_id: r.status for r in results}

    def orders(self) -> list[tuple[str, str]]:
        """Rule and state of all orders so far."""
        nights = []
        for night in sorted({result.business_date for result in self.history}):
            own = [result for result in self.history if result.business_date == night]
            causes = causes_of(own)
            nights.append(Night(night, tuple(causes), recheck_of(own, causes)))
        return [(o.cause, o.state) for o in derive_orders(nights, read_policy()).orders]

    def message(self, rule: str) -> str:
        return next(r.message for r in reversed(self.history) if r.rule_id == rule)


@pytest.fixture
def nights(home: Home, guarded: Contract, take_up: TakeUp) -> Nights:
    return Nights(home, guarded, take_up)


def whole(home: Home, land: Land, day: date, count: int = 10, header: str = "k,v,w") -> None:
    """Both parts of a day."""
    for part in (1, 2):
        rows = [f"{part}-{number},x,y" for number in range(count // 2)]
        land(home, "water", f"meter_{day:%Y%m%d}_{part}.csv", "\n".join([header, *rows, ""]))


def test_missing_parts_are_one_order_that_closes_when_they_come(nights: Nights, land: Land) -> None:
    home = nights.home
    whole(home, land, DAYS[0])
    assert set(nights.run(DAYS[0]).values()) == {"pass"}
    whole(home, land, DAYS[1])
    (home.landing / "water" / "meter_20260630_2.csv").rename(home.root / "later.csv")
    assert nights.run(DAYS[1])["delivery_complete"] == "fail"
    assert "meter_20260630_1.csv：全量报送缺少分片 _2" in nights.message("delivery_complete")
    nights.run(DAYS[2])
    assert nights.orders() == [("delivery_complete", "open")], "one cause, one order"
    (home.root / "later.csv").rename(home.landing / "water" / "meter_20260630_2.csv")
    whole(home, land, DAYS[2])
    whole(home, land, DAYS[3])
    assert set(nights.run(DAYS[3]).values()) == {"pass"}
    assert nights.orders() == [("delivery_complete", "closed")]
    assert nights.judge(DAYS[1])["delivery_complete"] == "fail", "the night gives what it gave"


def test_a_shrunken_delivery_is_one_order_that_the_confirmation_closes(
    nights: Nights, land: Land
) -> None:
    home = nights.home
    whole(home, land, DAYS[0])
    nights.run(DAYS[0])
    whole(home, land, DAYS[1], count=2)
    statuses = nights.run(DAYS[1])
    assert [rule for rule, status in statuses.items() if status == "fail"] == ["not_shrunken"]
    assert "减少 80%" in nights.message("not_shrunken")
    assert "_confirmed" in nights.message("not_shrunken").partition("，请")[2]
    nights.run(DAYS[2])
    assert nights.orders() == [("not_shrunken", "open")]
    whole(home, land, DAYS[1], count=2)
    for part in (1, 2):
        path = home.landing / "water" / f"meter_20260630_{part}.csv"
        path.rename(path.with_stem(f"{path.stem}_confirmed"))
    assert set(nights.run(DAYS[2]).values()) == {"pass"}
    assert nights.orders() == [("not_shrunken", "closed")]
    assert staged_keys(nights, DAYS[2]) == ["1-0", "2-0"]


def staged_keys(nights: Nights, night: date) -> list[str]:
    return [key for key, _ in staged(nights.home, nights.contract, night)]


def test_another_header_is_one_warning_that_closes_when_it_is_as_agreed(
    nights: Nights, land: Land
) -> None:
    whole(nights.home, land, DAYS[0], header="k,v,w")
    nights.run(DAYS[0])
    whole(nights.home, land, DAYS[1], header="k,v,W2")
    statuses = nights.run(DAYS[1])
    assert [rule for rule, status in statuses.items() if status == "fail"] == ["schema_agrees"]
    assert "「w」疑似改名为「W2」" in nights.message("schema_agrees")
    whole(nights.home, land, DAYS[2], header="w,v,k")
    nights.run(DAYS[2])
    assert nights.orders() == [("schema_agrees", "closed")], "another order of columns is no fault"


def test_without_the_key_the_refusal_is_the_only_order(nights: Nights, land: Land) -> None:
    whole(nights.home, land, DAYS[0])
    nights.run(DAYS[0])
    whole(nights.home, land, DAYS[1], header="q,v,w")
    nights.run(DAYS[1])
    nights.run(DAYS[2])
    assert nights.orders() == [("delivery_readable", "open")]
    whole(nights.home, land, DAYS[2])
    nights.run(DAYS[2])
    assert set(nights.judge(DAYS[2]).values()) == {"pass"}


@pytest.mark.parametrize("kind", ["change_log", "increment"])
def test_a_hole_stays_until_it_is_filled(
    home: Home, contracts: dict[str, Contract], land: Land, take_up: TakeUp, kind: str
) -> None:
    """The next day's file does not bring what the refused one would have."""
    nights = Nights(home, contracts[kind], take_up)
    land(home, "water", "meter_20260629.csv", "")
    nights.run(DAYS[0])
    land(home, "water", "meter_20260630.csv", text([("a", "I", "1")]))
    assert nights.run(DAYS[1])["delivery_readable"] == "fail"
    land(home, "water", "meter_20260629.csv", text([("b", "I", "1")]))
    assert nights.run(DAYS[2])["delivery_readable"] == "pass"


# -- any sequence ------------------------------------------------------------------------


@dataclass(frozen=True)
class File:
    """One file as it lands: `rows` are (key, operation, value)."""

    night: int
    day: int
    part: int
    confirmed: bool
    rows: tuple[tuple[str, str, str], ...]

    @property
    def name(self) -> str:
        number = f"_{self.part}" if self.part else ""
        mark = "_confirmed" if self.confirmed else ""
        return f"meter_{DAYS[self.day]:%Y%m%d}{number}{mark}.csv"


@dataclass
class Model:
    """The rules of deliveries as one would tell them: files that count, by day and part."""

    kind: str
    counting: dict[tuple[int, int], tuple[tuple[str, str, str], ...]] = field(default_factory=dict)

    def take_up(self, files: list[File]) -> None:
        """The files of a night, of which those of later days are left out already."""
        for day in sorted({file.day for file in files}):
            own = sorted((f for f in files if f.day == day), key=lambda f: (f.part, f.confirmed))
            for file in self._in_order(own):
                if not self._repeats(file):
                    self.counting[file.day, file.part] = file.rows

    def _in_order(self, files: list[File]) -> list[File]:
        """Of a full delivery first what replaces others: by it new names are measured."""
        if self.kind != "full":
            return files
        parts = [file.part for file in files] + [part for _, part in self.counting_of(files)]
        return sorted(files, key=lambda file: parts.count(file.part) == 1)

    def counting_of(self, files: list[File]) -> list[tuple[int, int]]:
        return [place for place in self.counting if place[0] == files[0].day]

    def _repeats(self, file: File) -> bool:
        if (file.day, file.part) in self.counting:
            return self.counting[file.day, file.part] == file.rows
        places = sorted(self.counting_of([file]))
        if self.kind != "full":
            places = places[-1:]
        return any(self.counting[place] == file.rows for place in places)

    def staged(self) -> list[tuple[str, str]]:
        deletes = self.kind == "change_log"
        rows = self._newest()
        return sorted((k, v) for k, (op, v) in rows.items() if not (deletes and op == "D"))

    def standing_since(self) -> dict[str, date]:
        """Of a full delivery: back from the newest day, as long as the key came with the values."""
        days = sorted({day for day, _ in self.counting}, reverse=True)
        return {
            key: DAYS[min(takewhile(partial(self._has, key, values), days))]
            for key, values in self._newest().items()
        }

    def _has(self, key: str, values: tuple[str, str], day: int) -> bool:
        return self._newest(day).get(key) == values

    def _newest(self, day: int | None = None) -> dict[str, tuple[str, str]]:
        """Key → operation and value in force; of a full delivery on one day, or the newest."""
        places = sorted(self.counting)
        if self.kind == "full" and places:
            day = places[-1][0] if day is None else day
            places = [place for place in places if place[0] == day]
        rows: dict[str, tuple[str, str]] = {}
        for place in places:
            lines = self.counting[place]
            last_wins = lines if self.kind == "change_log" else reversed(lines)
            rows |= {key: (operation, value) for key, operation, value in last_wins}
        return rows


rows = st.tuples(st.sampled_from("abc"), st.sampled_from("IID"), st.sampled_from("xy"))
files = st.builds(
    File,
    night=st.integers(0, 3),
    day=st.integers(0, 2),
    part=st.integers(0, 2),
    confirmed=st.sampled_from([False, False, True]),
    rows=st.lists(rows, max_size=3).map(tuple),
)


@settings(max_examples=25)
@given(
    kind=st.sampled_from(sorted(CUSTOM)),
    sequence=st.lists(files, min_size=1, max_size=8, unique_by=lambda f: (f.night, f.name)),
)
def test_any_sequence_of_deliveries_gives_what_the_rules_say_and_every_night_gives_it_again(
    contracts: dict[str, Contract], land: Land, take_up: TakeUp, kind: str, sequence: list[File]
) -> None:
    contract, model = contracts[kind], Model(kind)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder)).create()
        waiting: dict[str, File] = {}
        gave: list[list[tuple[str, str]]] = []
        for night in range(4):
            for file in (file for file in sequence if file.night == night):
                land(home, "water", file.name, text(file.rows))
                waiting[file.name] = file
            take_up(home, contract, DAYS[night])
            model.take_up([file for file in waiting.values() if file.day <= night])
            waiting = {name: file for name, file in waiting.items() if file.day > night}
            gave.append(staged(home, contract, DAYS[night]))
            assert gave[-1] == model.staged(), f"night {night}"
            if kind == "full":
                assert standing_since(home, contract) == model.standing_since(), f"night {night}"
            left = {path.name for path in home.landing.glob("*/*")}
            assert left == set(waiting), "what is early waits, all else is taken up"
        for night in range(4):
            take_up(home, contract, DAYS[night])
            assert staged(home, contract, DAYS[night]) == gave[night], f"night {night} again"
