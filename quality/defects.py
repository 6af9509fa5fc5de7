"""Every finding, row by row, and which of them still stand: `quality.defect`.

Belongs here: gathering what the door flagged and refused and what the relation rules found, in
set-based SQL, and exchanging what differs from last night.
Does not belong here: judging rows (the door) or relations (`expectations`); which refused rows have
been put right (`refused_rows`); the counts per rule (`row_results`).

A flag stands as long as its row is the one in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import duckdb

from quality.contract import Contract, Rule
from quality.refused_rows import resolve_refused_rows
from quality.relation_findings import rows_found
from quality.results import ENGINES, FAIL, RuleResult, insert_rows
from quality.sql_text import quoted_list

DEFECT_TABLE = """
create schema if not exists quality;
create table if not exists quality.defect (
    defect_id varchar not null,
    department varchar not null,
    dataset varchar not null,
    delivery_id varchar not null,
    file_name varchar,
    business_date date,
    line_number bigint not null,
    rule_id varchar not null,
    engine varchar not null,
    dimension varchar not null,
    severity varchar not null,
    columns varchar not null,
    is_open boolean not null,
    resolved_by varchar
)
"""
"""One row per (delivery, line, rule). Row rules: every finding of the deliveries that count.
Relation rules: tonight's, all open. Findings of rules that the contract no longer has are gone."""

_RULE_COLUMNS = ("rule_id", "engine", "dimension", "severity", "columns")


def open_defect_table(connection: duckdb.DuckDBPyConnection, contracts: Iterable[Contract]) -> None:
    """`quality.defect` as last night left it, without the datasets that have no contract."""
    connection.execute(DEFECT_TABLE)
    described = quoted_list(contract.table for contract in contracts)
    connection.execute(
        "delete from quality.defect "
        f"where department || '__' || dataset not in (select unnest([{described}]))"
    )


