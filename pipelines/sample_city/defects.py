"""Row defects: which are planted, in which rows, and when they are corrected.

Belongs here: the declared kinds (`resources/defect_kinds.yaml`) and the SQL that plants them.
Does not belong here: judging rows; the rule that a defect breaks is the contract's.

Works on the query of a register: contract columns, `_id` (one entity, which orders the file),
`_night` (the night on which this version of the row is delivered) and `_stable` (no other
version of the entity exists). Only stable rows are spoilt, so that a correction is the one
event that mends them.

The rows are sorted once, when the table `honest` is made. Everything after reads that table
alone, without a join, and so in its order (DuckDB keeps it through select, where and union all).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.sample_city.vocabulary import read_resource
from quality.contract import Contract, Rule

REPEATED_ROW = "repeated_row"
CORRECTED_A_NIGHT = 0.3
"""Share of the open defects that a department corrects each night from the second on."""


@dataclass(frozen=True)
class DefectKind:
    """One way to spoil a row of one dataset; breaks `rule` and no other rule."""

    kind: str
    rule: str
    column: str
    rate: float
    value: str | None = None
    where: str = "true"

    def broken_rule(self, contract: Contract) -> Rule:
        """The rule of the contract that this defect breaks.

        Raises:
            ValueError: the contract has no such rule.
        """
        for rule in contract.rules:
            if rule.rule_id == self.rule:
                return rule
        raise ValueError(
            f"defect_kinds.yaml: {contract.name} has no rule {self.rule!r}; "
            f"correct the defect kind {self.kind!r}"
        )


def read_kinds() -> dict[str, tuple[DefectKind, ...]]:
    """Dataset (`department/dataset`) → its defect kinds, as declared."""
    declared = read_resource("defect_kinds.yaml")
    return {name: tuple(DefectKind(**kind) for kind in kinds) for name, kinds in declared.items()}


def drawn_kind(kinds: tuple[DefectKind, ...]) -> tuple[str, float]:
    """SQL of the kind that `_drawn` (0 to 1) falls to, null where to none; and their whole share.

    Each kind owns a stretch as long as its rate.
    """
    branches, low = [], 0.0
    for kind in kinds:
        high = low + kind.rate
        branches.append(f"when _drawn >= {low!r} and _drawn < {high!r} and ({kind.where}) "
                        f"then '{kind.kind}'")  # fmt: skip
        low = high
    return f"case {' '.join(branches)} end" if branches else "null::varchar", low


def plant(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    kinds: tuple[DefectKind, ...],
    register: str,
) -> None:
    """Make the table `honest` of one dataset: its rows in order, and which are to be spoilt.

    Adds `_planted` (the kind of the defect, or null), `_spoilt` (the text that stands in its
    column then) and `_corrected_night` to the columns of `register`, a query. A row draws one
    number; each kind owns a stretch of it as long as its rate. So a row has at most one defect,
    and adding rows or nights does not move the others.
    """
    chosen, share = drawn_kind(kinds)
    purpose = f"'defect in {contract.name}'"
    connection.execute(f"""
        create or replace table honest as
        with register as ({register}),
        drawn as (
          select *, night_date(_night) as _day,
            case when _stable then draw(_id, {purpose}) end as _drawn
          from register),
        decided as (
          select * exclude (_day, _drawn),
            case when _drawn < {share!r} then {chosen} end as _planted
          from drawn)
        select *, null::varchar as _spoilt, case when _planted is not null then
          list_min(list_filter(range(_night + 1, nights() + 1),
            lambda night: draw(_id * 1000 + night, 'corrected in ' || {purpose})
              < {CORRECTED_A_NIGHT})) end as _corrected_night
        from decided order by _id, _night
    """)
    _spoil(connection, kinds)


def _spoil(connection: duckdb.DuckDBPyConnection, kinds: tuple[DefectKind, ...]) -> None:
    """Apart from the rows that stay sound: DuckDB takes what the branches of a case have in common
    out of it, and would make a wrong code for every row.
    """
    if any(kind.value is not None for kind in kinds):
        connection.execute(f"""
            update honest set _spoilt = spoilt._spoilt
            from (select _id, _night, {spoilt_text(kinds, "_planted")} as _spoilt
              from (select *, night_date(_night) as _day from honest where _planted is not null)
            ) as spoilt
            where honest._planted is not null
              and honest._id = spoilt._id and honest._night = spoilt._night
        """)


def spoilt_text(kinds: tuple[DefectKind, ...], kind: str) -> str:
    """SQL of the text that stands in a spoilt column; null where `kind`, a column, spoils none."""
    branches = "".join(
        f" when '{known.kind}' then ({known.value})::varchar"
        for known in kinds
        if known.value is not None
    )
    return f"case {kind}{branches} end" if branches else "null::varchar"


def delivered_rows(contract: Contract, night: int) -> str:
    """The rows of one delivery, in their order: `honest` columns, `_kind` and `_copy`.

    `_kind` is null if the row is clean, `_copy` is 1 for a repeated row; those end the file. An
    increment holds what is new or changed and the corrections; a full delivery holds everything
    known, with the defects that are still open.
    """
    if contract.delivery == "full":
        taken = f"_night <= {night}"
        is_open = f"_corrected_night is null or _corrected_night > {night}"
    else:
        taken = f"(_night = {night} or _corrected_night = {night})"
        is_open = f"_night = {night}"
    rows = (
        f"select *, case when {is_open} then _planted end as _kind, {{copy}} as _copy "
        f"from honest where {taken}"
    )
    return (
        f"{rows.format(copy=0)} union all "
        f"{rows.format(copy=1)} and _planted = '{REPEATED_ROW}' and ({is_open})"
    )


def delivered_columns(contract: Contract, kinds: tuple[DefectKind, ...]) -> str:
    """The select list that turns delivered rows into the department's file: texts under headers."""
    return ", ".join(
        f'{_as_delivered(column.name, kinds)} as "{column.header}"' for column in contract.columns
    )


def _as_delivered(column: str, kinds: tuple[DefectKind, ...]) -> str:
    spoiling = [
        f"'{kind.kind}'" for kind in kinds if kind.column == column and kind.value is not None
    ]
    if not spoiling:
        return f"{column}::varchar"
    return f"case when _kind in ({', '.join(spoiling)}) then _spoilt else {column}::varchar end"
