"""What the ledger says of one dataset's deliveries: which came, which still wait to be made good.

Belongs here: reading `meta.delivery`. Does not belong here: the verdicts (`row_results`).

A refused full delivery stands until a later one is loaded: later by business date, or of the same
date and taken up after it. In an increment and in a change log another file does not bring what is
missing: there it stands until one of its own date and number is loaded, and so does a column that
a loaded file did not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from quality.contract import Contract

_RULES = {"parts_missing": "delivery_complete", "shrunken": "not_shrunken"}
"""Why a delivery was refused → the delivery rule that tells of it; else `delivery_readable`."""

_WHOLE_SHARE = 0.75
"""Share of a dataset's files that end with a line end, from which on one without is cut."""


@dataclass(frozen=True)
class Told:
    """A delivery that a rule tells of."""

    file_name: str
    reason: str
    missing: tuple[str, ...] = ()
    """Agreed headers that the file did not have."""


@dataclass(frozen=True)
class Ledger:
    """One dataset's deliveries as of the night."""

    total: int
    newest_arrived: date | None
    """Business date of the newest delivery, refused ones too."""
    newest_loaded: int
    """Deliveries in force of the newest loaded business date."""
    drifted: tuple[Told, ...]
    """Those whose header is not the one agreed: of the newest date, and of any date those without
    an agreed column that no later delivery brings."""
    cut: tuple[Told, ...]
    """Deliveries in force whose file breaks off in a line, although the others do not."""
    refused: tuple[tuple[str, Told], ...]
    """Refused and not made good: delivery rule and what it tells, the latest first."""

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
    newest_loaded, drifted = _headers(connection, contract)
    return Ledger(int(total), newest, newest_loaded, drifted,
                  _cut(connection, contract), _refused(connection, contract))  # fmt: skip


def _headers(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> tuple[int, tuple[Told, ...]]:
    rows = connection.execute(
        """
        select
            file_name,
            coalesce((findings ->> '$.drift.disagrees')::boolean, false),
            findings ->> '$.drift.sentence',
            coalesce(from_json(findings -> '$.drift.missing', '["varchar"]'), []) as missing,
            business_date = max(business_date) over () as is_newest
        from meta.delivery
        where department = $department and dataset = $dataset
            and status = 'loaded' and superseded_by is null
        qualify is_newest or (
            not $is_full
            and list_has_any(missing, $headers)
        )
        order by is_newest desc, business_date desc, part, sequence
        """,
        {
            "department": contract.department,
            "dataset": contract.dataset,
            "is_full": contract.delivery == "full",
            "headers": list(contract.headers),
        },
    ).fetchall()
    newest = sum(is_newest for *_, is_newest in rows)
    drifted = [
        Told(name, said or "", tuple(missing)) for name, drifts, said, missing, _ in rows if drifts
    ]
    return newest, tuple(drifted)


def _cut(connection: duckdb.DuckDBPyConnection, contract: Contract) -> tuple[Told, ...]:
    """A department whose files never end with a line end has its own way of writing them."""
    rows = connection.execute(
        f"""
        with loaded as (
            select file_name, rows_read, business_date, part, sequence,
                (findings ->> '$.ends_whole')::boolean as ends_whole,
                business_date = max(business_date) over () as is_newest
            from meta.delivery
            where department = $department and dataset = $dataset
                and status = 'loaded' and superseded_by is null
        )
        select file_name, rows_read from loaded
        where not ends_whole and (is_newest or not $is_full)
            and (select count(*) filter (where ends_whole) >= {_WHOLE_SHARE} * count(*)
                from loaded where ends_whole is not null)
        order by business_date desc, part, sequence
        """,
        {
            "department": contract.department,
            "dataset": contract.dataset,
            "is_full": contract.delivery == "full",
        },
    ).fetchall()
    return tuple(Told(name, f"读到第 {rows} 行即止，最后一行没有结束") for name, rows in rows)


def _refused(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> tuple[tuple[str, Told], ...]:
    """A file that could not be fetched has no content: the next fetch brings what it lacked."""
    own_date = (
        "(loaded.business_date, loaded.part) is not distinct from "
        "(refused.business_date, refused.part) "
        "or refused.sm3 = '' or refused.reason like 'file_name:%'"
        if contract.delivery != "full"
        else "true"
    )
    rows = connection.execute(
        f"""
        with own as (
            select * from meta.delivery where department = ? and dataset = ?
        )
        select refused.file_name, coalesce(refused.reason, '')
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
        (_RULES.get(reason.partition(":")[0], "delivery_readable"), Told(name, reason))
        for name, reason in rows
    )
