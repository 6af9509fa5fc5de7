"""Each fault, from the file that has it through the door to one named cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from pipelines.home import Home
from pipelines.warehouse import prepare
from quality.catalogue import Catalogue
from quality.causes import Cause, Recheck, causes_of, recheck_of
from quality.contract import Contract
from quality.dataset_judgement import judge_dataset
from quality.defects import open_defect_table
from quality.disagreements import keep_disagreements
from quality.results import complete
from tests.conftest import Land, MakeContract, TakeUp

FIRST = date(2026, 3, 2)
HISTORY = 14
NAMES = "张王李赵陈刘杨黄周吴"
KINDS = ("居民", "商业", "工业")
HEADER = ("表号", "户主", "用途", "抄表日期", "水费", "联系电话", "备注")
TODAY = HISTORY

Lines = list[list[str]]


def lines(number: int, rows: int = 60, since: int = 0) -> Lines:
    """What the department sends on the nth day: other meters each day, amounts of every size."""
    found = []
    for row in range(rows):
        meter = number * 1000 + row + since
        amount = 10 ** (1 + (meter * 7919 % 1000) / 500)
        found.append([
            f"W{meter:06}", NAMES[meter % 10] + NAMES[meter * 3 % 10], KINDS[meter % 3],
            (FIRST + timedelta(days=number)).isoformat(), f"{amount:.2f}",
            "" if meter % 9 == 0 else f"1390539{meter % 10000:04}", "正常抄表",
        ])  # fmt: skip
    return found


def text(rows: Lines, header: tuple[str, ...] = HEADER) -> str:
    return "".join(",".join(row) + "\n" for row in [list(header), *rows])


@dataclass
class Dataset:
    """One dataset at its door, with the usual deliveries of `HISTORY` days behind it."""

    home: Home
    contract: Contract
    land: Land
    take_up: TakeUp
    rechecks: list[Recheck] = field(default_factory=list)

    def send(self, number: int, content: str | bytes, ending: str = "") -> None:
        """The file of the nth day comes on the night that runs next."""
        day = FIRST + timedelta(days=number)
        self.land(self.home, "water", f"meter_{day:%Y%m%d}{ending}.csv", content)

    def night(self, number: int) -> list[Cause]:
        """Take up what lies there, judge, and return the night's causes."""
        night = FIRST + timedelta(days=number)
        self.take_up(self.home, self.contract, night)
        catalogue = Catalogue((self.contract,), ())
        prepare(self.home, catalogue, night)
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute("create schema if not exists staging")
            full = f"_business_date = (select max(_business_date) from raw.{self.contract.table})"
            connection.execute(
                f"create or replace view staging.{self.contract.staging_model} as "
                f"select * from raw.{self.contract.table} "
                f"where {full if self.contract.delivery == 'full' else 'true'} "
                "qualify row_number() over (partition by number "
                "order by _business_date desc, _sequence desc, _line_number) = 1"
            )
            open_defect_table(connection, [self.contract])
            keep_disagreements(connection, [])
            judgement = judge_dataset(connection, catalogue, self.contract, night, [])
        results = complete(catalogue, night, judgement.results)
        causes = causes_of(results, judgement.faults)
        self.rechecks.append(recheck_of(results, causes))
        return causes

    def causes(self, number: int) -> list[tuple[str, str]]:
        return [(cause.cause, cause.kind) for cause in self.night(number)]


Make = Callable[..., Dataset]


