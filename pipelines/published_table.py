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
MOST_DIFFERENT = 0.7
"""Rows that go and rows that come, together, as a share of the former rows: above it a table is
written anew."""
_SAMPLED = 5
"""Per cent of a table's rows that are looked for first: where most of them are new, the others
need not be compared."""
_FIRST_ROWS = 10_000
"""Rows of a table by which the gate judges whether the texts of a column repeat."""
_REPEATS = 10
"""Rows for each of a column's texts, from which on the gate looks at each text once."""


def _personal(column: str) -> str:
    """Condition: a text of the column holds a resident or mobile number."""
    return (
        f'strlen("{column}"::varchar) >= {_SHORTEST} '
        f"and regexp_matches(\"{column}\"::varchar, '{_PERSONAL}')"
    )


def _different(before: str, now: str) -> str:
    """Statement: of two queries of `row_hash`, those in `different` that went, came, or are there
    more or less often."""
    return (
        "create or replace temp table different as select row_hash from ("
        f"select row_hash, -1 as copies from ({before}) as before "
        f"union all select row_hash, 1 as copies from ({now}) as now"
        ") as before_and_now group by row_hash having sum(copies) <> 0"
    )


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
            self._connection.execute(
                "create or replace temp table going as select t.rowid as place, "
                f"hash(t) as row_hash from {table} as t where {differs}; "
                "create or replace temp table coming as "
                f"select t.* from ({query}) as t where {differs}"
            )
            return self._exchange(table, former)
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
            changed: query of the keys that changed.
            new: query of all rows that these keys have now; the table's columns.
            former: the table's sum.

        Raises:
            PublicationError: a text of a new row holds a resident or phone number.
        """
        same = " and ".join(f"row_of.{key} is not distinct from changed.{key}" for key in keys)
        run = self._connection.execute
        # By their places, or DuckDB would read every column of every row.
        run(
            "create or replace temp table going as "
            f"select row_of.rowid as place, hash(row_of) as row_hash from {table} as row_of "
            f"where row_of.rowid in (select row_of.rowid from {table} as row_of "
            f"semi join ({changed}) as changed on {same})"
        )
        run(f"create or replace temp table coming as {new}")
        if self._count("going") > self._count(f"({changed})"):
            self._leave_what_stands()
        return self._exchange(table, former)

    def _leave_what_stands(self) -> None:
        """Of the rows that go and come, only those that differ shall: where a key has several,
        most are as they were."""
        run = self._connection.execute
        run(_different("select row_hash from going", "select hash(t) as row_hash from coming as t"))
        run(
            "create or replace temp table going as select t.* from going as t "
            "where row_hash in (select different.row_hash from different as different); "
            "create or replace temp table coming as select t.* from coming as t "
            "where hash(t) in (select different.row_hash from different as different)"
        )

    def _most_are_new(self, table: str, query: str) -> bool:
        """Whether most rows of a sample of the query are not among the former ones."""
        sampled, stayed = self._connection.execute(
            "with sampled as materialized ("
            f"select hash(t) as row_hash from (from ({query}) tablesample system ({_SAMPLED}%)) "
            "as t) select (select count(*) from sampled), "
            f"(select count(*) from sampled semi join (select hash(t) as row_hash from {table} "
            "as t) as former using (row_hash))"
        ).fetchone() or (0, 0)
        return bool(sampled - stayed > MOST_DIFFERENT * sampled)

    def _few_differ(self, table: str, query: str, former: RowSum) -> bool:
        """Puts the hashes of the rows that went, came or are there more or less often into the
        table `different`; whether they are few enough to be exchanged.

        Where they are many, as after the end of a month, comparing has cost a quarter of writing,
        or more.
        """
        if self._most_are_new(table, query):
            return False
        before, now = (
            f"select hash(t) as row_hash from {rows} as t" for rows in (table, f"({query})")
        )
        self._connection.execute(_different(before, now))
        return self._count("different") <= MOST_DIFFERENT * former.rows

    def _exchange(self, table: str, former: RowSum) -> RowSum:
        """The rows `going`, by their place (`rowid`) and hash, make room for the rows `coming`."""
        run = self._connection.execute
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
        columns = [
            name
            for (name,) in self._connection.execute(
                "select column_name from (describe "
                f"select * from {relation}) where column_type like '%VARCHAR%' "
                "or column_type = 'JSON'"
            ).fetchall()
        ]
        if not columns or not self._holds_personal_data(relation, columns):
            return
        for name in columns:
            if count := self._count(relation, _personal(name)):
                raise PublicationError(
                    f"{table}.{name} holds {count} texts with a resident or "
                    "mobile number; mask or drop the column in its model"
                )

    def _holds_personal_data(self, relation: str, columns: Sequence[str]) -> bool:
        """Whether any text does; of a column whose texts repeat, each is looked at once."""
        repeating = self._repeating(relation, columns)
        others = " or ".join(f"({_personal(c)})" for c in columns if c not in repeating)
        texts = " union all ".join(
            f'select distinct "{column}"::varchar as text from {relation}' for column in repeating
        )
        return bool(
            (others and self._count(relation, others))
            or (texts and self._count(f"({texts})", _personal("text")))
        )

    def _repeating(self, relation: str, columns: Sequence[str]) -> list[str]:
        """The columns whose texts repeat among the first rows; none in a small table."""
        counts = ", ".join(f'approx_count_distinct("{column}"::varchar)' for column in columns)
        rows, *texts = self._connection.execute(
            f"select count(*), {counts} from (from {relation} limit {_FIRST_ROWS})"
        ).fetchone() or (0,)
        if rows < _FIRST_ROWS:
            return []
        return [
            column for column, count in zip(columns, texts, strict=True) if count * _REPEATS <= rows
        ]

    def _count(self, relation: str, condition: str = "true") -> int:
        """Rows of a relation of which the condition holds."""
        found = self._connection.execute(
            f"select count(*) filter (where {condition}) from {relation}"
        ).fetchone()
        return int(found[0]) if found else 0
