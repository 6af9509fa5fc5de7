"""What of last night's findings stands, and what tonight's changes add and take away.

Belongs here: whether the findings of a relation rule may be carried on, and the two sides of the
rule as they were and as they are, of the rows alone whose verdict may have changed.
Does not belong here: what a check means (`relation_rules`, `repeated_keys`); storing what is found
(`relation_findings`).

The models note what a build changed (docs/incremental.md): `changes.<staging model>` holds the
rows as they were and as they are. Where deliveries only came to a dataset of increments, a row of
it that belongs to one of them is as it is now and any other as it was: among older deliveries
nothing else can have won. A verdict can only have changed where the row itself changed, or a row
there of its value. Everything else is looked at whole: full datasets, whose rows move every night,
change logs, conditions in SQL, which may depend on the date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from quality import repeated_keys
from quality.contract import Contract, Rule
from quality.relation_rules import staging_table, verdicts
from quality.sql_text import quoted_list

BASE_TABLE = """
create schema if not exists quality;
create table if not exists quality.relation_base (
    built_from varchar not null,
    dataset varchar not null,
    delivery_id varchar not null,
    content varchar not null
)
"""
"""The build on which the findings were made, and the deliveries that were in force there; `dataset`
is `department__dataset`. Empty while findings are looked for, so that a crash leaves none."""

Came = Mapping[str, tuple[str, ...]]
"""Dataset (`department__dataset`) to which deliveries only came → which, since the last night."""


@dataclass(frozen=True)
class Carried:
    """What a rule finds tonight: the findings are in the temporary table `failing`."""

    failed: int
    total: int
    are_kept: bool
    """Whether `failing` holds the rows; of a rule that spared them last night only their number is
    known."""


def take_base(connection: duckdb.DuckDBPyConnection) -> Came | None:
    """Take what last night's findings stand on; `found_before` and `counted_before` hold them.

    Returns the deliveries that came since to each dataset to which deliveries only came; None where
    tonight's models did not go on from the build of the findings.
    """
    connection.execute(BASE_TABLE)
    came = _came(connection)
    connection.execute("truncate quality.relation_base")
    connection.execute(
        "create or replace temp table found_before as select * from quality.relation_finding; "
        "create or replace temp table counted_before as select * from quality.relation_count; "
        "create or replace temp table laid_out (meeting varchar)"
    )
    return came


def note_base(connection: duckdb.DuckDBPyConnection) -> None:
    """Note what tonight's findings stand on, where the models say of what they were built."""
    if _are_tables(connection, [("meta", "built_night"), ("meta", "in_force")]):
        connection.execute(
            "insert into quality.relation_base "
            "select built.built_from, own.department || '__' || own.dataset, own.delivery_id, "
            "own.content from meta.built_night as built, meta.in_force as own "
            "where built.is_whole and built.built_from is not null"
        )


def _came(connection: duckdb.DuckDBPyConnection) -> Came | None:
    if not _are_tables(connection, [("meta", "built_night"), ("meta", "in_force")]):
        return None
    went_on = connection.execute(
        "select count(*) from meta.built_night as built "
        "where built.is_whole and built.went_on_from = "
        "(select any_value(built_from) from quality.relation_base)"
    ).fetchone()
    if went_on != (1,):
        return None
    return dict(
        connection.execute(
            """
            with own as (
                select department || '__' || dataset as dataset, delivery_id, content
                from meta.in_force
            )
            select dataset,
                coalesce(list(own.delivery_id order by own.delivery_id)
                    filter (base.delivery_id is null), [])
            from own
            full join quality.relation_base as base using (dataset, delivery_id, content)
            group by dataset
            having count(*) = count(own.delivery_id)
            """
        ).fetchall()
    )


def carry_on(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rule: Rule,
    contracts: Mapping[str, Contract],
    came: Came,
) -> Carried | None:
    """Carry a rule's findings on; None where it must be looked at whole.

    Args:
        connection: after `take_base`.
        contract: whose rule it is.
        rule: a relation rule.
        contracts: by `department__dataset`.
        came: what `take_base` returned.
    """
    meeting = _meeting(rule)
    if meeting is None and rule.check != repeated_keys.CHECK:
        return None
    other = contracts.get(meeting.table) if meeting else contract
    if other is None or not _follow(connection, contract, other, came):
        return None
    before = _counted_before(connection, contract, rule)
    if before is None:
        return None
    if meeting:
        _compare_verdicts(connection, contract, rule, other, meeting, came)
    else:
        _compare_copies(connection, contract, came[contract.table])
    return _carried(connection, before)


def _follow(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    other: Contract,
    came: Came,
) -> bool:
    """Whether `changes` tells of both sides how they were."""
    return all(
        each.delivery == "increment" and bool(each.key) and each.table in came
        for each in (contract, other)
    ) and _are_tables(connection, [("changes", each.staging_model) for each in (contract, other)])


