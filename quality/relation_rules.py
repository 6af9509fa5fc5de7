"""The checks on a table and between departments, as SQL that finds the failing rows.

Belongs here: what each relation check means.
Does not belong here: running them (`expectations`), keeping what they find (`defects`).

A query returns `_delivery_id` and `_line_number` of every row that fails, once each, so that a
finding can be sent home with file and line. It reads the staging tables (latest version per
key), and for `key_unique` the raw view too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quality.contract import Contract, Rule


@dataclass(frozen=True)
class RelationCheck:
    """`failing_rows(rule, contract)` is the query; `judged(rule, contract)` counts the judged."""

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
        f"where here.{column} is not null "
        f"and not exists ({_found(staging_table(table), other, column)}) "
        f"and not exists ({_found(f'quarantine.{table}', other, column)})"
    )


def _found(table: str, other: str, column: str) -> str:
    return f"select 1 from {table} as there where there.{other} = here.{column}"


def _exists_where(rule: Rule, contract: Contract) -> str:
    """A row fails if the value is there, and never so that the condition holds."""
    table, other, condition, _ = rule.arguments
    found = _found(staging_table(table), other, rule.columns[0])
    return (
        f"select here._delivery_id, here._line_number from {staging_table(contract.table)} as here "
        f"where {_judged_where(rule)} and not exists ({found} and ({condition}))"
    )


def _judged_where(rule: Rule) -> str:
    """The rows whose value is there at all: one that is not is `exists_in`'s to tell."""
    table, other, _, own = rule.arguments
    column = rule.columns[0]
    return (
        f"here.{column} is not null and ({own}) "
        f"and exists ({_found(staging_table(table), other, column)})"
    )


def _rows_that_exist(rule: Rule, contract: Contract) -> str:
    return (
        f"select count(*) from {staging_table(contract.table)} as here where {_judged_where(rule)}"
    )


def _agrees_with(rule: Rule, contract: Contract) -> str:
    """A row that meets several rows there fails once, if any of them says something else."""
    table, other_key, other, key = rule.arguments
    column = rule.columns[0]
    return (
        f"select here._delivery_id, here._line_number from {staging_table(contract.table)} as here "
        f"where exists (select 1 from {staging_table(table)} as there "
        f"where there.{other_key} = here.{key} and there.{other} <> here.{column})"
    )


def _key_unique(_: Rule, contract: Contract) -> str:
    """The copies that staging did not take, of keys whose row in force came with them."""
    same_key = " and ".join(f"kept.{name} = copy.{name}" for name in contract.key)
    return (
        f"select copy._delivery_id, copy._line_number from raw.{contract.table} as copy "
        f"inner join {staging_table(contract.table)} as kept "
        f"on kept._delivery_id = copy._delivery_id and {same_key} "
        "where kept._line_number <> copy._line_number"
    )


def _filled(rule: Rule, contract: Contract) -> str:
    return (
        f"select count(*) from {staging_table(contract.table)} where {rule.columns[0]} is not null"
    )


def _all_rows(_: Rule, contract: Contract) -> str:
    return f"select count(*) from {staging_table(contract.table)}"


def _rows_and_copies(rule: Rule, contract: Contract) -> str:
    copies = f"select count(*) from ({_key_unique(rule, contract)}) as copies"
    return f"select ({_all_rows(rule, contract)}) + ({copies})"


def _meeting_rows(rule: Rule, contract: Contract) -> str:
    table, other_key, other, key = rule.arguments
    column = rule.columns[0]
    return (
        f"select count(*) from {staging_table(contract.table)} as here "
        f"where here.{column} is not null and exists ("
        f"select 1 from {staging_table(table)} as there "
        f"where there.{other_key} = here.{key} and there.{other} is not null)"
    )


RELATION_CHECKS: dict[str, RelationCheck] = {
    "exists_in": RelationCheck(_exists_in, _filled, ("table", "other column")),
    "exists_where": RelationCheck(
        _exists_where,
        _rows_that_exist,
        ("table", "other column", "condition there", "condition here"),
    ),
    "agrees_with": RelationCheck(
        _agrees_with, _meeting_rows, ("table", "other column", "other column", "column")
    ),
    "key_unique": RelationCheck(_key_unique, _rows_and_copies),
}
"""What each says, where `table` is `department__dataset`:

- `exists_in(table, column)`: the value is found there. One that lies in its quarantine is found:
  what is wrong with that row is told to its owner already, and one cause is one finding.
- `exists_where(table, column, "condition", "own condition")`: where the own condition holds and the
  value is found there, it is found in a row that meets the condition. Both are SQL; `here` is the
  own row, `there` the other one.
- `agrees_with(table, their_key, their_column, our_key)`: where the keys meet, the values agree.
- `key_unique` is derived from the primary key.
"""


