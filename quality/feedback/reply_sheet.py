"""The sheet 回复: one line an open order, for the department to choose and fill in.

Belongs here: the sheet that goes out, with its drop-downs and date limits, what became of the
last replies, and the workbook in which disputes go to the department that decides them.
Does not belong here: reading it when it comes back (the door, under the platform's contract);
what a reply does (`work_orders`).

The header stands in the first row and the order's number in the first column, so that the door
finds both whatever a clerk adds below.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from quality.catalogue import Catalogue
from quality.feedback.contents import Contents
from quality.feedback.layout import Cell, Layout
from quality.work_orders import Policy, WorkOrder, machine, read_orders
from quality.work_orders.replies import ACTIONS, DECISIONS
from quality.work_orders.tables import REPLY_VIEW

SHEET = "回复"
_WIDTHS = (22, 22, 46, 12, 12, 13, 40, 14)
_TITLES = ("工单号", "数据集", "问题和处理要求", "期限", "状态", "回复", "说明", "延期至")
_DECISION_WIDTHS = (22, 22, 22, 40, 40, 12, 13, 30, 14)
_DECISION_TITLES = ("工单号", "责任部门", "数据集", "问题和处理要求", "部门理由", "期限", "回复",
                    "说明", "延期至")  # fmt: skip
_ANSWERS = [text for text, event in ACTIONS.items() if event not in DECISIONS]
_DECISIONS = [text for text, event in ACTIONS.items() if event in DECISIONS]
_LONG_NUMBER = re.compile(r"\d{7,}[Xx]?")
_OUTCOMES = {
    "accepted": Cell("已采纳", "closed"),
    "repeated": Cell("重复回复", "centre"),
    "refused": Cell("未采纳", "error"),
}


def write_reply_sheet(layout: Layout, contents: Contents, policy: Policy, footer: str) -> None:
    """Add the sheet to a department's workbook."""
    sheet = layout.sheet(SHEET, _WIDTHS, footer)
    layout.header(sheet, 0, _TITLES)
    orders = contents.open_orders
    for row, order in enumerate(orders, start=1):
        cells = [
            Cell(order.order_id, "mono"),
            Cell(contents.titles.get(order.dataset, order.dataset)),
            Cell(order.message),
            Cell(order.due_on, "date"),
            Cell(machine.PHASES[order.phase], "centre"),
            Cell(None, "entry"),
            Cell(None, "entry"),
            Cell(None, "entry_date"),
        ]
        layout.row(sheet, row, cells)
    layout.table_view(sheet, 0, len(orders), len(_TITLES))
    if orders:
        latest = policy.calendar.after(contents.business_date, policy.extension_days)
        _limit(sheet, 5, len(orders), _ANSWERS, (contents.business_date, latest))


def _limit(
    sheet: Worksheet, column: int, rows: int, answers: list[str], dates: tuple[date, date]
) -> None:
    """Drop-down, date limits and reminders on the three columns from `column` on."""
    first, latest = dates[0] + timedelta(days=1), dates[1]
    sheet.data_validation(1, column, rows, column, {
        "validate": "list", "source": answers,
        "input_title": "请选择", "input_message": "、".join(answers) + "；无需回复的留空。",
        "error_title": "请从列表中选择", "error_message": "只能填写：" + "、".join(answers),
    })  # fmt: skip
    sheet.data_validation(1, column + 1, rows, column + 1, {
        "validate": "length", "criteria": "<=", "value": 500,
        "input_title": "说明", "input_message": "有异议的必须写明理由。请勿填写个人信息。",
        "error_title": "过长", "error_message": "不超过 500 字。",
    })  # fmt: skip
    sheet.data_validation(1, column + 2, rows, column + 2, {
        "validate": "date", "criteria": "between",
        "minimum": datetime.combine(first, datetime.min.time()),
        "maximum": datetime.combine(latest, datetime.min.time()),
        "input_title": "延期至", "input_message": f"填写日期，{first} 至 {latest}。",
        "error_title": "日期不可用", "error_message": f"请填写 {first} 至 {latest} 之间的日期。",
    })  # fmt: skip


def write_outcomes(layout: Layout, sheet: Worksheet, row: int, contents: Contents) -> int:
    """What became of the replies that this night took up; returns the last row written."""
    if not contents.replies:
        return row
    row += 2
    last = len(layout.widths[sheet.get_name()]) - 1
    layout.band(sheet, row, last, "上次回复的处理结果", style="section", height=22)
    row += 1
    titles = ("工单号", "文件", "行号", "回复", "结果", "原因")
    layout.row(sheet, row, [Cell(title, "header") for title in titles], spread=True)
    for line in contents.replies:
        row += 1
        cells = [Cell(line.order_id or "—"), Cell(line.file_name), Cell(line.line_number, "line"),
                 Cell(line.action or "—", "centre"), _OUTCOMES[line.status],
                 Cell(line.reason)]  # fmt: skip
        layout.row(sheet, row, cells, spread=True)
    return row


def write_decisions(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    business_date: date,
    folder: Path,
    policy: Policy,
) -> Path | None:
    """Write `质量反馈_<YYYYMMDD>_异议裁决.xlsx`; None, and no file, where nothing is disputed."""
    path = folder / f"质量反馈_{business_date:%Y%m%d}_异议裁决.xlsx"
    orders = read_orders(connection, "phase = 'disputed' order by due_on, order_id", [])
    if not orders:
        path.unlink(missing_ok=True)
        return None
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{path.name}.{os.getpid()}"
    try:
        _write_decisions(
            temporary, orders, _reasons(connection), catalogue, (business_date, policy)
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _write_decisions(
    path: Path,
    orders: list[WorkOrder],
    reasons: Mapping[str, str],
    catalogue: Catalogue,
    bounds: tuple[date, Policy],
) -> None:
    night, policy = bounds
    midnight = datetime.combine(night, datetime.min.time())
    with Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": "质量工单异议裁决", "author": "沂数", "created": midnight})
        layout = Layout(book)
        sheet = layout.sheet(SHEET, _DECISION_WIDTHS, f"异议裁决 · {night} · 沂数")
        layout.header(sheet, 0, _DECISION_TITLES)
        for row, order in enumerate(orders, start=1):
            contract = catalogue.by_name.get(f"{order.department}/{order.dataset}")
            cells = [
                Cell(order.order_id, "mono"),
                Cell(catalogue.departments.get(order.department, order.department)),
                Cell(contract.title if contract else order.dataset),
                Cell(order.message),
                Cell(reasons.get(order.order_id, "")),
                Cell(order.due_on, "date"),
                Cell(None, "entry"),
                Cell(None, "entry"),
                Cell(None, "entry_date"),
            ]
            layout.row(sheet, row, cells)
        layout.table_view(sheet, 0, len(orders), len(_DECISION_TITLES))
        latest = policy.calendar.after(night, policy.exemption_days)
        _limit(sheet, 6, len(orders), _DECISIONS, (night, latest))


def _reasons(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Order → the latest reason of its dispute, without long numbers, which may be a person's."""
    rows = connection.execute(
        f"""
        select taken.order_id, note.note
        from quality.reply as taken
        inner join {REPLY_VIEW} as note
            on note.delivery_id = taken.delivery_id and note.line_number = taken.line_number
        where taken.status = 'accepted' and taken.action = '有异议'
        qualify row_number() over (
            partition by taken.order_id
            order by taken.business_date desc, taken.delivery_id desc, taken.line_number desc
        ) = 1
        """
    ).fetchall()
    return {order_id: _LONG_NUMBER.sub("***", note or "") for order_id, note in rows}
