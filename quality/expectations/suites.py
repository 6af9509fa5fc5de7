"""Contract → the expectations of its relation rules.

Belongs here: which GX expectation stands for which rule.
Does not belong here: running them (`runner`); what the named checks mean (`relation_rules`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, ClassVar

from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)
from great_expectations.expectations.expectation import Expectation

from quality.contract import Contract, Rule
from quality.expectations import tolerance
from quality.relation_findings import found_counts
from quality.relation_rules import failing_rows, judged_rows, sql_of

_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")


class ExpectRelationToHold(UnexpectedRowsExpectation):
    """The rows that break a relation, counted where they lie.

    GX's own UnexpectedRowsExpectation runs its query twice and fetches the rows (200 of them,
    all of them on a buffering dialect), and knows no tolerance. Here the query returns one row,
    `failed` and `total`, and `meta` carries the rule's tolerance; `details` says what was counted.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002  (GX's signature)
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        counted = metrics["unexpected_rows_query.table"][0]
        failed, total = counted["failed"], counted["total"]
        options = (self.meta or {}).get("tolerance", {})
        success = failed is None or tolerance.accepts(options, failed, total)
        details = {"total": total}
        return {"success": success, "result": {"observed_value": failed, "details": details}}


def expectations_of(
    contract: Contract, counted: Collection[str] = frozenset()
) -> list[Expectation]:
    """One expectation per relation rule; `meta` names the rule and its tolerance.

    Args:
        contract: whose rules they are.
        counted: rules whose failing rows were looked for already (`relation_findings`): their
            expectation asks for the counts.
    """
    return [
        _expectation(rule, contract, is_counted=rule.rule_id in counted)
        for rule in contract.rules_of("relation")
    ]


def _expectation(rule: Rule, contract: Contract, *, is_counted: bool) -> Expectation:
    meta = {"rule_id": rule.rule_id, "tolerance": dict(rule.options)}
    if rule.check == "rowCount":
        low, high = tolerance.row_count_bounds(rule.options)
        return ExpectTableRowCountToBeBetween(min_value=low, max_value=high, meta=meta)
    if rule.check == "nullValues":
        mostly = tolerance.share_kept(rule.options)
        return ExpectColumnValuesToNotBeNull(column=rule.columns[0], mostly=mostly, meta=meta)
    counts = found_counts(contract, rule) if is_counted else _counts(rule, contract)
    return ExpectRelationToHold(unexpected_rows_query=_on_the_batch(counts), meta=meta)


def _counts(rule: Rule, contract: Contract) -> str:
    """The query of one row: how many fail, of how many."""
    rows = failing_rows(rule, contract)
    failed = sql_of(rule, contract) if rows is None else f"select count(*) from ({rows}) as failing"
    total = judged_rows(rule, contract)
    return f"select ({failed}) as failed, ({total}) as total"


def _on_the_batch(counts: str) -> str:
    """The query with `{batch}`, the staging table, as GX wants it."""
    return (
        f"select counted.failed, counted.total from ({_escaped(counts)}) as counted "
        "cross join (select count(*) as rows_in_batch from {batch}) as whole_table"
    )


def _escaped(query: str) -> str:
    """Braces and colons of a contract's SQL mean themselves, not GX's or SQLAlchemy's fields."""
    return _BIND.sub(r"\\:", query.replace("{", "{{").replace("}", "}}"))
