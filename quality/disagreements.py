"""What departments disagree on, shown to both: `quality.disagreement`.

Belongs here: for each row that breaks a relation rule, the row of the other department that it
meets, or the key that this department does not have.
Does not belong here: which rows break the rule (`relation_rules`, `defects`). The order belongs to
the department whose contract states the rule; the other one is told, and gets no order for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb

from quality.contract import Contract, Rule
from quality.masking import masked_sql
from quality.relation_findings import rows_found
from quality.relation_rules import other_table, staging_table
from quality.results import FAIL, RuleResult
from quality.sql_text import quoted_list

DISAGREEMENT_TABLE = """
create schema if not exists quality;
create table if not exists quality.disagreement (
    defect_id varchar not null,
    department varchar not null,
    dataset varchar not null,
    rule_id varchar not null,
    delivery_id varchar not null,
    file_name varchar,
    line_number bigint not null,
    shown_key varchar not null,
    other_department varchar not null,
    other_dataset varchar not null,
    other_delivery_id varchar,
    other_file_name varchar,
    other_line_number bigint,
    message varchar not null
)
"""
"""One row per failing row of a relation rule that fails tonight. `shown_key` is the value that the
two meet by, masked by the level of its column; `other_…` is the first row of the other department
that has it, null where there is none."""


def keep_disagreements(
    connection: duckdb.DuckDBPyConnection, carried_on: Collection[tuple[str, str, str]]
) -> None:
    """Keep last night's disagreements of the rules whose findings were carried on, and no others:
    elsewhere the rows or the contract may be others than those that were shown.

    Args:
        connection: of the warehouse.
        carried_on: department, dataset and id of rules.
    """
    connection.execute(DISAGREEMENT_TABLE)
    kept = quoted_list(" ".join(place) for place in carried_on)
    connection.execute(
        "delete from quality.disagreement "
        f"where concat_ws(' ', department, dataset, rule_id) not in (select unnest([{kept}]))"
    )


def drop_disagreements(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Forget those of a dataset that cannot be judged tonight."""
    connection.execute(
        "delete from quality.disagreement where department = ? and dataset = ?",
        [contract.department, contract.dataset],
    )


def build_disagreements(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    others: Iterable[Contract],
    results: Iterable[RuleResult],
) -> None:
    """Put tonight's disagreements of one dataset in the place of the former ones.

    Args:
        connection: with `staging` of both datasets, and `meta.delivery`; after
            `keep_disagreements`.
        contract: of the dataset whose rules they are.
        others: the contracts that its rules may look into.
        results: of its relation rules tonight.

    Raises:
        duckdb.Error: a table is missing or unreadable.
    """
    failing = {result.rule_id for result in results if result.status == FAIL}
    tables = {other.table: other for other in others}
    for rule in contract.rules_of("relation"):
        other = tables.get(other_table(rule) or "")
        if other is not None:
            found = rows_found(connection, contract, rule) if rule.rule_id in failing else None
            _drop_others(connection, contract, rule, found)
            if found is not None:
                _store(connection, contract, rule, other, found)


def _drop_others(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rule: Rule, found: str | None
) -> None:
    """Leave the former disagreements that stand as they are: rows that fail still, where failing
    means that nobody has their key. Whom a row meets else may be another one tonight."""
    stand = ""
    if found is not None and rule.check == "exists_in":
        stand = (
            "and (delivery_id, line_number) not in "
            f"(select (_delivery_id, _line_number) from ({found}) as found)"
        )
    connection.execute(
        "delete from quality.disagreement "
        f"where department = ? and dataset = ? and rule_id = ? {stand}",
        [contract.department, contract.dataset, rule.rule_id],
    )


def _store(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rule: Rule,
    other: Contract,
    found: str,
) -> None:
    """Add those of the rows of `found` that have none."""
    own_key, their_key, difference = _meeting(rule)
    shown = masked_sql(f"here.{own_key}::varchar", contract.column(own_key), contract)
    connection.execute(
        f"""
        insert into quality.disagreement
        with broken as (
            select found._delivery_id, found._line_number
            from ({found}) as found
            anti join quality.disagreement as shown
                on shown.department = $department and shown.dataset = $dataset
                and shown.rule_id = $rule and shown.delivery_id = found._delivery_id
                and shown.line_number = found._line_number
        ),
        met as (
            select broken._delivery_id, broken._line_number, {shown} as shown_key,
                min(struct_pack(d := there._delivery_id, l := there._line_number)) as other
            from broken
            inner join {staging_table(contract.table)} as here
                using (_delivery_id, _line_number)
            left join {staging_table(other.table)} as there
                on there.{their_key} = here.{own_key}{difference}
            group by all
        )
        select md5(concat_ws('|', met._delivery_id, met._line_number, $rule)),
            $department, $dataset, $rule, met._delivery_id, own.file_name, met._line_number,
            met.shown_key, $other_department, $other_dataset, met.other.d, theirs.file_name,
            met.other.l, $message
        from met
        left join meta.delivery as own on own.delivery_id = met._delivery_id
        left join meta.delivery as theirs on theirs.delivery_id = met.other.d
        order by own.business_date, met._delivery_id, met._line_number
        """,
        {
            "rule": rule.rule_id,
            "department": contract.department,
            "dataset": contract.dataset,
            "other_department": other.department,
            "other_dataset": other.dataset,
            "message": rule.message,
        },
    )


def _meeting(rule: Rule) -> tuple[str, str, str]:
    """Own key, their key, and the rest of the join: what the two rows must differ in."""
    if rule.check == "agrees_with":
        _, their_key, their_column, own_key = rule.arguments
        return own_key, their_key, f" and there.{their_column} <> here.{rule.columns[0]}"
    return rule.columns[0], rule.arguments[1], ""
