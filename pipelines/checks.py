"""One asset check per dataset, its dimensions and rules in the metadata.

Belongs here: showing rule results in Dagster. Does not belong here: judging. Each check costs
the event log 35 ms a night; the rows lie in `quality.rule_result`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.assets.quality import RULE_RESULT
from pipelines.assets.raw import raw_key
from pipelines.resources import City
from pipelines.warehouse import open_warehouse
from quality.catalogue import Catalogue
from quality.contract import DIMENSIONS

CHECK = "quality"


def expected_checks(catalogue: Catalogue) -> dict[tuple[str, str], dg.AssetCheckSpec]:
    """(department, dataset) → spec, for every dataset that has a rule."""
    return {
        (contract.department, contract.dataset): dg.AssetCheckSpec(
            name=CHECK,
            asset=raw_key(contract.department, contract.dataset),
            description=f"《{contract.title}》：各维度、各规则的结论见元数据。",
            additional_deps=[RULE_RESULT],
        )
        for contract in catalogue.contracts
        if contract.rules
    }


def quality_checks(catalogue: Catalogue) -> dg.AssetChecksDefinition:
    """All checks of all datasets, read from the night's rule results in one query."""
    specs = expected_checks(catalogue)

    @dg.multi_asset_check(
        name="quality_checks", specs=list(specs.values()), can_subset=True,
        required_resource_keys={"city"},
    )  # fmt: skip
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        city: City = context.resources.city
        with open_warehouse(city.home) as connection:
            rows = connection.execute(
                "select department, dataset, dimension, rule_id, engine, severity, status, failed, "
                "total from quality.rule_result where business_date = "
                "(select business_date from meta.night) order by all"
            ).fetchall()
        for (department, dataset), spec in specs.items():
            if spec.key in context.selected_asset_check_keys:
                found = [row[2:] for row in rows if row[:2] == (department, dataset)]
                yield _result(spec, found)

    return checks


def _result(spec: dg.AssetCheckSpec, rules: list[tuple]) -> dg.AssetCheckResult:
    bad = [rule for rule in rules if rule[4] in ("fail", "error", "not_run")]
    serious = any(rule[3] == "error" for rule in bad)
    records = [
        dg.TableRecord(
            {
                "dimension": dimension,
                "rule": rule_id,
                "engine": engine,
                "severity": severity,
                "status": status,
                "failed": failed,
                "total": total,
            }
        )
        for dimension, rule_id, engine, severity, status, failed, total in rules
    ]
    metadata: dict[str, Any] = {
        "rules": len(rules),
        "failing_rules": len(bad),
        "failed_rows": sum(int(rule[5] or 0) for rule in bad),
        **{
            f"failing_{dimension}": sum(rule[0] == dimension for rule in bad)
            for dimension in DIMENSIONS
            if any(rule[0] == dimension for rule in rules)
        },
    }
    if records:
        metadata["results"] = dg.MetadataValue.table(records)
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not bad,
        severity=dg.AssetCheckSeverity.ERROR if serious else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
