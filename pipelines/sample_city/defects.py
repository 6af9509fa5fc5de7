"""Row defects: which are planted, in which rows, and when they are corrected.

Belongs here: the declared kinds (`resources/defect_kinds.yaml`) and the SQL that plants them.
Does not belong here: judging rows; the rule that a defect breaks is the contract's.

Works on the table `honest`: contract columns, `_id` (one entity, which orders the file),
`_night` (the night on which this version of the row is delivered) and `_stable` (no other
version of the entity exists). Only stable rows are spoilt, so that a correction is the one
event that mends them.
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
    return f"case {' '.join(branches)} end", low


def plant(
    connection: duckdb.DuckDBPyConnection, contract: Contract, kinds: tuple[DefectKind, ...]
) -> None:
    """Decide the defects of one dataset: the table `planted` (_id, _kind, _corrected_night).

    A row draws one number; each kind owns a stretch of it as long as its rate. So a row has at
    most one defect, and adding rows or nights does not move the others.
    """
    kind, share = drawn_kind(kinds)
    purpose = f"'defect in {contract.name}'"
    connection.execute(f"""
        create or replace table planted as
        with drawn as (
          select *, night_date(_night) as _day, draw(_id, {purpose}) as _drawn
          from honest where _stable and draw(_id, {purpose}) < {share!r}),
        decided as (select _id, _night, {kind} as _kind from drawn)
        select _id, _kind, list_min(list_filter(range(_night + 1, nights() + 1),
            lambda night: draw(_id * 1000 + night, 'corrected in ' || {purpose})
              < {CORRECTED_A_NIGHT})) as _corrected_night
        from decided where _kind is not null order by _id
    """)


def delivered_rows(contract: Contract, night: int) -> str:
    """The rows of one delivery: `honest` columns plus `_kind` (null if clean) and `_copy`.

    An increment holds what is new or changed and the corrections; a full delivery holds
    everything known, with the defects that are still open. `_copy` is 1 for a repeated row.
    """
    if contract.delivery == "full":
        taken = f"honest._night <= {night}"
        open_kind = (
            f"case when _corrected_night is null or _corrected_night > {night} then _kind end"
        )
    else:
        taken = f"(honest._night = {night} or _corrected_night = {night})"
        open_kind = f"case when honest._night = {night} then _kind end"
    rows = (
        f"select honest.*, {open_kind} as _kind, night_date(honest._night) as _day "
        f"from honest left join planted using (_id) where {taken}"
    )
    return (
        f"with once as ({rows}) select *, 0 as _copy from once "
        f"union all select *, 1 as _copy from once where _kind = '{REPEATED_ROW}'"
    )


def delivered_columns(contract: Contract, kinds: tuple[DefectKind, ...]) -> str:
    """The select list that turns delivered rows into the department's file: texts under headers."""
    return ", ".join(
        f'{_as_delivered(column.name, kinds)} as "{column.header}"' for column in contract.columns
    )


def _as_delivered(column: str, kinds: tuple[DefectKind, ...]) -> str:
    branches = [
        f"when '{kind.kind}' then ({kind.value})::varchar"
        for kind in kinds
        if kind.column == column and kind.value is not None
    ]
    if not branches:
        return f"{column}::varchar"
    return f"case _kind {' '.join(branches)} else {column}::varchar end"
