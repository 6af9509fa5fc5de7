"""What one department's workbook says, read from the warehouse.

Belongs here: the scores, deliveries, orders and defect rows of one department, masked.
Does not belong here: how it looks (`workbook`, `layout`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from quality.catalogue import Catalogue
from quality.contract import Contract, Rule
from quality.garbled_text import GARBLED_PATTERN
from quality.masking import masker
from quality.scoring import OVERALL
from quality.sql_text import at_places
from quality.weights import read_weights
from quality.work_orders import REPLY_DATASET, WorkOrder, read_orders

ROWS_PER_ORDER = 1000
"""Defect rows listed per order, with values: what a clerk can work through. The places of all are
in the list beside the workbook (`listing`)."""
_GARBLED = re.compile(GARBLED_PATTERN)
_COLUMNS_SHOWN = 4
_TEXT_SHOWN = 60


@dataclass(frozen=True)
class ScoreLine:
    """Scores of the city, the department or a dataset: dimension → score, and the sum of it."""

    title: str
    scores: dict[str, float | None]
    overall: float | None
    grade: str | None
    coverage: float


@dataclass(frozen=True)
class DeliveryLine:
    """One file of the night, or a dataset of which none came (`status` is `missing`)."""

    dataset_title: str
    file_name: str
    status: str
    rows_read: int | None
    rows_accepted: int | None
    rows_quarantined: int | None
    reason: str


@dataclass(frozen=True)
class DefectLine:
    """One finding as the clerk sees it."""

    order_id: str
    dataset_title: str
    file_name: str
    line_number: int
    severity: str
    columns: str
    value: str
    message: str


@dataclass(frozen=True)
class ReplyLine:
    """What became of a reply that this night took up."""

    file_name: str
    line_number: int
    order_id: str
    action: str
    status: str
    """`accepted`, `repeated` or `refused`."""
    reason: str


@dataclass(frozen=True)
class Contents:
    """One department's night."""

    department: str
    department_name: str
    business_date: date
    scores: tuple[ScoreLine, ...]
    """The city, the department, then its datasets."""
    deliveries: tuple[DeliveryLine, ...]
    orders: tuple[WorkOrder, ...]
    """Open ones first, what is new before what stands, errors first; then those closed tonight."""
    titles: dict[str, str]
    """Dataset → Chinese name."""
    defects: tuple[DefectLine, ...]
    found: dict[str, int]
    """Order → all its open defect rows, listed or not."""
    replies: tuple[ReplyLine, ...] = ()
    """Those that this night took up."""

    @property
    def city(self) -> ScoreLine | None:
        """The city's scores; None before the night was scored."""
        return self.scores[0] if self.scores else None

    @property
    def own(self) -> ScoreLine | None:
        """The department's scores; None where none of its datasets was."""
        return self.scores[1] if len(self.scores) > 1 else None

    @property
    def open_orders(self) -> tuple[WorkOrder, ...]:
        """Those that wait for the department."""
        return tuple(order for order in self.orders if order.is_open)

    @property
    def overdue(self) -> int:
        """Orders past their due date whose clock runs."""
        return sum(order.is_overdue for order in self.orders)

    def closing(self, order: WorkOrder) -> str:
        """Why a closed order is closed: only the order of a withdrawn dataset has no contract."""
        return "复核通过" if order.dataset in self.titles else "数据集已撤销"

    @property
    def new(self) -> int:
        """Open orders of which the department hears tonight."""
        return sum(order.is_new for order in self.open_orders)


def read_contents(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    department: str,
    business_date: date,
) -> Contents:
    """Read one department's night; needs the tables that `quality.nightly` writes."""
    contracts = [c for c in catalogue.contracts if c.department == department]
    titles = {broken.dataset: broken.dataset for broken in catalogue.broken
              if broken.department == department}  # fmt: skip
    titles |= {contract.dataset: contract.title for contract in contracts}
    orders = _orders(connection, department, business_date)
    defects: list[DefectLine] = []
    found: dict[str, int] = {}
    for contract in contracts:
        own = [o for o in orders if o.dataset == contract.dataset and o.is_open]
        lines, counts = _defects(connection, contract, own)
        defects += lines
        found |= counts
    return Contents(
        department=department,
        department_name=catalogue.departments[department],
        business_date=business_date,
        scores=_scores(connection, catalogue, department, business_date, titles),
        deliveries=_deliveries(connection, department, business_date, titles),
        orders=orders,
        titles=titles,
        defects=tuple(defects),
        found=found,
        replies=_replies(connection, department, business_date),
    )