def drop_defects(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Forget the findings of a dataset that cannot be judged tonight."""
    connection.execute(
        "delete from quality.defect where department = ? and dataset = ?",
        [contract.department, contract.dataset],
    )


def build_defects(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    relation_results: Iterable[RuleResult] = (),
) -> int:
    """Put tonight's findings of one dataset in the place of the former ones.

    Returns the rows in force: staging and unresolved quarantine.

    Needs `raw`, `quarantine` and `staging` of the dataset and `meta.delivery`; leaves the
    quarantine's resolutions in the temporary table `held`.

    Raises:
        duckdb.Error: a table is missing or unreadable.
    """
    _load_rules(connection, contract)
    _load_deliveries(connection, contract)
    resolve_refused_rows(connection, contract)
    relations = _found_by_relations(connection, contract, relation_results)
    _exchange(connection, contract, [_found_in_held(), _found_in_flags(contract), *relations])
    return _count(
        connection,
        f"select (select count(*) from staging.{contract.staging_model}) "
        "+ (select count(*) from held where resolved_by is null)",
    )


def _load_rules(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    connection.execute(
        "create or replace temp table known_rule (rule_id varchar, engine varchar, "
        "dimension varchar, severity varchar, columns varchar)"
    )
    rows = [_rule_row(rule) for rule in contract.rules]
    insert_rows(connection, "known_rule", _RULE_COLUMNS, rows)


def _rule_row(rule: Rule) -> dict[str, str]:
    return {
        "rule_id": rule.rule_id,
        "engine": ENGINES[rule.family],
        "dimension": rule.dimension,
        "severity": rule.severity,
        "columns": ",".join(rule.columns),
    }


def _load_deliveries(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """The dataset's loaded deliveries; a full one is replaced by the first of a later date."""
    replaces = "later.business_date > own.business_date" if contract.delivery == "full" else "false"
    connection.execute(
        f"""
        create or replace temp table loaded as
        with counted as (
            select delivery_id, file_name, business_date, sequence from meta.delivery
            where department = ? and dataset = ? and status = 'loaded' and superseded_by is null
        )
        select own.delivery_id, own.file_name, own.business_date, own.sequence,
            min_by(later.delivery_id, row(later.business_date, later.sequence)) as replaced_by
        from counted as own
        left join counted as later on {replaces}
        group by all
        """,
        [contract.department, contract.dataset],
    )


def _found_in_held() -> str:
    return (
        "select distinct _delivery_id, _line_number, resolved_by is null as is_open, resolved_by, "
        "unnest(string_split(concat_ws(',', nullif(_rules, ''), nullif(_flags, '')), ',')) "
        "as rule_id from held"
    )


def _found_in_flags(contract: Contract) -> str:
    """A flag is open while its row is in force; else the row that took its place resolves it."""
    staging = f"staging.{contract.staging_model}"
    place = contract.key or ("_delivery_id", "_line_number")
    same = " and ".join(f"in_force.{name} = flagged.{name}" for name in place)
    key = "".join(f"{name}, " for name in contract.key)
    return f"""
        select flagged._delivery_id, flagged._line_number,
            coalesce(in_force._delivery_id = flagged._delivery_id
                and in_force._line_number = flagged._line_number, false) as is_open,
            case when not is_open
                then coalesce(loaded.replaced_by, in_force._delivery_id) end as resolved_by,
            flagged.rule_id
        from (
            select {key}_delivery_id, _line_number, unnest(string_split(_flags, ',')) as rule_id
            from raw.{contract.table} where _flags <> ''
        ) as flagged
        left join {staging} as in_force on {same}
        left join loaded on loaded.delivery_id = flagged._delivery_id
    """


def _found_by_relations(
    connection: duckdb.DuckDBPyConnection, contract: Contract, results: Iterable[RuleResult]
) -> Iterator[str]:
    """Within its tolerance a rule passes, and the rows that it spares are no defects."""
    failing = {r.rule_id for r in results if r.dataset == contract.dataset
               and r.department == contract.department and r.status == FAIL}  # fmt: skip
    for rule in contract.rules_of("relation"):
        query = rows_found(connection, contract, rule) if rule.rule_id in failing else None
        if query is not None:
            yield (
                "select _delivery_id, _line_number, true as is_open, null as resolved_by, "
                f"'{rule.rule_id}' as rule_id from ({query}) as failing"
            )


def _exchange(
    connection: duckdb.DuckDBPyConnection, contract: Contract, queries: Iterable[str]
) -> None:
    """Exchange the findings that differ from the former ones: most stand from night to night, and
    to write them takes longer than to compare them.

    Each query gives _delivery_id, _line_number, is_open, resolved_by and rule_id.
    """
    place = [contract.department, contract.dataset]
    names = "file_name, business_date, engine, dimension, severity, columns, is_open, resolved_by"
    former, now = (
        ", ".join(f"{side}.{name}" for name in names.split(", ")) for side in ("former", "now")
    )
    connection.execute(
        f"""
        create or replace temp table differing as
        with former as (
            select rowid as row_number, * from quality.defect where department = ? and dataset = ?
        ),
        now as (
            select found._delivery_id as delivery_id, loaded.file_name, loaded.business_date,
                found._line_number as line_number, rule_id, known_rule.engine,
                known_rule.dimension, known_rule.severity, known_rule.columns, found.is_open,
                found.resolved_by
            from ({" union all ".join(queries)}) as found
            inner join known_rule using (rule_id)
            left join loaded on loaded.delivery_id = found._delivery_id
        )
        select former.row_number, now.*
        from former
        full join now using (delivery_id, line_number, rule_id)
        where row({former}) is distinct from row({now})
        """,
        place,
    )
    connection.execute(
        "delete from quality.defect where rowid in (select row_number from differing)"
    )
    connection.execute(
        f"""
        insert into quality.defect
            (defect_id, department, dataset, delivery_id, line_number, rule_id, {names})
        select md5(concat_ws('|', delivery_id, line_number, rule_id)), ?, ?,
            delivery_id, line_number, rule_id, {names}
        from differing where is_open is not null
        order by business_date, delivery_id, line_number, rule_id
        """,
        place,
    )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
