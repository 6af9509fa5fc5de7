"""What each delivery looks like: rows, missing values and distributions, in `quality.profile`.

Belongs here: the classes of values, counting them in SQL, and reading the counts.
Does not belong here: when a delivery is looked at (`delivery_counts`), what is unusual about it
(`anomalies`).

A profile is a function of the delivery alone: all rows that it brought, the refused ones too, so
that a file of which every row was refused still shows what happened to it. Counts add up, so
that the parts of one business date are one. Values of columns of level L3 and L4 are never kept,
only lengths and counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import duckdb

from quality.contract import Column, Contract
from quality.sql_text import quoted_list

BINS_A_DECADE = 4
"""Numbers are counted by the logarithm of their size: a change of unit by ten moves every number
by so many bins."""
_MIDDLE = 4000
"""Added to the logarithm's class, so that the sign is left for that of the number."""
_OTHER = -1
"""Class of a value that is none of those enumerated."""
_LONGEST = 40
_KEPT_LEVELS = ("L1", "L2")

PROFILE_TABLE = """
create schema if not exists quality;
create table if not exists quality.profile (
    delivery_id varchar not null,
    contract_version varchar,
    department varchar not null,
    dataset varchar not null,
    business_date date not null,
    column_name varchar not null,
    measure varchar not null,
    bin varchar not null,
    counted bigint not null
)
"""
"""`measure`: `rows` and `content` (a checksum of the rows in `bin`) of the delivery, where
`column_name` is empty; `missing` and `value` of a column, where `bin` is the class of the value."""


@dataclass(frozen=True)
class Profile:
    """What one dataset brought on one business date."""

    business_date: date
    delivery_ids: tuple[str, ...]
    rows: int
    content: str
    """The same for the same rows, whatever their order and file."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Column → rows without a value."""
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Column → class of value → rows."""


def profiled_columns(contract: Contract) -> tuple[Column, ...]:
    """The columns whose values say something by their distribution: those of the key are unique."""
    return tuple(column for column in contract.columns if column.key_position is None)


def classes(contract: Contract) -> list[str]:
    """Select list of a row's content and of the class of each profiled value, as numbers."""
    names = ", ".join(column.name for column in contract.columns)
    return [
        f"hash({names}) as _content",
        *(f"{_class(column)} as {column.name}" for column in profiled_columns(contract)),
    ]


def count(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Count the deliveries in `uncounted` by their rows in `arrived` (see `delivery_counts`)."""
    connection.execute(
        "delete from quality.profile where delivery_id in (select delivery_id from uncounted)"
    )
    counts = [_whole(), *(_of_column(column) for column in profiled_columns(contract))]
    place = [contract.department, contract.dataset]
    connection.execute(
        f"""
        insert into quality.profile
        select uncounted.delivery_id, uncounted.contract_version, ?, ?, uncounted.business_date,
            found.column_name, found.measure, found.bin, found.counted
        from ({" union all ".join(counts)}) as found
        inner join uncounted on uncounted.place = found._place
        order by all
        """,
        place,
    )
    # A delivery without rows is counted too, or it would be counted again every night.
    connection.execute(
        """
        insert into quality.profile
        select delivery_id, contract_version, ?, ?, business_date, '', 'rows', '', 0
        from uncounted where delivery_id not in (select delivery_id from quality.profile)
        """,
        place,
    )


def _whole() -> str:
    return (
        "select _place, '' as column_name, 'rows' as measure, '' as bin, count(*) as counted "
        "from arrived group by _place "
        "union all select _place, '', 'content', "
        "(sum(_content::hugeint) % 18446744073709551616)::varchar, count(*) "
        "from arrived group by _place"
    )


def _of_column(column: Column) -> str:
    """A column's classes, counted as numbers and named afterwards."""
    name = column.name
    return (
        f"select _place, '{name}' as column_name, "
        f"if({name} is null, 'missing', 'value') as measure, "
        f"coalesce({_name_of_class(column)}, '') as bin, sum(counted)::bigint as counted "
        f"from (select _place, {name}, count(*) as counted from arrived group by all) as grouped "
        "group by all"
    )


def _class(column: Column) -> str:
    """The class of a value as a number; null where there is no value."""
    name = column.name
    if column.logical_type in ("integer", "number"):
        size = f"floor(log10(abs({name}::double)) * {BINS_A_DECADE})::smallint + {_MIDDLE}"
        return (
            f"case when {name} = 0 then 0 when {name} > 0 then {size} "
            f"when {name} < 0 then -({size}) end::smallint"
        )
    if column.logical_type in ("date", "timestamp"):
        return f"(extract(year from {name}) // 10)::smallint"
    if column.logical_type == "boolean":
        return f"{name}::utinyint"
    if _is_enumerated(column):
        place = f"enum_code(try_cast({name} as enum ({quoted_list(column.domain)})))::integer"
        return f"case when {name} is not null then coalesce({place}, {_OTHER}) end"
    # not least(), which passes over a null
    return f"if(length({name}) > {_LONGEST}, {_LONGEST}, length({name}))::utinyint"


def _name_of_class(column: Column) -> str:
    """What `quality.profile` calls a class: enumerated values themselves where they may be kept."""
    name = column.name
    if column.logical_type in ("integer", "number"):
        return (
            f"case when {name} = 0 then 'zero' when {name} > 0 then 'p' || ({name} - {_MIDDLE}) "
            f"when {name} < 0 then 'n' || (-{name} - {_MIDDLE}) end"
        )
    if column.logical_type == "boolean":
        return f"{name}::boolean::varchar"
    if _is_enumerated(column):
        known = quoted_list(column.domain)
        return f"case when {name} = {_OTHER} then '其他' else ([{known}])[{name} + 1] end"
    return f"{name}::varchar"


def _is_enumerated(column: Column) -> bool:
    return column.logical_type == "string" and bool(column.domain) and column.level in _KEPT_LEVELS


def read_profiles(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[Profile]:
    """The dataset's deliveries that count tonight, by business date, parts put together."""
    rows = connection.execute(
        """
        select profile.business_date, profile.delivery_id, profile.column_name, profile.measure,
            profile.bin, profile.counted
        from quality.profile as profile
        inner join meta.delivery as delivery using (delivery_id)
        where delivery.department = ? and delivery.dataset = ? and delivery.status = 'loaded'
            and delivery.superseded_by is null
        order by all
        """,
        [contract.department, contract.dataset],
    ).fetchall()
    by_date: dict[date, _Gathered] = defaultdict(_Gathered)
    for day, delivery_id, column, measure, value, counted in rows:
        by_date[day].take(delivery_id, column, measure, value, counted)
    return [gathered.profile(day) for day, gathered in sorted(by_date.items())]


@dataclass
class _Gathered:
    """The counts of one business date while they are read."""

    deliveries: dict[str, None] = field(default_factory=dict)
    rows: int = 0
    contents: list[int] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    values: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def take(self, delivery_id: str, column: str, measure: str, value: str, counted: int) -> None:
        self.deliveries[delivery_id] = None
        if measure == "rows":
            self.rows += counted
        elif measure == "content":
            self.contents.append(int(value))
        elif measure == "missing":
            self.missing[column] += counted
        else:
            self.values[column][value] += counted

    def profile(self, day: date) -> Profile:
        content = str(sum(self.contents)) if self.rows else ""
        return Profile(day, tuple(self.deliveries), self.rows, content, self.missing, self.values)
