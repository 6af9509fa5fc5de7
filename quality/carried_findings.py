"""What of last night's findings stands, and what tonight's changes add and take away.

Belongs here: whether the findings of a relation rule may be carried on, and the verdicts as they
were and as they are, on the rows alone of which one may have changed.
Does not belong here: which rows these are (`meetings`); what a check means (`relation_rules`,
`repeated_keys`); storing what is found (`relation_findings`).

The models note what a build changed (docs/incremental.md): `changes.<staging model>` holds the
rows as they were and as they are. Where deliveries only came to a dataset of increments, a row of
it that belongs to one of them is as it is now and any other as it was: among older deliveries
nothing else can have won. A verdict can only have changed where the row itself changed, or a row
there of its value. Everything else is looked at whole: full datasets, whose rows move every night,
change logs, conditions in SQL that may depend on more than the two rows, such as the date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from quality import repeated_keys
from quality.contract import Contract, Rule
from quality.meetings import Came, Meeting, is_new, lay_out, look_of, open_layouts
from quality.relation_rules import verdicts

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
        "create or replace temp table counted_before as select * from quality.relation_count"
    )
    open_layouts(connection)
    return came


def note_base(connection: duckdb.DuckDBPyConnection) -> None:
    """Note what tonight's findings stand on, where the models say of what they were built."""
    if _notes_builds(connection):
        connection.execute(
            "insert into quality.relation_base "
            "select built.built_from, own.department || '__' || own.dataset, own.delivery_id, "
            "own.content from meta.built_night as built, meta.in_force as own "
            "where built.is_whole and built.built_from is not null"
        )


def _came(connection: duckdb.DuckDBPyConnection) -> Came | None:
    if not _notes_builds(connection):
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
    look = look_of(connection, rule)
    if look is None and rule.check != repeated_keys.CHECK:
        return None
    followed = _followed(connection, contracts.values(), came)
    if not {contract.table, look.meeting.table if look else contract.table} <= set(followed):
        return None
    before = _counted_before(connection, contract, rule)
    if before is None:
        return None
    if look:
        lay_out(connection, contract, look.meeting, followed.values(), came)
        _compare_verdicts(connection, rule, look.meeting, came)
    else:
        _compare_copies(connection, contract, came[contract.table])
    return _carried(connection, before)


def _followed(
    connection: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], came: Came
) -> dict[str, Contract]:
    """The datasets of which `changes` tells how they were."""
    present = _tables(connection)
    return {
        contract.table: contract
        for contract in contracts
        if contract.delivery == "increment"
        and contract.key
        and contract.table in came
        and ("changes", contract.staging_model) in present
    }


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
    new = is_new(came)
    for name, condition in (("before", f"not {new}"), ("now", new)):
        changed = f"(select * from changes.{contract.staging_model} where {condition})"
        connection.execute(
            f"create or replace temp table {name} as "
            f"select *, true as fails from ({repeated_keys.copies(contract, changed)}) as copies "
            f"union all select _delivery_id, _line_number, false from {changed} as changed"
        )


def _compare_verdicts(
    connection: duckdb.DuckDBPyConnection, rule: Rule, meeting: Meeting, came: Came
) -> None:
    """`before` and `now`: the verdicts on the rows of which one may have changed."""
    refused = f"select {meeting.their_key} from quarantine.{meeting.table}"
    for name, condition in (("before", f"where not {is_new(came[meeting.table])}"), ("now", "")):
        query = verdicts(
            rule,
            f"(select * from here_rows where is_{name})",
            f"(select * from there_rows_{meeting.there} where is_{name})",
            f"({refused} {condition})",
        )
        connection.execute(f"create or replace temp table {name} as {query}")


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


def _notes_builds(connection: duckdb.DuckDBPyConnection) -> bool:
    return {("meta", "built_night"), ("meta", "in_force")} <= _tables(connection)


def _tables(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    return set(
        connection.execute(
            "select schema_name, table_name from duckdb_tables() where not temporary"
        ).fetchall()
    )
