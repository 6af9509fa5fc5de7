"""One department's workbook: 总览, 工单, 回复, 缺陷明细.

Belongs here: what each sheet says, in which order.
Does not belong here: where it is read from (`contents`) and how it looks (`layout`).

The same night gives the same bytes; every text is written as text; personal values are masked.
"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from xlsxwriter.workbook import Workbook

from quality.contract import DIMENSIONS
from quality.feedback.contents import ROWS_PER_ORDER, Contents, ScoreLine
from quality.feedback.layout import Cell, Layout
from quality.feedback.listing import listing_name
from quality.feedback.messages import split_message
from quality.feedback.reply_sheet import write_outcomes, write_reply_sheet
from quality.work_orders import Policy, WorkOrder, machine
from quality.working_days import caveat

_SEVERITIES = {"error": "错误", "warning": "提醒"}
_DELIVERIES = {
    "loaded": Cell("已接收", "closed"),
    "repeated": Cell("重复报送", "warning"),
    "refused": Cell("拒收", "error"),
    "missing": Cell("本次无报送", "absent"),
}
_OVERVIEW_WIDTHS = (30, 38, 11, 11, 11, 11, 11, 11, 11, 11)
_ORDER_WIDTHS = (22, 22, 44, 8, 10, 12, 13, 12, 12, 12, 16, 28)
_DEFECT_WIDTHS = (22, 20, 40, 8, 8, 22, 26, 30, 26)
_STEPS = (
    "一、按「工单」逐条查看问题和处理要求，在「缺陷明细」中按文件名、行号找到原始数据。",
    "二、在业务系统中核实更正后，按原文件格式将更正的数据放入下一次报送文件（全量报送的数据集重新全量报送）。",
    "三、平台每晚自动复核，问题消除后工单自动关闭，无需另行回复。",
    "四、有异议、需延期或已更正待复核的，在「回复」中选择并填写，将本文件原样放回报送目录即可。",
    "五、评分为 0–100 分，未评估的维度不计分；覆盖率为已评估指标的权重占比。",
)


def workbook_name(business_date: date) -> str:
    """File name of a night's workbook, the same for every department."""
    return f"质量反馈_{business_date:%Y%m%d}.xlsx"


