"""How one table gets into a published file, its checksum, and the gate before it.

Belongs here: writing a table anew, or exchanging rows of the one that was taken over. Does not
belong here: which tables a file holds and what leaves of them (`published_content`).

A checksum is a sum over the rows: where rows go and others come, it follows from the sums of both.
The gate looks at every row that comes; one that stays passed it when it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

_MODULUS = 1 << 64
_PERSONAL = (
    r"(^|[^0-9A-Za-z])([1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"|1[3-9]\d{9})($|[^0-9A-Za-z])"
)
"""A resident number or a mobile number standing by itself in a text."""
_SHORTEST = 11
"""Characters of a mobile number: a shorter text is not searched."""

WORTH_COMPARING = 100_000
"""Rows from which on a table is compared with the former one; a smaller one is sooner written."""
MOST_DIFFERENT = 0.5
"""Rows that go and rows that come, together, as a share of the former rows: above it a table is
written anew."""


class PublicationError(Exception):
    """Nothing was published, and what was published before stays; says why."""


@dataclass(frozen=True)
class PublishedTable:
    """One published table; `checksum` does not depend on the order of its rows."""

    schema: str
    name: str
    rows: int
    checksum: str


@dataclass(frozen=True)
class RowSum:
    """Rows and the sum of their hashes: what a checksum is made of."""

    rows: int
    hashes: int

    def table(self, schema: str, name: str) -> PublishedTable:
        """What is listed of a table with these rows."""
        return PublishedTable(schema, name, self.rows, f"{self.hashes % _MODULUS:016x}")


class TableWriter:
    """Writes tables of the file that its connection has open; a table is named `schema.name`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def write(self, table: str, query: str, former: RowSum | None) -> RowSum:
        """The rows of the query: in the place of those that differ in a large table that was taken
        over, else all of them anew.

        Args:
            table: need not exist where `former` is None.
            query: of the former table's columns and types, if there is one.
            former: the sum of the table that was taken over.

        Raises:
            PublicationError: a text of a new row holds a resident or phone number.
        """
        if (
            former is not None
            and former.rows >= WORTH_COMPARING
            and self._few_differ(table, query, former)
        ):
            differs = "hash(t) in (select different.row_hash from different as different)"
            return self._exchange(
                table,
                former,
                going=f"select t.rowid as place, hash(t) as row_hash from {table} as t "
                f"where {differs}",
                coming=f"select t.* from ({query}) as t where {differs}",
            )
        self._connection.execute(f"create schema if not exists {table.partition('.')[0]}")
        self._connection.execute(f"create or replace table {table} as {query}")
        self._refuse_personal_data(table, table)
        return self._sum(f"select hash(t) as row_hash from {table} as t")

    def replace_keys(
        self, table: str, keys: Sequence[str], changed: str, new: str, former: RowSum
    ) -> RowSum:
        """The rows of the changed keys in the place of the former rows of these keys.

        Args:
            table: was taken over.
            keys: columns by which its rows hang together.
            changed: query of the keys that changed, each once.
            new: query of all rows that these keys have now; the table's columns.
            former: the table's sum.

        Raises:
            PublicationError: a text of a new row holds a resident or phone number.
        """
        same = " and ".join(f"row_of.{key} is not distinct from changed.{key}" for key in keys)
        return self._exchange(
            table,
            former,
            going=f"select row_of.rowid as place, hash(row_of) as row_hash from {table} as row_of "
            f"semi join ({changed}) as changed on {same}",
            coming=new,
        )

    def _few_differ(self, table: str, query: str, former: RowSum) -> bool:
        """Puts the hashes of the rows that went, came or are there more or less often into the
        table `different`; whether they are few enough to be exchanged.

        Where they are many, as after the end of a month, comparing has cost a quarter of writing,
        or more.
        """
        run = self._connection.execute
        run(
            "create or replace temp table different as "
            "select row_hash from ("
            f"select hash(t) as row_hash, 1 as copies from ({query}) as t "
            f"union all select hash(t) as row_hash, -1 as copies from {table} as t"
            ") as now_and_before group by row_hash having sum(copies) <> 0"
        )
        (found,) = run("select count(*) from different").fetchone() or (0,)
        return bool(found <= MOST_DIFFERENT * former.rows)

    def _exchange(self, table: str, former: RowSum, *, going: str, coming: str) -> RowSum:
        """Rows by their place (`rowid`) make room for others: found and summed in one pass."""
        run = self._connection.execute
        run(f"create or replace temp table going as {going}")
        run(f"create or replace temp table coming as {coming}")
        self._refuse_personal_data("coming", table)
        gone = self._sum("select row_hash from going")
        came = self._sum("select hash(t) as row_hash from coming as t")
        run(f"delete from {table} as row_of using going where row_of.rowid = going.place")
        run(f"insert into {table} select * from coming")
        run("drop table coming; drop table going")
        return RowSum(
            former.rows - gone.rows + came.rows, former.hashes - gone.hashes + came.hashes
        )

    def _sum(self, row_hashes: str) -> RowSum:
        rows, hashes = self._connection.execute(
            f"select count(*), sum(row_hash::hugeint) from ({row_hashes}) as hashed"
        ).fetchone() or (0, None)
        return RowSum(rows, int(hashes or 0))

    def _refuse_personal_data(self, relation: str, table: str) -> None:
        """The last gate: no text, nested or not, holds a resident or mobile number."""
        columns = self._connection.execute(
            "select column_name from (describe "
            f"select * from {relation}) where column_type like '%VARCHAR%' or column_type = 'JSON'"
        ).fetchall()
        holds = {
            name: f'strlen("{name}"::varchar) >= {_SHORTEST} '
            f"and regexp_matches(\"{name}\"::varchar, '{_PERSONAL}')"
            for (name,) in columns
        }
        if not holds or not self._count(
            relation, " or ".join(f"({sql})" for sql in holds.values())
        ):
            return
        for name, sql in holds.items():
            if count := self._count(relation, sql):
                raise PublicationError(
                    f"{table}.{name} holds {count} texts with a resident or "
                    "mobile number; mask or drop the column in its model"
                )

    def _count(self, relation: str, condition: str) -> int:
        """Rows of a relation of which the condition holds."""
        found = self._connection.execute(
            f"select count(*) from {relation} where {condition}"
        ).fetchone()
        return int(found[0]) if found else 0
