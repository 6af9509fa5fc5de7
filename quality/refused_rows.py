"""Refused rows, and which of them have been put right since: the temporary table `held`.

Belongs here: deciding it, in set-based SQL.
Does not belong here: what was wrong with them (the door); their findings (`defects`).

A refused row is put right by a later delivery's accepted row of the same key; or, where the key
itself was wrong, by one that agrees in every column that was not wrong. A full delivery replaces
all that came on earlier dates.
"""

from __future__ import annotations

import duckdb

from quality.contract import Contract
from quality.sql_text import quoted_list


def resolve_refused_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Leave the dataset's refused rows in `held`; `resolved_by` is the delivery that put one right.

    Needs `raw` and `quarantine` of the dataset, and its deliveries in the temporary table `loaded`.

    Raises:
        duckdb.Error: a table is missing or unreadable.
    """
    _find_held_rows(connection, contract)
    _resolve_by_replacement(connection)
    _find_later_rows(connection, contract)
    _resolve_by_key(connection, contract)
    _resolve_by_other_columns(connection, contract)


def _find_held_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Refused rows with their values; `wrong` lists the columns that are not to be relied on."""
    null_keys = ", ".join(f"case when {name} is null then '{name}' end" for name in contract.key)
    wrong = f"string_split(coalesce(_columns, ''), ',') || [{null_keys}]"
    arrived = _arrived(contract)
    columns = ", ".join(column.name for column in contract.columns)
    connection.execute(
        f"""
        create or replace temp table held as
        select {columns}, _delivery_id, _business_date, _sequence, _line_number, _rules, _flags,
            null::varchar as resolved_by, {arrived} as arrived,
            list_sort(list_distinct(list_filter({wrong}, lambda name: name <> ''))) as wrong
        from quarantine.{contract.table}
        """
    )


def _find_later_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Accepted rows that came after the first refused row that no delivery replaced, of the
    deliveries that may hold any."""
    arrived = _arrived(contract)
    columns = ", ".join(column.name for column in contract.columns)
    after = ">=" if contract.delivery == "change_log" else ">"
    deliveries = connection.execute(
        f"select delivery_id from loaded where row(business_date, sequence) {after} "
        "(select min(row(_business_date, _sequence)) from held where resolved_by is null) "
        "order by delivery_id"
    ).fetchall()
    # A list, and not a query: Parquet files of other deliveries are then not read.
    own = quoted_list(name for (name,) in deliveries)
    connection.execute(
        f"""
        create or replace temp table later as
        select {columns}, _delivery_id, {arrived} as arrived
        from raw.{contract.table}
        where _delivery_id in ({own})
            and {arrived} > (select min(arrived) from held where resolved_by is null)
        """
    )


def _arrived(contract: Contract) -> str:
    """What orders the rows of a dataset; in a change log the lines of one file follow too."""
    line = ", _line_number" if contract.delivery == "change_log" else ""
    return f"row(_business_date, _sequence{line})"


def _resolve_by_replacement(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "update held set resolved_by = loaded.replaced_by from loaded "
        "where loaded.delivery_id = held._delivery_id"
    )


def _resolve_by_key(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    if contract.key:
        keys = ", ".join(f"'{name}'" for name in contract.key)
        _resolve(connection, contract.key, f"not list_has_any(held.wrong, [{keys}])")


def _resolve_by_other_columns(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """One statement per distinct set of wrong columns that holds a key column."""
    keys = ", ".join(f"'{name}'" for name in contract.key)
    sets = connection.execute(
        "select distinct wrong from held where resolved_by is null "
        f"and list_has_any(wrong, [{keys}]::varchar[]) order by wrong"
    ).fetchall()
    for (wrong,) in sets:
        kept = tuple(c.name for c in contract.columns if c.name not in wrong)
        if kept:
            names = ", ".join(f"'{name}'" for name in wrong)
            _resolve(connection, kept, f"held.wrong = [{names}]")


def _resolve(
    connection: duckdb.DuckDBPyConnection, columns: tuple[str, ...], condition: str
) -> None:
    """The first later delivery that brought a row equal in `columns` puts the held row right."""
    names = ", ".join(columns)
    equal = " and ".join(f"later.{name} is not distinct from held.{name}" for name in columns)
    open_rows = f"held.resolved_by is null and {condition}"
    connection.execute(
        f"""
        with candidates as (
            select distinct {names}, _delivery_id, arrived from later
            semi join (select {names} from held where {open_rows}) as held on {equal}
        ),
        resolved as (
            select held._delivery_id as delivery_id, held._line_number as line_number,
                min_by(later._delivery_id, later.arrived) as resolved_by
            from held
            inner join candidates as later on {equal} and later.arrived > held.arrived
            where {open_rows}
            group by all
        )
        update held set resolved_by = resolved.resolved_by
        from resolved
        where resolved.delivery_id = held._delivery_id
            and resolved.line_number = held._line_number
        """
    )