def _counted_before(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rule: Rule
) -> tuple[int, int] | None:
    """Failed and judged last night; the findings are left in `stood`."""
    identity = [contract.department, contract.dataset, rule.rule_id]
    place = "where department = ? and dataset = ? and rule_id = ?"
    connection.execute(
        "create or replace temp table stood as "
        "select delivery_id as _delivery_id, line_number as _line_number "
        f"from found_before {place}",
        identity,
    )
    found = connection.execute(f"select failed, total from counted_before {place}", identity)
    row = found.fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def _compare_copies(
    connection: duckdb.DuckDBPyConnection, contract: Contract, came: Iterable[str]
) -> None:
    """`before` and `now`: the copies whose kept row left or came, and the rows that did."""
    is_new = _is_new(came)
    for name, condition in (("before", f"not {is_new}"), ("now", is_new)):
        changed = f"(select * from changes.{contract.staging_model} where {condition})"
        connection.execute(
            f"create or replace temp table {name} as "
            f"select *, true as fails from ({repeated_keys.copies(contract, changed)}) as copies "
            f"union all select _delivery_id, _line_number, false from {changed} as changed"
        )


def _compare_verdicts(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rule: Rule,
    other: Contract,
    meeting: _Meeting,
    came: Came,
) -> None:
    """`before` and `now`: the verdicts on the rows of which one may have changed."""
    own_new, new = _is_new(came[contract.table]), _is_new(came[other.table])
    if not _is_laid_out(connection, contract, meeting):
        alike = [each for each in contract.rules_of("relation") if _meeting(each) == meeting]
        _lay_out(connection, contract, other, meeting, alike, own_new, new)
    refused = f"select {meeting.their_key} from quarantine.{other.table}"
    for name, condition in (("before", f"where not {new}"), ("now", "")):
        query = verdicts(
            rule,
            f"(select * from here_rows where is_{name})",
            f"(select * from there_rows where is_{name})",
            f"({refused} {condition})",
        )
        connection.execute(f"create or replace temp table {name} as {query}")


@dataclass(frozen=True)
class _Meeting:
    """By which columns a rule's two tables meet; rules that share it look at the same rows."""

    table: str
    own_key: str
    their_key: str


def _meeting(rule: Rule) -> _Meeting | None:
    if rule.check == "exists_in":
        return _Meeting(rule.arguments[0], rule.columns[0], rule.arguments[1])
    if rule.check == "agrees_with":
        return _Meeting(rule.arguments[0], rule.arguments[3], rule.arguments[1])
    return None


def _is_laid_out(
    connection: duckdb.DuckDBPyConnection, contract: Contract, meeting: _Meeting
) -> bool:
    """The note is a table, so that a transaction that is rolled back takes it along."""
    found = connection.execute("select meeting from laid_out").fetchall()
    return found == [(f"{contract.table} {meeting}",)]


def _lay_out(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    other: Contract,
    meeting: _Meeting,
    rules: Sequence[Rule],
    own_new: str,
    new: str,
) -> None:
    """`here_rows` and `there_rows`: what the rules' verdicts that may have changed hang on.

    Values that stand there as often as before, with the same beside them, change no verdict.
    """
    own_key, their_key = meeting.own_key, meeting.their_key
    own = ", ".join(dict.fromkeys([own_key, *(rule.columns[0] for rule in rules)]))
    beside = (rule.arguments[2] for rule in rules if rule.check == "agrees_with")
    there = ", ".join(dict.fromkeys([their_key, *beside]))
    connection.execute(
        f"""
        create or replace temp table moved as
        select {their_key} as value from changes.{other.staging_model}
        group by {there} having sum(if({new}, 1, -1)) <> 0
        union
        select {their_key} from quarantine.{other.table} where {new};

        create or replace temp table here_rows as
        select {own}, _delivery_id, _line_number, {own_new} as is_now, not {own_new} as is_before
        from changes.{contract.staging_model}
        union all
        select {own}, _delivery_id, _line_number, true, true
        from {staging_table(contract.table)}
        where {own_key} in (select value from moved) and not {own_new};

        create or replace temp table there_rows as
        select {there}, true as is_now, not {new} as is_before
        from {staging_table(other.table)}
        where {their_key} in (select {own_key} from here_rows)
        union all
        select {there}, false, true
        from changes.{other.staging_model} where not {new}
        """
    )
    connection.execute(
        "create or replace temp table laid_out as select ? as meeting",
        [f"{contract.table} {meeting}"],
    )


def _carried(connection: duckdb.DuckDBPyConnection, before: tuple[int, int]) -> Carried | None:
    """Leave tonight's findings in `failing`."""
    connection.execute(
        """
        create or replace temp table failing as
        select _delivery_id, _line_number from stood
        anti join (select * from before where fails) as gone using (_delivery_id, _line_number)
        union all
        select _delivery_id, _line_number from now where fails
        """
    )
    failed, total, kept, had = connection.execute(
        "select (select count(*) from now where fails) - (select count(*) from before where fails),"
        " (select count(*) from now) - (select count(*) from before),"
        " (select count(*) from failing), (select count(*) from stood)"
    ).fetchall()[0]
    failed += before[0]
    are_kept = had == before[0]
    if are_kept and kept != failed:
        return None
    return Carried(failed, before[1] + total, are_kept)


def _is_new(came: Iterable[str]) -> str:
    """Whether a row is of one of the deliveries; `in (null)` would be neither true nor false."""
    listed = quoted_list(came)
    return "false" if listed == "null" else f"_delivery_id in ({listed})"


def _are_tables(connection: duckdb.DuckDBPyConnection, names: Iterable[tuple[str, str]]) -> bool:
    present = connection.execute(
        "select schema_name, table_name from duckdb_tables() where not temporary"
    ).fetchall()
    return set(names) <= set(present)
