"""All open defect rows of a department by their places, as CSV, where a workbook holds too few.

Belongs here: that file. Does not belong here: the rows that a workbook shows (`contents`).

It names orders, files, lines and columns, no values: nothing in it has to be masked.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import duckdb

from quality.catalogue import Catalogue
from quality.feedback.contents import ROWS_PER_ORDER, Contents
from quality.results import insert_rows

_RULES = ("dataset", "rule_id", "place", "order_id", "title", "columns")


def listing_name(business_date: date) -> str:
    """File name of a night's list, the same for every department."""
    return f"缺陷清单_{business_date:%Y%m%d}.csv"


def write_listing(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, contents: Contents, folder: Path
) -> Path | None:
    """Write `缺陷清单_<YYYYMMDD>.csv` if an order has more rows than its workbook shows.

    One line per open defect row: order, dataset, file, line, columns; UTF-8 with a byte order
    mark, orders as in the workbook.

    Returns:
        The file; None where the workbook shows every row.
    """
    path = folder / listing_name(contents.business_date)
    path.unlink(missing_ok=True)  # of an earlier run of the night
    if max(contents.found.values(), default=0) <= ROWS_PER_ORDER:
        return None
    _write_rules(connection, catalogue, contents)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{path.name}.{os.getpid()}"
    try:
        connection.execute(
            f"""
            copy (
                select listed.order_id as "\ufeff工单号", listed.title as "数据集",
                    defect.file_name as "文件", defect.line_number as "行号",
                    listed.columns as "字段"
                from quality.defect as defect
                inner join listed
                    on listed.dataset = defect.dataset and listed.rule_id = defect.rule_id
                where defect.department = '{contents.department}' and defect.is_open
                order by listed.place, listed.rule_id,
                    defect.business_date, defect.delivery_id, defect.line_number
            ) to '{str(temporary).replace("'", "''")}' (format csv, header, delimiter ',')
            """
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _write_rules(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, contents: Contents
) -> None:
    """The rules of each open order, in the workbook's order."""
    contracts = {c.dataset: c for c in catalogue.contracts if c.department == contents.department}
    rules: dict[tuple[str, str], dict[str, object]] = {}
    for place, order in enumerate(contents.open_orders):
        contract = contracts.get(order.dataset)
        for rule in contract.rules if contract else ():
            if rule.rule_id in order.rule_ids and contract:
                headers = "、".join(contract.column(name).header for name in rule.columns)
                values = (order.dataset, rule.rule_id, place, order.order_id, contract.title,
                          headers or "整行")  # fmt: skip
                rules[order.dataset, rule.rule_id] = dict(zip(_RULES, values, strict=True))
    connection.execute(
        "create or replace temp table listed (dataset varchar, rule_id varchar, place integer, "
        "order_id varchar, title varchar, columns varchar)"
    )
    insert_rows(connection, "listed", _RULES, list(rules.values()))
