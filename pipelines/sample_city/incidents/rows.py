"""Which rows a night's delivery holds: what is new, told again, spoilt or corrected.

Belongs here: SQL over the tables `honest` (see `defects`) and `told_wrong`.
Does not belong here: files (`post`), incidents that spoil a whole file (`spoil`).

A register is told once in full on the first night. From then on a department sends, besides what
is new, rows that it has looked at again, as many as the calendar gives. Their number is what the
seasons show in; that they say nothing new keeps every other register in step with them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import duckdb

from pipelines.sample_city.defects import (
    CORRECTED_A_NIGHT,
    REPEATED_ROW,
    DefectKind,
    drawn_kind,
    spoilt_text,
)
from quality.contract import Contract

FEWEST_ROWS = 5
"""Rows told again on the quietest day."""
ROWS_A_NIGHT = 120
"""Rows told again on an ordinary Wednesday, of a register that is large enough."""
_LARGEST_SHARE = 0.1
_NOISE = 0.08
_FIRST_NIGHT_SHARE = 0.4
"""Share of the planted defects that come with the first, full, delivery."""


def scaled(kinds: tuple[DefectKind, ...], factor: float) -> tuple[DefectKind, ...]:
    """The same kinds of defect, `factor` times as often."""
    return tuple(replace(kind, rate=kind.rate * factor) for kind in kinds)


def plant(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    kinds: tuple[DefectKind, ...],
    blocked: Collection[int],
) -> None:
    """Decide the row defects: `told_wrong` (_id, _kind, _spoilt, _wrong_night, _right_night).

    A row of the first night goes wrong on the first night or on a later one, when it is told
    again. Nothing goes wrong or is put right on the `blocked` nights, which belong to incidents.
    """
    kind, share = drawn_kind(kinds)
    name = contract.name
    closed = f"[{', '.join(str(night) for night in sorted(blocked))}]::integer[]"
    connection.execute(f"""
        create or replace table told_wrong as
        with drawn as (
          select *, draw(_id, 'defect in {name}') as _drawn,
            case when _night > 1 or draw(_id, 'wrong at once in {name}') < {_FIRST_NIGHT_SHARE}
              then _night else 2 + slot(_id, 'wrong in {name}', nights() - 1) end as _wrong_night
          from honest where _stable and draw(_id, 'defect in {name}') < {share!r}),
        dated as (select *, night_date(_wrong_night) as _day from drawn),
        decided as (
          select *, {kind} as _kind from dated
          where not list_contains({closed}, _wrong_night) and _wrong_night <= nights()),
        spoilt as (select * from decided where _kind is not null)
        select _id, _kind, {spoilt_text(kinds, "_kind")} as _spoilt, _wrong_night,
          list_min(list_filter(range(_wrong_night + 1, nights() + 1), lambda night:
            not list_contains({closed}, night)
            and draw(_id * 1000 + night, 'corrected in {name}') < {CORRECTED_A_NIGHT}
          )) as _right_night
        from spoilt order by _id
    """)


def delivered(contract: Contract, night: int, told_again: float) -> str:
    """The rows of one delivery: `honest` columns plus `_kind` (null if right), `_spoilt`, `_copy`
    and `_told` (the night on which what it says was said first: for a correction, the wrong row's).

    Args:
        contract: of the dataset.
        night: number of the night, 1 for the first.
        told_again: how many rows an increment tells again, as a multiple of an ordinary day's.
    """
    if contract.delivery == "full":
        wrong = f"_wrong_night <= {night} and coalesce(_right_night > {night}, true)"
        taken = f"_night <= {night}"
    else:
        wrong = f"_wrong_night = {night}"
        taken = (
            f"_night = {night} or _wrong_night = {night} or _right_night = {night} "
            f"or _id in ({_told_again(contract, night, told_again)})"
        )
    rows = (
        f"select honest.*, case when {wrong} then _kind end as _kind, _spoilt, "
        f"if(_right_night = {night}, _wrong_night, {night}) as _told "
        f"from honest left join told_wrong using (_id) where {taken}"
    )
    return (
        f"with once as ({rows}) select *, 0 as _copy from once "
        f"union all select *, 1 as _copy from once where _kind = '{REPEATED_ROW}'"
    )


def _told_again(contract: Contract, night: int, weight: float) -> str:
    """Rows that have one version and are never wrong, so that telling them again says nothing."""
    if night == 1:
        return "select null::bigint"
    purpose = f"'told again in {contract.name}'"
    ordinary = f"least({ROWS_A_NIGHT}, {_LARGEST_SHARE} * (select count(*) from honest))"
    noise = f"(1 + {_NOISE} * (draw({night}, {purpose}) + draw(-{night}, {purpose}) - 1) * 2.45)"
    return (
        f"select _id from honest where _stable and _night < {night} "
        "and _id not in (select _id from told_wrong) "
        f"qualify row_number() over (order by draw(_id * 1000 + {night}, {purpose}), _id) "
        f"<= greatest({FEWEST_ROWS}, round({ordinary} * {weight!r} * {noise}))"
    )
