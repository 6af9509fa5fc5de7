"""What is wrong with rules between datasets, which only shows when contracts are seen together.

Belongs here: names that do not exist, conditions that do not run, and two departments that are
each asked to agree with the other.
Does not belong here: one contract alone (`rule_reader`); what the checks mean (`relation_rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from quality.contract import Contract, Rule
from quality.relation_rules import RELATION_CHECKS, condition_trial, other_table


def problems_of(
    contract: Contract, tables: Mapping[str, Contract], broken_tables: Set[str]
) -> Iterator[tuple[int, str]]:
    """Line and message of each problem with the contract's relation rules.

    A broken neighbour breaks its own rules, not this contract.
    """
    for rule in contract.rules_of("relation"):
        table = other_table(rule)
        if table is None or table in broken_tables:
            continue
        missing = list(_missing(rule, table, tables))
        yield from (
            (rule.line, f"rule {rule.rule_id!r}: there is no {name!r} in {table}")
            for name in missing
        )
        if missing:
            continue
        if obstacle := _obstacle(rule, contract, tables[table]):
            yield rule.line, f"rule {rule.rule_id!r}: cannot run: {obstacle}"
        if twin := _mirrored(rule, contract, tables[table]):
            message = (
                f"rule {rule.rule_id!r}: {tables[table].name} asks the same of this dataset "
                f"({twin!r}), so that one disagreement would be told twice; keep one of them"
            )
            yield rule.line, message


def _missing(rule: Rule, table: str, tables: Mapping[str, Contract]) -> Iterator[str]:
    if table not in tables:
        yield table
        return
    known = {column.name for column in tables[table].columns}
    kinds = RELATION_CHECKS[rule.check].parameters
    for kind, argument in zip(kinds, rule.arguments, strict=True):
        if kind == "other column" and argument not in known:
            yield argument


def _obstacle(rule: Rule, contract: Contract, other: Contract) -> str | None:
    """Why the rule's conditions cannot run on rows of the two datasets; None where they can."""
    query = condition_trial(rule, contract, other)
    if query is None:
        return None
    import duckdb

    with duckdb.connect() as connection:
        try:
            connection.execute(query)
        except duckdb.Error as error:
            return str(error).splitlines()[0]
    return None


def _mirrored(rule: Rule, contract: Contract, other: Contract) -> str | None:
    """The rule of the other dataset that compares the same two columns over the same keys."""
    if rule.check != "agrees_with" or other.name < contract.name:
        return None
    _, their_key, their_column, own_key = rule.arguments
    for twin in other.rules_of("relation"):
        if (
            twin.check == "agrees_with"
            and twin.columns[0] == their_column
            and twin.arguments == (contract.table, own_key, rule.columns[0], their_key)
        ):
            return twin.rule_id
    return None
