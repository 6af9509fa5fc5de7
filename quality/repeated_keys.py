"""Rows of one delivery that say the same key: `quality.repeated_key`.

Belongs here: finding them, once a delivery, and the copies among them tonight.
Does not belong here: when a delivery is looked at (`delivery_counts`); what `key_unique` means
(`relation_rules`).
"""

from __future__ import annotations

import duckdb

from quality.contract import Contract
from quality.sql_text import at_places

CHECK = "key_unique"

REPEATED_KEY_TABLE = """
create schema if not exists quality;
create table if not exists quality.repeated_key (
    delivery_id varchar not null,
    department varchar not null,
    dataset varchar not null,
    first_line bigint not null,
    line_number bigint not null
)
"""
"""One row per accepted row whose key stands in its delivery more than once; `first_line` is the
line of the first of them."""


def asked(contract: Contract) -> bool:
    """Whether anything asks for them: in a change log a key may well stand twice."""
    return any(rule.check == CHECK for rule in contract.rules_of("relation"))


def count(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Find the repeated keys of the deliveries in `uncounted`, whose rows are in `arrived`.

    Equal hashes tell which rows to look at; the keys themselves say which of them are equal.
    """
    connection.execute(
        "delete from quality.repeated_key where delivery_id in (select delivery_id from uncounted)"
    )
    connection.execute(
        """
        create or replace temp table suspected as
        with repeated as (
            select _key from arrived where _is_accepted group by _key having count(*) > 1
        )
        select uncounted.delivery_id, arrived._line_number as line_number
        from arrived
        semi join repeated using (_key)
        inner join uncounted on uncounted.place = arrived._place
        where arrived._is_accepted
        """
    )
    deliveries = connection.execute("select distinct delivery_id from suspected").fetchall()
    if deliveries:
        key = ", ".join(contract.key)
        known = " and ".join(f"{name} is not null" for name in contract.key)
        may_be = at_places((name for (name,) in deliveries), "suspected")
        connection.execute(
            f"""
            insert into quality.repeated_key
            with rows as (
                select _delivery_id, _line_number, {key} from raw.{contract.table}
                where {may_be} and {known}
            )
            select _delivery_id, ?, ?, min(_line_number) over same_key, _line_number
            from rows
            semi join suspected
                on delivery_id = _delivery_id and line_number = _line_number
            window same_key as (partition by _delivery_id, {key})
            qualify count(*) over same_key > 1
            order by _delivery_id, _line_number
            """,
            [contract.department, contract.dataset],
        )
    connection.execute("drop table suspected")


def copies(contract: Contract, in_force: str | None = None) -> str:
    """The query of `key_unique`, over what was found before: rows whose equal is in force; among
    the rows of `in_force` (a table, or a query in brackets) where it is given."""
    in_force = in_force or f"staging.{contract.staging_model}"
    place = f"department = '{contract.department}' and dataset = '{contract.dataset}'"
    return (
        f"with repeated as (select * from quality.repeated_key where {place}) "
        "select copy.delivery_id as _delivery_id, copy.line_number as _line_number "
        "from repeated as copy "
        "inner join repeated as kept using (delivery_id, first_line) "
        f"inner join {in_force} as in_force "
        "on in_force._delivery_id = kept.delivery_id "
        "and in_force._line_number = kept.line_number "
        "where copy.line_number <> kept.line_number"
    )