@pytest.fixture
def dataset(home: Home, make_contract: MakeContract, land: Land, take_up: TakeUp) -> Make:
    """`dataset(delivery=…, line_end=…)` with its usual history."""

    def make(*, delivery: str = "increment", line_end: str = "\n") -> Dataset:
        named: dict[str, Any] = {"type": "custom", "engine": "yishu"}
        columns: list[dict[str, Any]] = [
            {"name": "number", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
            {"name": "owner", "classification": "L3", "required": True,
             "quality": [{**named, "name": "owner_is_a_name", "implementation": "person_name"}]},
            {"name": "kind", "enum": [{"value": kind} for kind in KINDS]},
            {"name": "read_on", "logicalType": "date", "physicalType": "date"},
            {"name": "amount", "logicalType": "number", "physicalType": "decimal(18, 2)",
             "quality": [{**named, "name": "amount_in_range",
                          "implementation": "between(0, 99999)"}]},
            {"name": "phone", "classification": "L3",
             "quality": [{**named, "name": "phone_format", "implementation": "phone"}]},
            {"name": "remark"},
        ]  # fmt: skip
        for column, header in zip(columns, HEADER, strict=True):
            column |= {"physicalName": header, "businessName": header}
        contract = make_contract(columns, custom={"delivery": delivery})
        found = Dataset(home, contract, land, take_up)
        for number in range(HISTORY):
            rows = lines(0 if delivery == "full" else number, 60 + number)
            found.send(number, text(rows).rstrip("\n") + line_end)
            take_up(home, contract, FIRST + timedelta(days=number))
        return found

    return make


def test_usual_deliveries_have_no_cause(dataset: Make) -> None:
    usual = dataset()
    usual.send(TODAY, text(lines(TODAY)))
    assert usual.causes(TODAY) == []


def test_an_optional_column_that_is_missing_is_one_cause_until_the_file_comes_again(
    dataset: Make,
) -> None:
    """The next day's file has the column, and does not bring what this one lacked."""
    own = dataset()
    without = [row[:5] + row[6:] for row in lines(TODAY)]
    own.send(TODAY, text(without, HEADER[:5] + HEADER[6:]))
    (cause,) = own.night(TODAY)
    assert (cause.cause, cause.kind) == ("missing_column:phone", "missing_column")
    assert set(cause.rule_ids) == {"schema_agrees", "phone__nulls"}
    assert "「联系电话」" in cause.message
    own.send(TODAY + 1, text(lines(TODAY + 1)))
    assert [c.cause for c in own.night(TODAY + 1)] == ["missing_column:phone"]
    own.send(TODAY, text(lines(TODAY)))
    own.send(TODAY + 2, text(lines(TODAY + 2)))
    assert own.night(TODAY + 2) == []
    assert [recheck.recovered(cause) for recheck in own.rechecks] == [False, False, True]


def test_a_required_column_that_is_missing_is_the_same_fault(dataset: Make) -> None:
    own = dataset()
    without = [row[:1] + row[2:] for row in lines(TODAY)]
    own.send(TODAY, text(without, HEADER[:1] + HEADER[2:]))
    (cause,) = own.night(TODAY)
    assert (cause.cause, cause.rule_ids) == ("missing_column:owner", ("delivery_readable",))


def test_columns_that_stand_one_place_too_far_are_one_cause(dataset: Make) -> None:
    own = dataset()
    shifted = [[row[0], "", *row[1:-1]] for row in lines(TODAY)]
    own.send(TODAY, text(shifted))
    (cause,) = own.night(TODAY)
    assert cause.cause == "shifted_columns"
    assert "自「户主」起向右错一列" in cause.message
    assert {"owner__required", "kind__domain", "read_on__type"} <= set(cause.rule_ids)


def test_misread_characters_are_one_cause(dataset: Make) -> None:
    """UTF-8 that a program took for GB18030, and wrote as what it then saw."""
    own = dataset()
    content = text(lines(TODAY))
    header, _, body = content.partition("\n")
    own.send(TODAY, f"{header}\n" + body.encode().decode("gb18030", errors="replace"))
    (cause,) = own.night(TODAY)
    assert cause.cause == "wrong_encoding"
    assert "kind__domain" in cause.rule_ids


def test_a_misread_file_whose_delimiters_were_swallowed_is_not_a_cut_one(dataset: Make) -> None:
    """A bar can be the second byte of a GB18030 character; each row then has too few values."""
    own = dataset()
    rows = [[meter, f"{owner}明", *rest] for meter, owner, *rest in lines(TODAY)]
    piped = "\n".join("|".join(row) for row in rows)
    misread = piped.encode().decode("gb18030", errors="replace").replace("|", ",")
    assert all(line.count(",") < len(HEADER) - 1 for line in misread.splitlines())
    own.send(TODAY, ",".join(HEADER) + "\n" + misread + "\n")
    (cause,) = own.night(TODAY)
    assert cause.cause == "wrong_encoding"
    assert "row_shape" in cause.rule_ids


def test_broken_characters_are_one_cause(dataset: Make) -> None:
    own = dataset()
    content = text([[*row[:1], "张\ufffd三", *row[2:]] for row in lines(TODAY)])
    own.send(TODAY, content)
    assert [cause.cause for cause in own.night(TODAY)] == ["wrong_encoding"]


@pytest.mark.parametrize(("times", "rules"), [
    (10_000, {"amount__distribution", "amount_in_range"}), (10, {"amount__distribution"}),
])  # fmt: skip
def test_a_change_of_unit_is_one_cause_whether_rows_are_refused_or_not(
    dataset: Make, times: int, rules: set[str]
) -> None:
    own = dataset()
    own.send(TODAY, text([
        [*row[:4], f"{float(row[4]) * times:.2f}", *row[5:]] for row in lines(TODAY)
    ]))  # fmt: skip
    (cause,) = own.night(TODAY)
    assert (cause.cause, set(cause.rule_ids)) == ("unit_change:amount", rules)
    assert f"扩大 {times:,} 倍" in cause.message
    own.send(TODAY + 1, text(lines(TODAY + 1)))
    assert [c.cause for c in own.night(TODAY + 1)] == ["unit_change:amount"]
    own.send(TODAY, text(lines(TODAY)))
    own.send(TODAY + 2, text(lines(TODAY + 2)))
    assert own.night(TODAY + 2) == []
    assert own.rechecks[-1].recovered(cause)


def test_a_file_that_was_cut_within_a_line_is_one_cause(dataset: Make) -> None:
    own = dataset()
    content = text(lines(TODAY)).encode()
    own.send(TODAY, content[: len(content) * 55 // 100 - 12])
    (cause,) = own.night(TODAY)
    assert cause.cause == "cut_file"
    assert "file_whole" in cause.rule_ids


def test_what_the_cut_left_of_a_value_is_no_cause_of_its_own(dataset: Make) -> None:
    """Half a date in the last column has the shape of a row and breaks the rule of its column."""
    own = dataset()
    order = (0, 1, 2, 4, 5, 6, 3)  # the date comes last
    moved = [[row[place] for place in order] for row in lines(TODAY)]
    content = text(moved, tuple(HEADER[place] for place in order))
    own.send(TODAY, content[:-4])
    (cause,) = own.night(TODAY)
    assert (cause.cause, set(cause.rule_ids)) == ("cut_file", {"file_whole", "read_on__type"})
    own.send(TODAY, content)
    assert own.night(TODAY) == []
    assert own.rechecks[-1].recovered(cause)


def test_a_file_that_never_ends_with_a_whole_line_is_not_cut(home: Home, dataset: Make) -> None:
    """Some programs write no line end at the end."""
    own = dataset(line_end="")
    own.send(TODAY, text(lines(TODAY)).rstrip("\n"))
    assert own.night(TODAY) == []


def test_yesterdays_file_under_todays_date_is_one_cause(dataset: Make) -> None:
    own = dataset()
    own.send(TODAY, text(lines(TODAY - 1, 60 + TODAY - 1)))
    (cause,) = own.night(TODAY)
    assert (cause.cause, cause.rule_ids) == ("stale", ("fresh_content",))


def test_a_content_that_is_confirmed_is_no_cause_any_more(dataset: Make) -> None:
    own = dataset()
    content = text(lines(TODAY - 1, 60 + TODAY - 1))
    own.send(TODAY, content)
    (cause,) = own.night(TODAY)
    own.send(TODAY, content, "_confirmed")
    own.send(TODAY + 1, text(lines(TODAY + 1)))
    assert own.night(TODAY + 1) == []
    assert own.rechecks[-1].recovered(cause)


@pytest.mark.parametrize("rows", [5, 700])
def test_far_fewer_or_more_rows_are_one_cause(dataset: Make, rows: int) -> None:
    own = dataset()
    own.send(TODAY, text(lines(TODAY, rows)))
    (cause,) = own.night(TODAY)
    assert cause.cause == "volume_anomaly"
    assert f"{rows} 行" in cause.message


def test_a_full_delivery_that_was_cut_is_one_cause_until_the_next_one(dataset: Make) -> None:
    own = dataset(delivery="full")
    content = text(lines(0, 60 + HISTORY)).encode()
    own.send(TODAY, content[: len(content) * 55 // 100 - 12])
    (cause,) = own.night(TODAY)
    assert (cause.cause, cause.rule_ids) == ("cut_file", ("file_whole", "row_shape"))
    own.send(TODAY + 1, text(lines(0, 60 + TODAY + 1)))
    assert own.night(TODAY + 1) == []
    assert own.rechecks[-1].recovered(cause)


def test_a_file_that_cannot_be_read_to_its_end_is_cut(
    dataset: Make, home: Home, take_up: TakeUp
) -> None:
    import gzip

    own = dataset()
    packed = gzip.compress(text(lines(TODAY)).encode())
    day = FIRST + timedelta(days=TODAY)
    own.land(home, "water", f"meter_{day:%Y%m%d}.csv.gz", packed[: len(packed) // 2])
    (cause,) = own.night(TODAY)
    assert (cause.cause, cause.rule_ids) == ("cut_file", ("delivery_readable",))


def test_no_cause_shows_a_personal_value(dataset: Make) -> None:
    own = dataset()
    own.send(TODAY, text([[row[0], "", *row[1:-1]] for row in lines(TODAY)]))
    shown = " ".join(cause.message + cause.title for cause in own.night(TODAY))
    assert "1390539" not in shown
    assert not any(name in shown for row in lines(TODAY) for name in [row[1]])