def _orders(
    connection: duckdb.DuckDBPyConnection, department: str, business_date: date
) -> tuple[WorkOrder, ...]:
    return tuple(
        read_orders(
            connection,
            "department = ? and (state = 'open' or closed_on = ?) "
            "order by state = 'closed', is_new desc, is_overdue desc, severity, due_on, dataset, "
            "cause, opened_on",
            [department, business_date],
        )
    )


def _replies(
    connection: duckdb.DuckDBPyConnection, department: str, business_date: date
) -> tuple[ReplyLine, ...]:
    rows = connection.execute(
        "select file_name, line_number, order_id, action, status, reason from quality.reply "
        "where department = ? and business_date = ? order by file_name, line_number",
        [department, business_date],
    ).fetchall()
    return tuple(ReplyLine(*row) for row in rows)


def _scores(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    department: str,
    business_date: date,
    titles: dict[str, str],
) -> tuple[ScoreLine, ...]:
    rows = connection.execute(
        """
        select 0 as place, '' as dataset, dimension, score, coverage
        from quality.city_score where business_date = $date
        union all
        select 1, '', dimension, score, coverage from quality.department_score
        where business_date = $date and department = $department
        union all
        select 2, dataset, dimension, score, coverage from quality.dataset_score
        where business_date = $date and department = $department
        order by 1, 2
        """,
        {"date": business_date, "department": department},
    ).fetchall()
    weights = read_weights()
    names = {0: "全市", 1: catalogue.departments[department]}
    lines: dict[tuple[int, str], dict[str, tuple[float | None, float]]] = {}
    for place, dataset, dimension, score, coverage in rows:
        lines.setdefault((place, dataset), {})[dimension] = (score, coverage)
    return tuple(
        ScoreLine(
            title=names.get(place) or titles.get(dataset, dataset),
            scores={name: score for name, (score, _) in found.items() if name != OVERALL},
            overall=found[OVERALL][0],
            grade=weights.grade(found[OVERALL][0]),
            coverage=found[OVERALL][1],
        )
        for (place, dataset), found in lines.items()
    )


def _deliveries(
    connection: duckdb.DuckDBPyConnection,
    department: str,
    business_date: date,
    titles: dict[str, str],
) -> tuple[DeliveryLine, ...]:
    rows = connection.execute(
        "select dataset, file_name, status, rows_read, rows_accepted, rows_quarantined, reason "
        "from meta.delivery where department = ? and night = ? "
        "order by dataset, business_date, sequence, file_name",
        [department, business_date],
    ).fetchall()
    delivered = {row[0] for row in rows}
    named = {REPLY_DATASET: "质量反馈回复", **titles}
    lines = [
        DeliveryLine(named.get(dataset, dataset), name, status, read, accepted, held, reason or "")
        for dataset, name, status, read, accepted, held, reason in rows
    ]
    lines += [
        DeliveryLine(title, "", "missing", None, None, None, "")
        for dataset, title in titles.items()
        if dataset not in delivered
    ]
    return tuple(lines)


def _defects(
    connection: duckdb.DuckDBPyConnection, contract: Contract, orders: Sequence[WorkOrder]
) -> tuple[list[DefectLine], dict[str, int]]:
    rules = {rule.rule_id: rule for rule in contract.rules}
    by_rule = {rule_id: order for order in orders for rule_id in order.rule_ids if rule_id in rules}
    if not by_rule:
        return [], {}
    counted = connection.execute(
        "select rule_id, count(*) from quality.defect "
        "where department = ? and dataset = ? and is_open group by rule_id",
        [contract.department, contract.dataset],
    ).fetchall()
    found: dict[str, int] = {}
    for rule_id, count in counted:
        if rule_id in by_rule:
            number = by_rule[rule_id].order_id
            found[number] = found.get(number, 0) + count
    if not found:
        return [], {}
    writers = {
        rule_id: _LineWriter(contract, rules[rule_id], order) for rule_id, order in by_rule.items()
    }
    lines = [
        writers[rule_id].line(file_name or "", line_number, values)
        for rule_id, file_name, line_number, *values in _picked(connection, contract, by_rule)
    ]
    return lines, found


