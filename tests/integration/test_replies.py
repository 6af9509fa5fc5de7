"""The round trip: the workbook goes out, a clerk fills it in, and the next night takes it up.

The workbook is edited with openpyxl, which writes it anew as a spreadsheet program would.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from pipelines import replies
from pipelines.home import Home
from pipelines.ingest.store import Receipt
from pipelines.warehouse import prepare
from quality import nightly
from quality.catalogue import Catalogue
from quality.causes import causes_of, write_causes
from quality.feedback.reply_sheet import SHEET
from quality.results import FAIL, PASS, RuleResult, write_rule_results
from tests.conftest import MakeContract

FIRST = date(2026, 6, 29)  # a Monday
WATER, GAS = "water", "gas"
SENDERS = {WATER: "临沂市水务局", GAS: "临沂市燃气办", "big_data": "临沂市大数据局"}
ORDER, ACTION, NOTE, UNTIL = 0, 5, 6, 7


@dataclass
class Loop:
    """Nights with a failing rule in each of two departments, and the clerks who answer."""

    home: Home
    catalogue: Catalogue

    def night(self, number: int, status: str = FAIL) -> list[Receipt]:
        """Take up replies, judge as told, derive the orders, write the workbooks."""
        night = FIRST + timedelta(days=number)
        receipts = replies.take_up(self.home, SENDERS, night)
        prepare(self.home, self.catalogue, night)
        results = [
            RuleResult(night, department, "meter", "v__required", "pandera", "completeness",
                       "error", status, int(status == FAIL), 10, message="「读数」为空，请补齐。")
            for department in (WATER, GAS)
        ]  # fmt: skip
        with duckdb.connect(str(self.home.warehouse)) as connection:
            write_rule_results(connection, night, results)
            write_causes(connection, night, causes_of(results))
        nightly.score(self.home.warehouse, night)
        nightly.order(self.home.warehouse, night, self.catalogue)
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute(
                "create table if not exists quality.defect (department varchar, dataset varchar, "
                "rule_id varchar, is_open boolean)"
            )
        for department in (WATER, GAS):
            nightly.send_home(self.home.warehouse, self.catalogue, department, night,
                              self.home.outbox)  # fmt: skip
        nightly.send_decisions(self.home.warehouse, self.catalogue, "big_data", night,
                               self.home.outbox)  # fmt: skip
        return receipts

    def workbook(self, department: str, number: int, ending: str = "") -> Path:
        night = FIRST + timedelta(days=number)
        return self.home.outbox / department / f"质量反馈_{night:%Y%m%d}{ending}.xlsx"

    def answer(
        self,
        department: str,
        number: int,
        *rows: dict[int, Any],
        name: str | None = None,
        workbook: Path | None = None,
        first_entry: int = ACTION,
    ) -> None:
        """Fill in the nth night's workbook line by line and drop it into landing."""
        source = workbook or self.workbook(department, number)
        book = openpyxl.load_workbook(source)
        for line, cells in enumerate(rows, start=2):
            for column, value in cells.items():
                shift = first_entry - ACTION if column >= ACTION else 0
                book[SHEET].cell(line, column + shift + 1).value = value
        target = self.home.landing / department / (name or source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        book.save(target)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def phase(self, department: str) -> str:
        ((phase,),) = self.ask(
            f"select phase from quality.work_order where department = '{department}'"
        )
        return phase

    def outcomes(self) -> list[tuple[str, str]]:
        return self.ask("select status, reason from quality.reply order by business_date, status")


@pytest.fixture
def loop(home: Home, make_contract: MakeContract) -> Loop:
    columns = [
        {"name": "k", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
        {"name": "v", "required": True},
    ]
    contracts = [
        make_contract(columns, department=department, team={"name": SENDERS[department],
                      "members": [{"username": "信息科", "role": "owner"}]})
        for department in (GAS, WATER)
    ]  # fmt: skip
    return Loop(home, Catalogue(tuple(contracts), ()))


def test_the_reply_sheet_lists_open_orders_with_drop_downs_and_date_limits(loop):
    loop.night(0)
    sheet = openpyxl.load_workbook(loop.workbook(WATER, 0))[SHEET]
    header, line = list(sheet.iter_rows(min_row=1, max_row=2, values_only=True))
    assert header == (
        "工单号",
        "数据集",
        "问题和处理要求",
        "期限",
        "状态",
        "回复",
        "说明",
        "延期至",
    )
    assert line[ORDER].startswith("WO-20260629-")
    kinds = {str(v.sqref): v for v in sheet.data_validations.dataValidation}
    assert kinds["F2"].type == "list"
    assert kinds["F2"].formula1 == '"已更正,有异议,申请延期"'
    assert kinds["H2"].type == "date"


def test_a_reply_changes_the_order_and_is_kept_like_any_delivery(loop):
    loop.night(0)
    loop.answer(WATER, 0, {ACTION: "已更正"})
    (receipt,) = loop.night(1)
    assert (receipt.status, receipt.rows_accepted, receipt.rows_quarantined) == ("loaded", 1, 0)
    assert list(loop.home.archive.glob("*/*.xlsx"))
    assert not list((loop.home.landing / WATER).iterdir())
    assert (loop.phase(WATER), loop.phase(GAS)) == ("in_correction", "notified")
    assert loop.outcomes() == [("accepted", "")]
    (told,) = loop.ask("select status, night from meta.delivery where dataset = 'quality_reply'")
    assert told == ("loaded", FIRST + timedelta(days=1))
    loop.night(2, PASS)
    assert loop.phase(WATER) == "closed"


@pytest.mark.parametrize(
    "name",
    ["质量反馈_20260629.xlsx", "质量反馈_20260629_回复.xlsx", "质量反馈_20260629 (1).xlsx",
     "回复：质量反馈20260629-副本.xlsx", "水务局质量反馈.xlsx"],
)  # fmt: skip
def test_whatever_a_clerk_names_the_file_it_is_read(loop, name):
    loop.night(0)
    loop.answer(WATER, 0, {ACTION: "已更正"}, name=name)
    loop.night(1)
    assert loop.phase(WATER) == "in_correction"


def test_a_sheet_saved_as_csv_is_read_too(loop):
    loop.night(0)
    number = loop.ask("select order_id from quality.work_order where department = 'water'")[0][0]
    text = f"工单号,数据集,回复,说明,延期至\n{number},水表,申请延期,,2026年7月6日\n"
    path = loop.home.landing / WATER / "质量反馈_20260629_回复.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("gb18030"))
    loop.night(1)
    assert loop.ask("select phase, due_on from quality.work_order where department = 'water'") == [
        ("waived", date(2026, 7, 6))
    ]


def test_a_dispute_goes_to_the_department_that_decides_and_comes_back(loop):
    loop.night(0)
    loop.answer(WATER, 0, {ACTION: "有异议", NOTE: "表已报停，联系 13954911234"})
    loop.night(1)
    assert loop.phase(WATER) == "disputed"
    path = loop.workbook("big_data", 1, "_异议裁决")
    sheet = openpyxl.load_workbook(path)[SHEET]
    line = next(sheet.iter_rows(min_row=2, values_only=True))
    assert line[1] == "临沂市水务局"
    assert line[4] == "表已报停，联系 ***"
    loop.answer("big_data", 1, {ACTION: "异议成立", UNTIL: date(2026, 9, 30)}, workbook=path,
                first_entry=6)  # fmt: skip
    loop.night(2)
    assert loop.ask("select phase, waived_until from quality.work_order where department = 'water'"
                    ) == [("waived", date(2026, 9, 30))]  # fmt: skip
    assert not loop.workbook("big_data", 2, "_异议裁决").exists()


def test_bad_replies_are_refused_with_reasons_and_told_in_the_next_workbook(loop):
    loop.night(0)
    gas = loop.ask("select order_id from quality.work_order where department = 'gas'")[0][0]
    loop.answer(
        WATER, 0,
        {ACTION: "改好了"},
        {ORDER: gas, ACTION: "已更正"},
        {ORDER: "WO-20260629-00000000", ACTION: "已更正"},
        {ORDER: "工单1", ACTION: "已更正"},
        {ORDER: gas, ACTION: "申请延期", UNTIL: "下周"},
    )  # fmt: skip
    (receipt,) = loop.night(1)
    assert (receipt.rows_accepted, receipt.rows_quarantined) == (2, 3)
    assert (loop.phase(WATER), loop.phase(GAS)) == ("notified", "notified")
    statuses, reasons = zip(*loop.outcomes(), strict=True)
    assert set(statuses) == {"refused"}
    told = "".join(reasons)
    for expected in ("只能填写：已更正", "没有此工单号", "不是平台的工单号", "应为日期"):
        assert expected in told
    overview = openpyxl.load_workbook(loop.workbook(WATER, 1))["总览"]
    shown = [str(cell) for row in overview.iter_rows(values_only=True) for cell in row]
    assert "上次回复的处理结果" in shown
    assert shown.count("未采纳") == 5


def test_an_unusable_file_is_refused_as_a_whole_and_stops_no_night(loop):
    loop.night(0)
    path = loop.home.landing / WATER / "质量反馈_20260629.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PK\x03\x04 not a workbook")
    (receipt,) = loop.night(1)
    assert receipt.status == "refused"
    assert loop.phase(WATER) == "notified"
    overview = openpyxl.load_workbook(loop.workbook(WATER, 1))["总览"]
    shown = [str(cell) for row in overview.iter_rows(values_only=True) for cell in row]
    assert "质量反馈回复" in shown


def test_a_workbook_sent_back_untouched_asks_for_nothing(loop):
    loop.night(0)
    loop.answer(WATER, 0)
    loop.night(1)
    assert (loop.phase(WATER), loop.outcomes()) == ("notified", [])


def test_a_file_of_another_folder_is_no_reply(loop):
    """Only departments that the catalogue knows may answer."""
    loop.night(0)
    loop.answer(WATER, 0, {ACTION: "已更正"})
    stray = loop.home.landing / "stray"
    (loop.home.landing / WATER).rename(stray)
    assert loop.night(1) == []
    assert list(stray.iterdir())


def test_a_night_rebuilt_after_later_replies_gives_the_same_orders(loop):
    def tables() -> list[Any]:
        return [loop.ask(f"select * from quality.{name} order by all")
                for name in ("work_order", "work_order_event", "reply")]  # fmt: skip

    loop.night(0)
    loop.answer(WATER, 0, {ACTION: "已更正"})
    loop.night(1)
    then = tables()
    loop.answer(WATER, 1, {ACTION: "申请延期", UNTIL: date(2026, 7, 6)})
    loop.night(2)
    now = tables()
    assert now != then
    loop.night(1)
    assert tables() == then
    loop.night(2)
    assert tables() == now


def test_two_workbooks_of_one_name_both_count(loop):
    """A corrected reply adds to the history; it does not undo what was told that night."""
    loop.night(0)
    loop.answer(WATER, 0, {ACTION: "已更正"})
    loop.night(1)
    loop.answer(WATER, 0, {ACTION: "申请延期", UNTIL: date(2026, 7, 6)})
    loop.night(2)
    steps = loop.ask("select event from quality.work_order_event as e inner join "
                     "quality.work_order using (order_id) where department = 'water' "
                     "order by e.position")  # fmt: skip
    assert [step for (step,) in steps] == ["opened", "notified", "correction_claimed", "extended"]
