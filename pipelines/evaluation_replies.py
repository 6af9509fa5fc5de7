"""What departments of the simulation answer: the reply sheet, filled in and sent back.

Belongs here: a clerk's part of the round trip, from the workbook in the outbox to the one in
landing. Does not belong here: reading replies (the door) or what they do (`quality.work_orders`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import xlsxwriter
from python_calamine import CalamineWorkbook

from pipelines.evaluation_orders import Fault
from pipelines.home import Home
from pipelines.sample_city.incidents.incident import ASK_TIME, DISPUTE, Incident
from pipelines.warehouse import open_warehouse
from quality.feedback.reply_sheet import SHEET

_ANSWERS = {DISPUTE: "有异议", ASK_TIME: "申请延期"}
_NUMBER, _ANSWER, _NOTE, _UNTIL = "工单号", "回复", "说明", "延期至"


@dataclass(frozen=True)
class Answer:
    """One line that a clerk fills in."""

    order_id: str
    action: str
    note: str = ""
    until: date | None = None


def answer(home: Home, department: str, told_on: date, incidents: Sequence[Incident]) -> int:
    """Fill in the workbook of a night for these incidents, and put it into landing.

    Returns:
        How many orders were answered; an incident without an order cannot be.
    """
    answers = [found for incident in incidents if (found := _answer(home, incident))]
    workbook = home.outbox / department / f"质量反馈_{told_on:%Y%m%d}.xlsx"
    if not answers:
        return 0
    header, *lines = CalamineWorkbook.from_path(workbook).get_sheet_by_name(SHEET).to_python()
    filled = {one.order_id: one for one in answers}
    target = home.landing / department / f"{workbook.stem}_回复.xlsx"
    target.parent.mkdir(parents=True, exist_ok=True)
    _save(target, [str(title) for title in header], lines, filled)
    present = {str(line[header.index(_NUMBER)]) for line in lines}
    return len(present & set(filled))


def _answer(home: Home, incident: Incident) -> Answer | None:
    with open_warehouse(home) as connection:
        orders = connection.execute(
            "select order_id, cause from quality.work_order "
            "where department = ? and dataset = ? and state = 'open'",
            [incident.department, incident.dataset],
        ).fetchall()
    fault = Fault(incident.department, incident.dataset, incident.kind, incident.causes,
                  incident.first, incident.corrected)  # fmt: skip
    for order_id, cause in orders:
        if fault.is_named(cause):
            note = "已与业务科室核对，请复核。" if incident.reply == DISPUTE else ""
            until = incident.corrected if incident.reply == ASK_TIME else None
            return Answer(order_id, _ANSWERS[incident.reply], note, until)
    return None


def _save(
    target: Path, header: list[str], lines: Sequence[Sequence[object]], filled: dict[str, Answer]
) -> None:
    """The sheet as it came, with the answers in it; what the clerk does not fill in stays."""
    with xlsxwriter.Workbook(target, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet(SHEET)
        sheet.write_row(0, 0, header)
        for row, line in enumerate(lines, start=1):
            for column, value in enumerate(line):
                if value != "":
                    sheet.write(row, column, value)
            one = filled.get(str(line[header.index(_NUMBER)]))
            if one is None:
                continue
            sheet.write_string(row, header.index(_ANSWER), one.action)
            if one.note:
                sheet.write_string(row, header.index(_NOTE), one.note)
            if one.until:
                sheet.write_datetime(row, header.index(_UNTIL), one.until)
