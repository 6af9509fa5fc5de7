"""Faults of a whole file, recognised by its evidence: one cause for the many rules that fail of it.

Belongs here: missing columns, columns out of place, a wrong encoding, a cut file.
Does not belong here: what is unusual beside earlier deliveries (`anomalies`); causes (`causes`).

A file stands as long as it counts: until a file of its name replaces it, or, of a full dataset, a
later delivery. So a fault is there on every night until then, by the same name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from quality.causes import Fault
from quality.contract import Column, Contract
from quality.ledger import read_ledger

MISSING_COLUMN, SHIFTED_COLUMNS = "missing_column", "shifted_columns"
WRONG_ENCODING, CUT_FILE = "wrong_encoding", "cut_file"

_REFUSED_SHARE = 0.5
"""Share of a file's rows that are refused, from which on the fault is the file's."""
_FEWEST_ROWS = 5
_GARBLED_SHARE = 0.2
_SHIFTED_SHARE = 0.8
_SHIFTED_COLUMNS = 2
"""Columns whose values all stand beside their place: one alone may be chance."""
_SAMPLE = 500
_DATE = re.compile(r"\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?")
_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?")
_ABSENT = re.compile(r"表头缺少：(?P<names>[^。]+)。")
_CUT_SIZE = 0.8


@dataclass(frozen=True)
class _File:
    """A loaded file that counts, and what was found in it."""

    delivery_id: str
    file_name: str
    rows: int
    refused: int


def file_faults(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[Fault]:
    """One dataset's faults as of the night, each once whatever number of files shows it.

    Needs `meta.delivery`, the raw and quarantine views and `quality.defect` of the dataset.
    """
    found: dict[str, Fault] = {}
    for fault in (
        *_refused(connection, contract),
        *_missing(connection, contract),
        *_of_rows(connection, contract),
        *_cut(connection, contract),
    ):
        known = found.get(fault.cause)
        if known is None:
            found[fault.cause] = fault
        else:
            rules = tuple(dict.fromkeys((*known.rule_ids, *fault.rule_ids)))
            found[fault.cause] = Fault(**{**known.__dict__, "rule_ids": rules})
    return list(found.values())


# -- refused files ---------------------------------------------------------------------------------


def _refused(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[Fault]:
    ledger = read_ledger(connection, contract)
    for told in ledger.outstanding("delivery_readable"):
        rule, _, reason = told.reason.partition(": ")
        if rule == "wrong_header" and "编码" in reason:
            yield _fault(contract, WRONG_ENCODING, "文件编码有误", ("delivery_readable",),
                         f"{told.file_name} 的{reason.split('。')[-2]}，表头无法识别，"
                         "请按约定的编码导出，按原文件名重新报送。")  # fmt: skip
        elif rule == "wrong_header":
            yield from _missing_in_header(contract, told.file_name, reason)
        elif rule == "unreadable_file":
            yield from _broken_off(connection, contract, told.file_name)


def _missing_in_header(contract: Contract, file_name: str, reason: str) -> Iterator[Fault]:
    match = _ABSENT.search(reason)
    if match is None:
        return
    names = [c for c in contract.columns if c.header in match["names"].split("、")]
    if names and 2 * len(names) < len(contract.columns):
        yield _missing_columns(contract, file_name, names, "文件未装载")


def _broken_off(
    connection: duckdb.DuckDBPyConnection, contract: Contract, file_name: str
) -> Iterator[Fault]:
    """A workbook without its end cannot be opened; a short one of a dataset whose files are
    long was cut."""
    row = connection.execute(
        "select max(own.bytes), median(whole.bytes) from meta.delivery as own, "
        "meta.delivery as whole where own.department = $department and own.dataset = $dataset "
        "and own.file_name = $file_name and own.status = 'refused' "
        "and whole.department = $department and whole.dataset = $dataset "
        "and whole.status = 'loaded'",
        {"department": contract.department, "dataset": contract.dataset, "file_name": file_name},
    ).fetchone()
    size, usual = row or (None, None)
    if size is not None and usual and size < _CUT_SIZE * usual:
        yield _fault(contract, CUT_FILE, "文件被截断", ("delivery_readable",),
                     f"{file_name} 只有 {size} 字节，往常约 {usual:.0f} 字节，文件在中途截断，"
                     "请重新导出完整的文件，按原文件名报送。")  # fmt: skip


# -- loaded files ----------------------------------------------------------------------------------


def _missing(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[Fault]:
    ledger = read_ledger(connection, contract)
    headers = {told.file_name: told.missing for told in ledger.drifted if told.missing}
    for file_name, missing in headers.items():
        columns = [column for column in contract.columns if column.header in missing]
        if columns:
            yield _missing_columns(contract, file_name, columns, "按空值装载")


def _missing_columns(
    contract: Contract, file_name: str, columns: Sequence[Column], what: str
) -> Fault:
    names = "+".join(column.name for column in columns)
    titles = "、".join(column.header for column in columns)
    own = {column.name for column in columns}
    rules = [rule.rule_id for rule in contract.rules if own & set(rule.columns)]
    rules += [f"{name}__{what}" for name in own for what in ("null_rate", "distribution")]
    return _fault(contract, f"{MISSING_COLUMN}:{names}", f"缺少列「{titles}」",
                  ("delivery_readable", "schema_agrees", *rules),
                  f"{file_name} 缺少列「{titles}」（{what}），请补上该列，按原文件名重新报送。",
                  severity="error" if what == "文件未装载" else "warning")  # fmt: skip


def _of_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[Fault]:
    """Files of which most rows are refused, for one reason."""
    for file in _bad_files(connection, contract):
        rules = _findings(connection, contract, file)
        garbled = rules.get("readable_text", 0)
        if garbled >= _GARBLED_SHARE * file.rows:
            yield _fault(contract, WRONG_ENCODING, "文件编码有误", tuple(rules),
                         f"{file.file_name} 的 {file.rows} 行中 {garbled} 行是乱码，"
                         "请检查导出程序的字符编码，按原文件名重新报送。",
                         counted=(file.refused, file.rows))  # fmt: skip
            continue
        columns = _shifted(_texts(connection, contract, file), contract)
        if len(columns) >= _SHIFTED_COLUMNS:
            titles = "、".join(column.title for column in columns)
            yield _fault(contract, SHIFTED_COLUMNS, "列错位", tuple(rules),
                         f"{file.file_name} 的 {file.rows} 行中 {file.refused} 行的值与表头错位"
                         f"（{titles}），请将各列与表头对齐，按原文件名重新报送。",
                         counted=(file.refused, file.rows))  # fmt: skip


def _bad_files(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[_File]:
    rows = connection.execute(
        f"""
        with loaded as (
            select *, business_date = max(business_date) over () as is_newest from meta.delivery
            where department = $department and dataset = $dataset
                and status = 'loaded' and superseded_by is null
        )
        select delivery_id, file_name, rows_read, rows_quarantined from loaded
        where (is_newest or not $is_full)
            and rows_read >= {_FEWEST_ROWS} and rows_quarantined >= {_REFUSED_SHARE} * rows_read
        order by business_date, sequence
        """,
        {
            "department": contract.department,
            "dataset": contract.dataset,
            "is_full": contract.delivery == "full",
        },
    ).fetchall()
    return [_File(*row) for row in rows]


def _findings(
    connection: duckdb.DuckDBPyConnection, contract: Contract, file: _File
) -> dict[str, int]:
    """Rule → rows of the file that break it and have not been put right since."""
    rows = connection.execute(
        "select rule_id, count(*) from quality.defect where department = ? and dataset = ? "
        "and delivery_id = ? and is_open group by all order by all",
        [contract.department, contract.dataset, file.delivery_id],
    ).fetchall()
    return dict(rows)


def _texts(
    connection: duckdb.DuckDBPyConnection, contract: Contract, file: _File
) -> list[list[str]]:
    """Some refused rows of a file as they were delivered, in the order of the columns."""
    rows = connection.execute(
        f"select _original from quarantine.{contract.table} where _delivery_id = ? "
        f"order by _line_number limit {_SAMPLE}",
        [file.delivery_id],
    ).fetchall()
    names = [column.name for column in contract.columns]
    originals = [json.loads(text) for (text,) in rows if text]
    return [[str(row.get(name) or "") for name in names] for row in originals]


def _shifted(rows: Sequence[Sequence[str]], contract: Contract) -> list[Column]:
    """The columns whose values stand one place to the right, or else to the left, in most rows.

    Only columns of which one can tell: of codes, dates and numbers.
    """
    telling = [
        (place, column)
        for place, column in enumerate(contract.columns)
        if column.domain or column.logical_type in ("date", "integer", "number")
    ]
    best: list[Column] = []
    for step in (1, -1):
        found = [
            column
            for place, column in telling
            if 0 <= place + step < len(contract.columns)
            and _share(rows, place, place + step, column) >= _SHIFTED_SHARE
        ]
        best = max(best, found, key=len)
    return best


def _share(rows: Sequence[Sequence[str]], place: int, other: int, column: Column) -> float:
    """Of the rows with a value there, those whose value fits the column and whose own does not."""
    filled = [row for row in rows if row[other].strip()]
    moved = [row for row in filled if _fits(row[other], column) and not _fits(row[place], column)]
    return len(moved) / len(filled) if len(filled) >= _FEWEST_ROWS else 0.0


def _fits(text: str, column: Column) -> bool:
    value = text.strip()
    if column.domain:
        return value in column.domain
    pattern = _DATE if column.logical_type == "date" else _NUMBER
    return pattern.fullmatch(value) is not None


def _cut(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[Fault]:
    """What rules find in the last line of a cut file is of the cut."""
    for told in read_ledger(connection, contract).cut:
        rows = connection.execute(
            f"""
            with lines as (
                select _delivery_id, _line_number from raw.{contract.table}
                union all
                select _delivery_id, _line_number from quarantine.{contract.table}
            ),
            last_line as (
                select _delivery_id as delivery_id, max(_line_number) as line_number
                from lines group by all
            )
            select distinct rule_id from quality.defect
            semi join last_line using (delivery_id, line_number)
            where department = ? and dataset = ? and file_name = ? and is_open
            order by all
            """,
            [contract.department, contract.dataset, told.file_name],
        ).fetchall()
        yield _fault(contract, CUT_FILE, "文件被截断",
                     ("file_not_cut", "volume_anomaly", *(rule_id for (rule_id,) in rows)),
                     f"{told.file_name} 在中途截断（{told.reason}），其后的数据未收到，"
                     "请重新导出完整的文件，按原文件名报送。")  # fmt: skip


_DIMENSIONS: Mapping[str, str] = {
    MISSING_COLUMN: "completeness",
    SHIFTED_COLUMNS: "conformity",
    WRONG_ENCODING: "accessibility",
    CUT_FILE: "completeness",
}


def _fault(
    contract: Contract,
    cause: str,
    title: str,
    rule_ids: tuple[str, ...],
    message: str,
    *,
    severity: str = "error",
    counted: tuple[int, int] = (0, 0),
) -> Fault:
    kind = cause.partition(":")[0]
    return Fault(contract.department, contract.dataset, cause, kind, title, _DIMENSIONS[kind],
                 severity, rule_ids, message, *counted)  # fmt: skip
