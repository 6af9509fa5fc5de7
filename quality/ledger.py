"""What the ledger says of one dataset's deliveries: which came, which still wait to be made good.

Belongs here: reading `meta.delivery`. Does not belong here: the verdicts (`row_results`).

A refused delivery stands until a later one is loaded: later by business date, or of the same date
and taken up after it. In an increment another date does not bring what is missing: there it stands
until one of its own date is loaded, and in a change log one of its own date and number. So does a
column that a loaded one came without, until a file of its name replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from quality.contract import Contract

_RULES = {"parts_missing": "delivery_complete", "shrunken": "not_shrunken"}
"""Why a delivery was refused → the delivery rule that tells of it; else `delivery_readable`."""

CLOSED_BEFORE = 3
"""Earlier files after which it says something that one ends within a line."""
OPEN_SHARE = 0.1
"""Share of the earlier files, besides one, that may have done so all the same."""


@dataclass(frozen=True)
class Told:
    """A delivery that a rule tells of."""

    file_name: str
    reason: str
    delivery_id: str = ""
    business_date: date = date.min
    missing: tuple[str, ...] = ()
    """Agreed headers that a loaded delivery came without."""


@dataclass(frozen=True)
class Ledger:
    """One dataset's deliveries as of the night."""

    total: int
    newest_arrived: date | None
    """Business date of the newest delivery, refused ones too."""
    newest_loaded: int
    """Deliveries in force of the newest loaded business date."""
    drifted: tuple[Told, ...]
    """Those of them whose header is not the one agreed; of an increment or change log also earlier
    ones that came without an agreed column, which no other file brings."""
    refused: tuple[tuple[str, Told], ...]
    """Refused and not made good: delivery rule and what it tells, the latest first."""
    cut: tuple[Told, ...] = ()
    """Deliveries, in force or refused, that end within a line, though earlier ones never did."""

    def outstanding(self, rule: str) -> tuple[Told, ...]:
        """The refused deliveries that one rule tells of, each file once."""
        files: dict[str, Told] = {}
        for name, told in self.refused:
            if name == rule:
                files.setdefault(told.file_name, told)
        return tuple(files.values())


def read_ledger(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Ledger:
    """Read one dataset's part of `meta.delivery`."""
    place = [contract.department, contract.dataset]
    row = connection.execute(
        "select count(*), max(business_date) from meta.delivery "
        "where department = ? and dataset = ?",
        place,
    ).fetchone()
    total, newest = row or (0, None)
    newest_loaded, drifted = _drifted(connection, contract)
    refused = _refused(connection, contract)
    cut = _cut(connection, contract, {told.delivery_id for _, told in refused})
    return Ledger(int(total), newest, newest_loaded, drifted, refused, cut)


def _drifted(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> tuple[int, tuple[Told, ...]]:
    """How many deliveries are the newest, and those whose header still matters."""
    rows = connection.execute(
        """
        select
            file_name,
            delivery_id,
            business_date,
            business_date = max(business_date) over () as is_newest,
            coalesce((findings ->> '$.drift.disagrees')::boolean, false),
            coalesce(findings ->> '$.drift.sentence', ''),
            coalesce((findings -> '$.drift.missing')::varchar[], [])
        from meta.delivery
        where department = ? and dataset = ? and status = 'loaded' and superseded_by is null
        order by business_date desc, part, sequence
        """,
        [contract.department, contract.dataset],
    ).fetchall()
    found = []
    for name, delivery, day, is_newest, disagrees, said, missing in rows:
        if disagrees and (is_newest or (missing and contract.delivery != "full")):
            found.append(Told(name, said, delivery, day, tuple(missing)))
    return sum(row[3] for row in rows), tuple(found)


def _cut(
    connection: duckdb.DuckDBPyConnection, contract: Contract, refused: set[str]
) -> tuple[Told, ...]:
    """Deliveries that break off, where the dataset's earlier ones all ended with a whole line."""
    rows = connection.execute(
        f"""
        with own as (
            select *,
                coalesce((findings ->> '$.ends_open')::boolean, false) as ends_open,
                business_date
                = max(business_date) filter (where status = 'loaded') over () as is_newest
            from meta.delivery
            where department = ? and dataset = ? and status in ('loaded', 'refused')
                and findings ->> '$.ends_open' is not null
        ),
        told as (
            select *,
                count(*) over earlier as earlier_files,
                count(*) filter (where ends_open) over earlier as earlier_open
            from own
            window earlier as (
                order by sequence rows between unbounded preceding and 1 preceding
            )
        )
        select file_name, delivery_id, business_date, status, superseded_by, is_newest
        from told
        where ends_open and earlier_files >= {CLOSED_BEFORE}
            and earlier_open <= 1 + {OPEN_SHARE} * earlier_files
        order by business_date, sequence
        """,
        [contract.department, contract.dataset],
    ).fetchall()
    return tuple(
        Told(name, "文件在一行中间结束", delivery, day)
        for name, delivery, day, status, superseded_by, is_newest in rows
        if delivery in refused
        or (
            status == "loaded"
            and superseded_by is None
            and (is_newest or contract.delivery != "full")
        )
    )


def _refused(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> tuple[tuple[str, Told], ...]:
    """A file that could not be fetched has no content: the next fetch brings what it lacked."""
    own_date = (
        "(loaded.business_date, loaded.part) is not distinct from "
        "(refused.business_date, refused.part) "
        "or refused.sm3 = '' or refused.reason like 'file_name:%'"
        if contract.delivery == "change_log"
        else "loaded.business_date is not distinct from refused.business_date "
        "or refused.sm3 = '' or refused.reason like 'file_name:%'"
        if contract.delivery == "increment"
        else "true"
    )
    rows = connection.execute(
        f"""
        with own as (
            select * from meta.delivery where department = ? and dataset = ?
        )
        select refused.file_name, coalesce(refused.reason, ''), refused.delivery_id,
            refused.business_date
        from own as refused
        where refused.status = 'refused' and refused.superseded_by is null
            and not exists (
                select 1 from own as loaded
                where loaded.status in ('loaded', 'repeated')
                    and row(loaded.business_date, coalesce(loaded.sequence, 0))
                        >= row(refused.business_date, coalesce(refused.sequence, 0))
                    and ({own_date})
            )
        order by refused.business_date desc, refused.sequence desc, refused.delivery_id
        """,
        [contract.department, contract.dataset],
    ).fetchall()
    return tuple(
        (
            _RULES.get(reason.partition(":")[0], "delivery_readable"),
            Told(name, reason, delivery, day),
        )
        for name, reason, delivery, day in rows
    )
