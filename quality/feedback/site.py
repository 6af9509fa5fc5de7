"""Pages for people: a department's own page, and the city's monthly bulletin.

Belongs here: rendering the templates, what the charts are handed, the files beside a page.
Does not belong here: what is said (`contents`, `bulletin`); how it looks (`templates`, `static`).

A page opens from a folder, without a server, under the policy `default-src 'self'`: its styles,
its script and ECharts lie in `assets/` beside it, and the charts' figures in the page as data.
The same night gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from quality.campaigns import STATUSES
from quality.contract import DIMENSIONS
from quality.feedback.bulletin import Bulletin
from quality.feedback.contents import Contents, DefectLine
from quality.feedback.history import OrderMonth, TrendPoint
from quality.feedback.messages import split_message
from quality.work_orders import WorkOrder, machine
from quality.working_days import caveat

_FOLDER = Path(__file__).parent
_STATIC = ("page.css", "page.js")

ECHARTS = ("vizly", "vizly/assets/echarts.min.js")
"""Distribution that carries Apache's file, and the file in it."""
ECHARTS_SHA256 = "e84270bd0cd5bdf60fefc26d00c2a391cb2e81f4d26a7a9ee16185a54773a3cf"
"""Of echarts.min.js as Apache ECharts 5.6.0 publishes it: another file is not copied."""

_EXAMPLES = 5
"""Defect rows shown per order; more of them are in the workbook."""

SEVERITIES = {"error": "错误", "warning": "提醒"}
DELIVERY_STATUSES = {
    "loaded": ("已接收", "good"),
    "repeated": ("重复报送", "warn"),
    "refused": ("拒收", "bad"),
    "missing": ("本次无报送", "calm"),
}
REPLY_STATUSES = {
    "accepted": ("已采纳", "good"),
    "repeated": ("重复回复", "calm"),
    "refused": ("未采纳", "bad"),
}
_GRADES = {"优": "good", "良": "good", "中": "warn", "低": "bad", "差": "bad"}


@dataclass(frozen=True)
class PageHistory:
    """What a department's page tells besides tonight."""

    trend: tuple[TrendPoint, ...]
    month: OrderMonth
    before: dict[str, float]
    """Dimension → the department's score at the end of the month before."""


def write_department_page(
    contents: Contents,
    history: PageHistory,
    folder: Path,
    workbook: str,
    listing: Path | None = None,
) -> Path:
    """Write `质量反馈_<YYYYMMDD>.html` and its assets into the folder.

    Args:
        contents: the department's night.
        history: the nights before.
        folder: `outbox/<department>`.
        workbook: file name of the workbook beside the page.
        listing: list of all defect rows beside it; None where the workbook has them all.
    """
    examples: dict[str, list[DefectLine]] = {}
    for line in contents.defects:
        shown = examples.setdefault(line.order_id, [])
        if len(shown) < _EXAMPLES:
            shown.append(line)
    own, city = contents.own, contents.city
    charts = {
        "radar": _radar(
            [(contents.department_name, own.scores if own else {}),
             ("全市", city.scores if city else {})]
        ),
        "trend": _trend(history.trend, contents.department_name),
    }  # fmt: skip
    return _write(
        folder / f"质量反馈_{contents.business_date:%Y%m%d}.html",
        "department.html.j2",
        {
            "contents": contents,
            "own": own,
            "city": city,
            "history": history,
            "change": _change(own.overall if own else None, history.before.get("overall")),
            "examples": examples,
            "workbook": workbook,
            "listing": listing.name if listing else "",
            "charts": charts,
            "night": contents.business_date,
            "caveat": caveat([order.due_on for order in contents.open_orders]),
        },
    )


def write_bulletin(bulletin: Bulletin, folder: Path) -> Path:
    """Write `数据质量月报_<YYYYMM>.html` and its assets into the folder."""
    charts = {
        "radar": _radar([("本月", bulletin.dimensions), ("上月末", bulletin.dimensions_before)]),
        "trend": _trend(bulletin.trend, None),
        "ranks": {
            "names": [line.name for line in bulletin.ranks],
            "scores": [_shown(line.score) for line in bulletin.ranks],
        },
    }
    due = [line.order.due_on for line in bulletin.overdue]
    return _write(
        folder / f"数据质量月报_{bulletin.business_date:%Y%m}.html",
        "bulletin.html.j2",
        {
            "bulletin": bulletin,
            "charts": charts,
            "night": bulletin.business_date,
            "caveat": caveat(due),
        },
    )