def write_workbook(contents: Contents, folder: Path, policy: Policy) -> Path:
    """Write `质量反馈_<YYYYMMDD>.xlsx` into the folder; a department without fault gets one too."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / workbook_name(contents.business_date)
    temporary = folder / f".{path.name}.{os.getpid()}"
    try:
        _write(contents, temporary, policy)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _write(contents: Contents, path: Path, policy: Policy) -> None:
    with _without_collecting():
        _write_sheets(contents, path, policy)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Without looking for cycles among the cells, of which there are none: a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _write_sheets(contents: Contents, path: Path, policy: Policy) -> None:
    midnight = datetime.combine(contents.business_date, datetime.min.time())
    with Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        title = f"{contents.department_name}数据质量反馈"
        book.set_properties({"title": title, "author": "沂数", "created": midnight})
        layout = Layout(book)
        _overview(layout, contents)
        _orders(layout, contents)
        write_reply_sheet(layout, contents, policy, _footer(contents))
        _defects(layout, contents)


def _footer(contents: Contents) -> str:
    return f"{contents.department_name} · {contents.business_date:%Y-%m-%d} · 沂数"


def _overview(layout: Layout, contents: Contents) -> None:
    last = len(_OVERVIEW_WIDTHS) - 1
    sheet = layout.sheet("总览", _OVERVIEW_WIDTHS, _footer(contents))
    layout.band(
        sheet, 0, last, f"{contents.department_name}　数据质量反馈", style="title", height=34
    )
    night = f"{contents.business_date:%Y年%m月%d日}"
    subtitle = f"业务日期 {night}　·　个人信息已脱敏　·　由沂数平台自动生成"
    layout.band(sheet, 1, last, subtitle, style="subtitle", height=20)
    mood = "bad" if contents.open_orders else "good"
    layout.band(sheet, 2, last, _verdict(contents), style=mood, height=30)

    row = 4
    layout.band(sheet, row, last, "质量评分", style="section", height=22)
    row += 1
    layout.header(sheet, row, ("对象", "综合得分", "等级", "覆盖率", *DIMENSIONS.values()))
    for line in contents.scores:
        row += 1
        layout.row(sheet, row, _score_cells(line))

    row += 2
    layout.band(sheet, row, last, "本次报送", style="section", height=22)
    row += 1
    titles = ("数据集", "文件", "状态", "读取行数", "接收行数", "隔离行数", "原因")
    layout.row(sheet, row, [Cell(title, "header") for title in titles], spread=True)
    for delivery in contents.deliveries:
        row += 1
        counts = (delivery.rows_read, delivery.rows_accepted, delivery.rows_quarantined)
        cells = [Cell(delivery.dataset_title), Cell(delivery.file_name)]
        cells += [_DELIVERIES[delivery.status], *(Cell(count, "number") for count in counts)]
        layout.row(sheet, row, [*cells, Cell(delivery.reason)], spread=True)

    row = write_outcomes(layout, sheet, row, contents)
    row += 2
    layout.band(sheet, row, last, "如何处理", style="section", height=22)
    estimate = caveat([order.due_on for order in contents.open_orders])
    for step in (*_STEPS, *([f"注：{estimate}"] if estimate else [])):
        row += 1
        layout.band(sheet, row, last, step, style="note", height=18)


def _verdict(contents: Contents) -> str:
    waiting, overdue = len(contents.open_orders), contents.overdue
    closed = len(contents.orders) - waiting
    ended = f"本次关闭 {closed} 张。" if closed else ""
    if not waiting:
        return f"本次没有需要处理的问题。{ended}感谢配合！"
    parts = [f"今日新增或有变化 {contents.new} 张"] if contents.new else []
    parts += [f"已超期 {overdue} 张"] if overdue else []
    late = f"（其中{'，'.join(parts)}）" if parts else ""
    return f"待处理工单 {waiting} 张{late}，涉及缺陷 {sum(contents.found.values()):,} 条。{ended}"


def _score_cells(line: ScoreLine) -> list[Cell]:
    dimensions = [_score(line.scores.get(name)) for name in DIMENSIONS]
    grade = Cell(line.grade, "centre") if line.grade else Cell("—", "absent")
    return [Cell(line.title, "strong"), _score(line.overall), grade, Cell(line.coverage, "share"),
            *dimensions]  # fmt: skip


def _score(score: float | None) -> Cell:
    """Rounded down: 100 is shown only where nothing at all failed."""
    if score is None:
        return Cell("未评估", "absent")
    return Cell(math.floor(score * 100 + 1e-6) / 100, "score")


def _orders(layout: Layout, contents: Contents) -> None:
    sheet = layout.sheet("工单", _ORDER_WIDTHS, _footer(contents))
    titles = ("工单号", "数据集", "问题和处理要求", "级别", "维度", "当前问题数", "开立时问题数",
              "开立日期", "期限", "状态", "督办", "明细")  # fmt: skip
    layout.header(sheet, 0, titles)
    for row, order in enumerate(contents.orders, start=1):
        layout.row(sheet, row, _order_cells(order, contents))
    if not contents.orders:
        layout.band(sheet, 1, len(titles) - 1, "本次没有待处理的工单。", style="good", height=24)
    layout.table_view(sheet, 0, len(contents.orders), len(titles))


def _order_cells(order: WorkOrder, contents: Contents) -> list[Cell]:
    return [
        Cell(order.order_id, "mono"),
        Cell(contents.titles.get(order.dataset, order.dataset)),
        Cell(order.message),
        Cell(_SEVERITIES[order.severity], order.severity),
        Cell(DIMENSIONS[order.dimension], "centre"),
        Cell(order.failed_now, "number"),
        Cell(order.failed_at_open, "number"),
        Cell(order.opened_on, "date"),
        Cell(order.due_on, "date"),
        phase_cell(order),
        Cell(order.escalated_to or None, "centre"),
        Cell(_listing(order, contents)),
    ]


def phase_cell(order: WorkOrder) -> Cell:
    """The order's phase, as loud as it is urgent."""
    if not order.is_open:
        return Cell(machine.PHASES[order.phase], "closed")
    if order.is_overdue:
        return Cell("已超期", "error")
    is_calm = order.phase in (machine.IN_CORRECTION, machine.WAIVED, machine.DISPUTED)
    return Cell(machine.PHASES[order.phase], "centre" if is_calm else "warning")


def _listing(order: WorkOrder, contents: Contents) -> str:
    found = contents.found.get(order.order_id, 0)
    if not order.is_open:
        return f"{order.closed_on:%Y-%m-%d} {contents.closing(order)}"
    if not found:
        return "针对整个数据集，无行级明细"
    if found <= ROWS_PER_ORDER:
        return f"见「缺陷明细」，共 {found:,} 条"
    everything = listing_name(contents.business_date)
    return f"「缺陷明细」列出前 {ROWS_PER_ORDER:,} 条；全部 {found:,} 条的位置见「{everything}」"


def _defects(layout: Layout, contents: Contents) -> None:
    sheet = layout.sheet("缺陷明细", _DEFECT_WIDTHS, _footer(contents))
    titles = ("工单号", "数据集", "文件", "行号", "级别", "字段", "报送值（已脱敏）", "问题",
              "处理要求")  # fmt: skip
    layout.header(sheet, 0, titles)
    for row, line in enumerate(contents.defects, start=1):
        wrong, remedy = _message_cells(line.message)
        cells = [
            Cell(line.order_id, "mono"),
            Cell(line.dataset_title),
            Cell(line.file_name),
            Cell(line.line_number, "line"),
            Cell(_SEVERITIES[line.severity], line.severity),
            Cell(line.columns),
            Cell(line.value),
            wrong,
            remedy,
        ]
        layout.row(sheet, row, cells)
    if not contents.defects:
        layout.band(sheet, 1, len(titles) - 1, "没有行级缺陷。", style="good", height=24)
    layout.table_view(sheet, 0, len(contents.defects), len(titles))


@lru_cache
def _message_cells(message: str) -> tuple[Cell, Cell]:
    """What is wrong and what to do: the same for every row of a rule."""
    wrong, remedy = split_message(message)
    return Cell(wrong), Cell(remedy)
