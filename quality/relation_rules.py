"""The named checks on a table and between departments, as SQL that finds the failing rows.

Belongs here: what each relation check means.
Does not belong here: running them (`expectations`).

Each query is written over `{batch}`, the staging table (latest version per key), or for
`key_unique` over the raw view, and returns `_delivery_id` and `_line_number` of every row
that fails, so that a finding can be sent home with file and line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quality.contract import Contract, Rule


@dataclass(frozen=True)
class RelationCheck:
    """`failing_rows(rule, contract)` is the query; `judged(rule, contract)` counts what was judged."""

    failing_rows: Callable[[Rule, Contract], str]
    judged: Callable[[Rule, Contract], str]
    parameters: tuple[str, ...] = ()


def staging_table(table: str) -> str:
    """The staging relation of `department__dataset`."""
    return f"staging.stg_{table}"


def _exists_in(rule: Rule, contract: Contract) -> str:
    table, other = rule.arguments
    column = rule.columns[0]
    return (
        f"select here._delivery_id, here._line_number from {staging_table(contract.table)} as here "
        f"where here.{column} is not null and not exists ("
        f"select 1 from {staging_table(table)} as there where there.{other} = here.{column})"
    )


def _agrees_with(rule: Rule, contract: Contract) -> str:
    table, other_key, other, key = rule.arguments
    column = rule.columns[0]
    return (
        f"select here._delivery_id, here._line_number from {staging_table(contract.table)} as here "
        f"inner join {staging_table(table)} as there on there.{other_key} = here.{key} "
        f"where here.{column} <> there.{other}"
    )


def _key_unique(_: Rule, contract: Contract) -> str:
    key = ", ".join(contract.key)
    return (
        "select _delivery_id, _line_number from ("
        f"select _delivery_id, _line_number, "
        f"dense_rank() over (partition by {key} order by _business_date desc, _sequence desc) as age, "
        f"row_number() over (partition by {key}, _delivery_id order by _line_number) as copy "
        f"from raw.{contract.table}) as ranked where age = 1 and copy > 1"
    )


def _not_null(rule: Rule, contract: Contract) -> str:
    return (
        f"select count(*) from {staging_table(contract.table)} where {rule.columns[0]} is not null"
    )


def _all_rows(_: Rule, contract: Contract) -> str:
    return f"select count(*) from {staging_table(contract.table)}"


def _agreeing_pairs(rule: Rule, contract: Contract) -> str:
    table, other_key, other, key = rule.arguments
    column = rule.columns[0]
    return (
        f"select count(*) from {staging_table(contract.table)} as here "
        f"inner join {staging_table(table)} as there on there.{other_key} = here.{key} "
        f"where here.{column} is not null and there.{other} is not null"
    )


RELATION_CHECKS: dict[str, RelationCheck] = {
    "exists_in": RelationCheck(_exists_in, _not_null, ("text", "text")),
    "agrees_with": RelationCheck(_agrees_with, _agreeing_pairs, ("text", "text", "text", "column")),
    "key_unique": RelationCheck(_key_unique, _all_rows),
}
"""`exists_in(department__dataset, column)`: the value is found there.
`agrees_with(department__dataset, their_key, their_column, our_key)`: where the keys meet, the
values agree. `key_unique` is derived from the primary key."""