def copy_assets(folder: Path) -> bool:
    """Put styles, script and ECharts into the folder; False where ECharts is not there.

    The pages then show their tables without charts, and say so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _STATIC:
        _place(folder / name, (_FOLDER / "static" / name).read_bytes())
    script = _echarts()
    if script is None:
        return False
    _place(folder / "echarts.min.js", script)
    return True


@cache
def _echarts() -> bytes | None:
    package, name = ECHARTS
    try:
        path = Path(str(distribution(package).locate_file(name)))
    except PackageNotFoundError:
        return None
    script = path.read_bytes() if path.is_file() else b""
    return script if hashlib.sha256(script).hexdigest() == ECHARTS_SHA256 else None


def _write(path: Path, template: str, values: dict[str, Any]) -> Path:
    has_charts = copy_assets(path.parent / "assets")
    text = _environment().get_template(template).render(has_charts=has_charts, **values)
    _place(path, text.encode("utf-8"))
    return path


def _place(path: Path, content: bytes) -> None:
    """Whole or not at all; a file that is already so is left alone."""
    if path.exists() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        score=_score_text, share=_share_text, change=_change_text, heat=_heat, data=_data,
        wrong=lambda message: split_message(message)[0],
        remedy=lambda message: split_message(message)[1],
        grade_class=lambda grade: _GRADES.get(grade, "calm"),
        chip=_chip, tags=_tags,
    )  # fmt: skip
    environment.globals.update(
        DIMENSIONS=DIMENSIONS, SEVERITIES=SEVERITIES, DELIVERIES=DELIVERY_STATUSES,
        REPLIES=REPLY_STATUSES, CAMPAIGNS=STATUSES, PHASES=machine.PHASES,
    )  # fmt: skip
    return environment


def _data(value: Any) -> Markup:
    """JSON that may stand in a script element: no `<` can end it."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    return Markup(text)  # noqa: S704  (nothing in it can close the element)


def _shown(score: float | None) -> float | None:
    """Rounded down: 100 is shown only where nothing at all failed."""
    return None if score is None else math.floor(score * 100 + 1e-6) / 100


def _score_text(score: float | None) -> str:
    shown = _shown(score)
    return "—" if shown is None else f"{shown:.2f}"


def _share_text(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"


def _change_text(change: float | None) -> str:
    if change is None:
        return "—"
    return "持平" if abs(change) < 0.005 else f"{change:+.2f}"


def _change(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _heat(score: float | None) -> str:
    """Class of a score's cell; the bounds are those of the grades, and 100 stands alone."""
    if score is None:
        return "heat-none"
    bounds = ((100, "heat-5"), (99, "heat-4"), (95, "heat-3"), (80, "heat-2"), (0, "heat-1"))
    return next(name for bound, name in bounds if score >= bound)


def _chip(order: WorkOrder) -> tuple[str, str]:
    """Text and class of an order's status."""
    if not order.is_open:
        return machine.PHASES[order.phase], "good"
    if order.is_overdue:
        return "已超期", "bad"
    is_calm = order.phase in (machine.IN_CORRECTION, machine.WAIVED, machine.DISPUTED)
    return machine.PHASES[order.phase], "info" if is_calm else "warn"


def _tags(order: WorkOrder) -> str:
    """What the filter of a page finds an order by."""
    tags = [order.phase, "open" if order.is_open else "closed"]
    tags += ["new"] if order.is_new else []
    tags += ["overdue"] if order.is_overdue else []
    return " ".join(tags)


def _radar(series: list[tuple[str, dict[str, float | None]]]) -> dict[str, Any]:
    found = [score for _, scores in series for score in scores.values() if score is not None]
    known = [
        name for name in DIMENSIONS if any(scores.get(name) is not None for _, scores in series)
    ]
    return {
        "axes": [DIMENSIONS[name] for name in known],
        "low": _floor(found),
        "series": [
            {"name": name, "values": [_shown(scores.get(axis)) for axis in known]}
            for name, scores in series
            if any(scores.get(axis) is not None for axis in known)
        ],
    }


def _trend(points: tuple[TrendPoint, ...], department: str | None) -> dict[str, Any]:
    lines = [("全市", [_shown(point.city) for point in points])]
    if department is not None:
        lines.insert(0, (department, [_shown(point.department) for point in points]))
    found = [value for _, values in lines for value in values if value is not None]
    return {
        "nights": [point.night.isoformat() for point in points],
        "low": _floor(found),
        "lines": [{"name": name, "values": values} for name, values in lines],
        "opened": [point.opened for point in points],
        "closed": [point.closed for point in points],
    }


def _floor(scores: list[float]) -> float:
    """Where an axis of scores begins: room below the lowest, and not so little that noise looms."""
    lowest = min(scores, default=0.0)
    for bound in (99.0, 98.0, 95.0, 90.0, 80.0, 60.0):
        if lowest >= bound + (100 - bound) * 0.2:
            return bound
    return 0.0
