"""Where the rows of two tables meet: both sides as they were and as they are, of the values alone
of which a verdict may have changed.

Belongs here: which columns a relation rule looks at, and laying out the rows that it hangs on, once
for all rules that can use them.
Does not belong here: whether a rule's findings may be carried on, and the verdicts
(`carried_findings`).

The rows there are looked for once a night for all datasets that meet a table by the same column:
going through the register of a city takes longer than all the rest. The own rows are looked for
once for the rules of a dataset that meet alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb

from quality.contract import Contract, Rule
from quality.relation_rules import staging_table
from quality.sql_conditions import columns_of
from quality.sql_text import quoted_list

Came = Mapping[str, tuple[str, ...]]
"""Dataset (`department__dataset`) to which deliveries only came → which, since the last night."""


@dataclass(frozen=True)
class Meeting:
    """By which columns a rule's two tables meet."""

    table: str
    """`department__dataset` of the other table."""
    own_key: str
    their_key: str

    @property
    def there(self) -> str:
        """Ends the names of the temporary tables of the other side."""
        return f"{self.table}__{self.their_key}"


@dataclass(frozen=True)
class Look:
    """What a rule looks at: nothing else changes its verdicts."""

    meeting: Meeting
    own: frozenset[str] = frozenset()
    """Columns of the own row besides the key."""
    theirs: frozenset[str] = frozenset()
    """Columns of the row there besides the key."""


def look_of(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Look | None:
    """What a relation rule looks at; None where it meets nobody, or may look at more than rows."""
    if rule.check == "exists_in":
        return Look(Meeting(rule.arguments[0], rule.columns[0], rule.arguments[1]))
    if rule.check == "agrees_with":
        table, their_key, compared, own_key = rule.arguments
        meeting = Meeting(table, own_key, their_key)
        return Look(meeting, frozenset(rule.columns[:1]), frozenset([compared]))
    if rule.check == "exists_where":
        table, their_key, *conditions = rule.arguments
        columns = set[tuple[str, str]]()
        for condition in conditions:
            found = columns_of(connection, condition)
            if found is None:
                return None
            columns |= found
        own = frozenset(name for side, name in columns if side == "here")
        theirs = frozenset(name for side, name in columns if side == "there")
        return Look(Meeting(table, rule.columns[0], their_key), own, theirs)
    return None


def open_layouts(connection: duckdb.DuckDBPyConnection) -> None:
    """Nothing is laid out yet. The note is a table, so that a transaction that is rolled back takes
    it along."""
    connection.execute("create or replace temp table laid_out (side varchar, meeting varchar)")


def lay_out(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    meeting: Meeting,
    followed: Iterable[Contract],
    came: Came,
) -> None:
    """Leave the two sides in `here_rows` and `there_rows_<meeting.there>`, both with `is_before`
    and `is_now`.

    Args:
        connection: after `open_layouts`.
        contract: whose rules meet.
        meeting: of one of its rules.
        followed: the datasets of which `changes` tells how they were.
        came: which deliveries came to each of them.
    """
    if not _is_laid_out(connection, "there", meeting.there):
        _lay_out_there(connection, meeting, followed, came)
        connection.execute("insert into laid_out values ('there', ?)", [meeting.there])
    here = f"{contract.table} {meeting}"
    if not _is_laid_out(connection, "here", here):
        looks = [look for look in _looks(connection, contract) if look.meeting == meeting]
        _lay_out_here(connection, contract, meeting, looks, came)
        connection.execute("delete from laid_out where side = 'here'")
        connection.execute("insert into laid_out values ('here', ?)", [here])


def is_new(came: Iterable[str]) -> str:
    """Whether a row is of one of the deliveries; `in (null)` would be neither true nor false."""
    listed = quoted_list(came)
    return "false" if listed == "null" else f"_delivery_id in ({listed})"


def _is_laid_out(connection: duckdb.DuckDBPyConnection, side: str, meeting: str) -> bool:
    found = connection.execute(
        "select count(*) from laid_out where side = ? and meeting = ?", [side, meeting]
    ).fetchone()
    return found == (1,)


def _looks(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[Look]:
    for rule in contract.rules_of("relation"):
        look = look_of(connection, rule)
        if look is not None:
            yield look


def _lay_out_there(
    connection: duckdb.DuckDBPyConnection,
    meeting: Meeting,
    followed: Iterable[Contract],
    came: Came,
) -> None:
    """Values that stand there as often as before, with the same beside them, change no verdict;
    the others are left in `moved_<meeting.there>`."""
    beside = set[str]()
    moved = f"moved_{meeting.there}"
    asked = [f"select value from {moved}"]
    for contract in followed:
        for look in _looks(connection, contract):
            if look.meeting.there == meeting.there:
                beside |= look.theirs
                changes = f"changes.{contract.staging_model}"
                asked.append(f"select {look.meeting.own_key} from {changes}")
    key, new = meeting.their_key, is_new(came[meeting.table])
    columns = ", ".join([key, *sorted(beside - {key})])
    table = staging_table(meeting.table)
    changes = f"changes.stg_{meeting.table}"
    connection.execute(
        f"""
        create or replace temp table {moved} as
        select {key} as value from {changes}
        group by {columns} having sum(if({new}, 1, -1)) <> 0
        union
        select {key} from quarantine.{meeting.table} where {new};

        create or replace temp table there_rows_{meeting.there} as
        select {columns}, true as is_now, not {new} as is_before
        from {table} where {key} in ({" union ".join(asked)})
        union all
        select {columns}, false, true from {changes} where not {new}
        """
    )


def _lay_out_here(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    meeting: Meeting,
    looks: Iterable[Look],
    came: Came,
) -> None:
    key, new = meeting.own_key, is_new(came[contract.table])
    beside = frozenset[str]().union(*(look.own for look in looks))
    columns = ", ".join([key, *sorted(beside - {key}), "_delivery_id", "_line_number"])
    connection.execute(
        f"""
        create or replace temp table here_rows as
        select {columns}, {new} as is_now, not {new} as is_before
        from changes.{contract.staging_model}
        union all
        select {columns}, true, true from {staging_table(contract.table)}
        where {key} in (select value from moved_{meeting.there}) and not {new}
        """
    )