def other_table(rule: Rule) -> str | None:
    """The `department__dataset` that a relation rule looks into; None where it is its own."""
    check = RELATION_CHECKS.get(rule.check)
    return rule.arguments[0] if check and check.parameters[:1] == ("table",) else None


def condition_trial(rule: Rule, contract: Contract, other: Contract) -> str | None:
    """A query without rows that runs if the rule's own conditions do; None where it has none."""
    if rule.check != "exists_where":
        return None
    _, _, condition, own = rule.arguments
    here, there = (
        ", ".join(f"cast(null as {c.sql_type}) as {c.name}" for c in each.columns)
        for each in (contract, other)
    )
    return (
        f"with here as (select {here} where false), there as (select {there} where false) "
        f"select 1 from here where ({own}) and exists (select 1 from there where ({condition}))"
    )


def failing_rows(rule: Rule, contract: Contract) -> str | None:
    """The query that finds the failing rows; `None` where a rule judges the table as a whole.

    An SQL rule finds rows if its query returns `_delivery_id` and `_line_number`; any other
    query returns one number, as ODCS has it.
    """
    if rule.check in RELATION_CHECKS:
        return RELATION_CHECKS[rule.check].failing_rows(rule, contract)
    if rule.check == "nullValues":
        table = staging_table(contract.table)
        return f"select _delivery_id, _line_number from {table} where {rule.columns[0]} is null"
    if rule.check == "sql" and finds_rows(rule):
        query = sql_of(rule, contract)
        return f"select distinct _delivery_id, _line_number from ({query}) as found"
    return None


def judged_rows(rule: Rule, contract: Contract) -> str:
    """The query that counts what was judged."""
    check = RELATION_CHECKS.get(rule.check)
    return check.judged(rule, contract) if check else _all_rows(rule, contract)


def rows_with_verdict(rule: Rule, contract: Contract, *, meets_one: bool) -> str | None:
    """A query of every judged row once, with `fails`: one join tells both what fails and how many
    were judged. None for checks of which the two are as cheap apart.

    Args:
        rule: of the contract.
        contract: whose rule it is.
        meets_one: a value meets one row there at most, because the column is the key there.
    """
    if rule.check not in ("agrees_with", "exists_where"):
        return None
    table = staging_table(rule.arguments[0])
    return _met(rule, staging_table(contract.table), table, meets_one=meets_one)


def verdicts(rule: Rule, here: str, there: str, refused: str) -> str:
    """The verdicts of a rule on some of the rows, as of `rows_with_verdict`.

    Args:
        rule: `exists_in`, `exists_where` or `agrees_with`.
        here: the own rows, a table or a query in brackets.
        there: the rows there of all values of theirs.
        refused: the rows there that lie in quarantine.
    """
    if rule.check != "exists_in":
        return _met(rule, here, there, meets_one=False)
    column, other = rule.columns[0], rule.arguments[1]
    return (
        f"select here._delivery_id, here._line_number, not exists ({_found(there, other, column)}) "
        f"and not exists ({_found(refused, other, column)}) as fails "
        f"from {here} as here where here.{column} is not null"
    )


def _met(rule: Rule, here: str, there: str, *, meets_one: bool) -> str:
    _, their_key, third, fourth = rule.arguments
    column = rule.columns[0]
    if rule.check == "agrees_with":
        own_key, fails = fourth, f"there.{third} <> here.{column}"
        judged = f"here.{column} is not null and there.{third} is not null"
    else:
        own_key, fails = column, f"not coalesce(({third}), false)"
        judged = f"({fourth})"
    met = (
        f"from {here} as here inner join {there} as there on there.{their_key} = here.{own_key} "
        f"where {judged}"
    )
    if meets_one:
        return f"select here._delivery_id, here._line_number, {fails} as fails {met}"
    several = "bool_or" if rule.check == "agrees_with" else "bool_and"
    return (
        f"select here._delivery_id, here._line_number, {several}({fails}) as fails {met} "
        "group by here._delivery_id, here._line_number"
    )


def finds_rows(rule: Rule) -> bool:
    """An SQL rule whose query names the rows that fail."""
    return "_line_number" in rule.arguments[0] and "_delivery_id" in rule.arguments[0]


def sql_of(rule: Rule, contract: Contract) -> str:
    """The query of an SQL rule, on the staging table."""
    query = rule.arguments[0].strip().rstrip(";")
    return query.replace("{object}", staging_table(contract.table))