def _picked(
    connection: duckdb.DuckDBPyConnection, contract: Contract, by_rule: dict[str, WorkOrder]
) -> list[tuple[str, str, int, *tuple[str | None, ...]]]:
    """The first rows of each order, every value as it was delivered."""
    names = [column.name for column in contract.columns]
    original = "json_extract_string(nullif(_original, ''), '$.{0}')"
    as_delivered = ", ".join(
        f"coalesce({original.format(name)}, {name}::varchar) as {name}" for name in names
    )
    numbers = [order.order_id for order in by_rule.values()]
    connection.execute(
        f"""
        create or replace temp table picked as
        select * from quality.defect
        where department = ? and dataset = ? and is_open and list_contains(?, rule_id)
        qualify row_number() over (
            partition by list_extract(?, list_position(?, rule_id))
            order by business_date, delivery_id, line_number
        ) <= {ROWS_PER_ORDER}
        """,
        [contract.department, contract.dataset, list(by_rule), numbers, list(by_rule)],
    )
    deliveries = connection.execute("select distinct delivery_id from picked").fetchall()
    may_be = at_places((name for (name,) in deliveries), "picked")
    return connection.execute(
        f"""
        with rows as (
            select _delivery_id, _line_number, {as_delivered} from raw.{contract.table}
            where {may_be}
            union all
            select _delivery_id, _line_number, {as_delivered} from quarantine.{contract.table}
            where {may_be}
        )
        select picked.rule_id, picked.file_name, picked.line_number, {", ".join(names)}
        from picked
        left join rows on _delivery_id = picked.delivery_id and _line_number = picked.line_number
        order by list_position(?, picked.rule_id),
            picked.business_date, picked.delivery_id, picked.line_number
        """,
        [list(by_rule)],
    ).fetchall()


class _LineWriter:
    """Writes the findings of one rule; what does not change from row to row is looked up once."""

    def __init__(self, contract: Contract, rule: Rule, order: WorkOrder) -> None:
        self._contract, self._rule, self._order = contract, rule, order
        places = {column.name: place for place, column in enumerate(contract.columns)}
        self._columns = [
            _Shown(places[name], (column := contract.column(name)).header, masker(column, contract))
            for name in rule.columns
        ]
        self._titles = _titles(self._columns)

    def line(self, file_name: str, line_number: int, values: Sequence[str | None]) -> DefectLine:
        """The line of a row with these values, in the order of the contract's columns."""
        columns, titles = self._columns, self._titles
        if self._rule.check == "readable_text":
            garbled = [c for c in columns if _GARBLED.search(values[c.place] or "")]
            if garbled:
                columns, titles = garbled, _titles(garbled)
        texts = [
            _short(column.mask(values[column.place])) or "（空）"
            for column in columns[:_COLUMNS_SHOWN]
        ]
        return DefectLine(
            order_id=self._order.order_id,
            dataset_title=self._contract.title,
            file_name=file_name,
            line_number=line_number,
            severity=self._order.severity,
            columns=titles,
            value="；".join(texts),
            message=self._rule.message,
        )


@dataclass(frozen=True)
class _Shown:
    """A column of a rule: its place among the contract's, its header, how it is shown."""

    place: int
    header: str
    mask: Callable[[str | None], str]


def _titles(columns: Sequence[_Shown]) -> str:
    shown = columns[:_COLUMNS_SHOWN]
    more = f"等 {len(columns)} 列" if len(columns) > len(shown) else ""
    return "、".join(column.header for column in shown) + more or "整行"


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_SHOWN else text[: _TEXT_SHOWN - 1] + "…"
