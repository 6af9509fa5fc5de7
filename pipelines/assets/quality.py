"""Judging, scoring and ordering as assets.

Belongs here: handing the night to `quality.nightly`, and showing what came of it.
Does not belong here: rules, weights or orders (`quality`).
"""

from datetime import date

import dagster as dg

from pipelines import dbt_run, engine, standing
from pipelines.assets.models import RESULT, UNCHANGED, read_results
from pipelines.assets.raw import raw_key
from pipelines.partitions import BUSINESS_DATES
from pipelines.resources import City
from quality.catalogue import Catalogue
from quality.results import RuleResult

STAGE = "核查 quality"
RULE_RESULT = dg.AssetKey(["quality", "rule_result"])
SCORE = dg.AssetKey(["quality", "dataset_score"])
WORK_ORDER = dg.AssetKey(["quality", "work_order"])
CAMPAIGN_PROGRESS = dg.AssetKey(["quality", "campaign_progress"])
PLATFORM = "big_data"
"""The department that owns the platform's own models: 市大数据局."""


def quality_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Rule results, scores, work orders, campaigns: each step from those before."""
    datasets = [raw_key(*name.split("/")) for name in catalogue.names]

    @dg.asset(
        key=RULE_RESULT,
        deps=[*datasets, RESULT],
        group_name="quality",
        description="规则结果：每条应查规则在每个数据集上的结论（通过、未通过、出错、未运行、不适用）。",
        owners=["team:big_data"],
        kinds={"greatexpectations", "pandera", "duckdb"},
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def rule_result(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        city: City = context.resources.city
        city.progress.stage(STAGE, 4)
        night = date.fromisoformat(context.partition_key)
        if standing.stands(city.home, standing.RULES):
            city.progress.advance(STAGE, UNCHANGED)
            return dg.MaterializeResult(metadata={UNCHANGED: True})
        from quality import nightly

        standing.begin(city.home, standing.RULES)
        extra = platform_results(read_results(city.home), night)
        results = nightly.judge(
            city.home.warehouse, city.catalogue, night, extra, settings=engine.settings()
        )
        standing.finish(city.home, standing.RULES)
        city.progress.advance(STAGE, "规则结果 rule results")
        counts: dict[str, int] = {}
        for result in results:
            counts[result.status] = counts.get(result.status, 0) + 1
        return dg.MaterializeResult(metadata={"dagster/row_count": len(results), **counts})

    @dg.asset(
        key=SCORE,
        deps=[RULE_RESULT],
        group_name="quality",
        description="质量得分：六个维度，数据集、部门、全市三级。",
        owners=["team:big_data"],
        kinds={"python", "duckdb"},
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def dataset_score(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        if standing.stands(city.home, standing.SCORES):
            city.progress.advance(STAGE, UNCHANGED)
            return dg.MaterializeResult(metadata={UNCHANGED: True})
        from quality import nightly

        standing.begin(city.home, standing.SCORES)
        nightly.score(city.home.warehouse, night, settings=engine.settings())
        standing.finish(city.home, standing.SCORES)
        city.progress.advance(STAGE, "得分 scores")
        return dg.MaterializeResult()

    @dg.asset(
        key=WORK_ORDER,
        deps=[SCORE],
        group_name="quality",
        description="工单：由历次问题原因和部门回复推出，一个原因一张工单，复核通过自动关闭。",
        owners=["team:big_data"],
        kinds={"python", "duckdb"},
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def work_order(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        if standing.stands(city.home, standing.ORDERS):
            city.progress.advance(STAGE, UNCHANGED)
            return dg.MaterializeResult(metadata={UNCHANGED: True})
        from quality import nightly

        standing.begin(city.home, standing.ORDERS)
        derived = nightly.order(
            city.home.warehouse, night, city.catalogue, settings=engine.settings()
        )
        standing.finish(city.home, standing.ORDERS)
        city.progress.advance(STAGE, "工单 work orders")
        orders, outcomes = derived.orders, [o for o in derived.outcomes if o.reply.night == night]
        return dg.MaterializeResult(
            metadata={
                "orders": len(orders),
                "open": sum(order.is_open for order in orders),
                "new": sum(order.is_new for order in orders),
                "overdue": sum(order.is_overdue for order in orders),
                "replies": len(outcomes),
                "replies_refused": sum(outcome.status == "refused" for outcome in outcomes),
            }
        )

    @dg.asset(
        key=CAMPAIGN_PROGRESS,
        deps=[SCORE, WORK_ORDER],
        group_name="quality",
        description="专项提升行动的进度：基线、当前得分、目标和待处理工单。",
        owners=["team:big_data"],
        kinds={"python", "duckdb"},
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def campaign_progress(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        if (known := standing.made(city.home, standing.CAMPAIGNS)) is not None:
            for problem in known.splitlines():
                context.log.error(problem)
            city.progress.advance(STAGE, UNCHANGED)
            return dg.MaterializeResult(metadata={UNCHANGED: True})
        from quality import nightly

        standing.begin(city.home, standing.CAMPAIGNS)
        found, problems = nightly.run_campaigns(
            city.home.warehouse, city.catalogue, night, settings=engine.settings()
        )
        for problem in problems:
            context.log.error(problem)
        standing.finish(city.home, standing.CAMPAIGNS, "\n".join(problems))
        city.progress.advance(STAGE, "行动 campaigns")
        return dg.MaterializeResult(
            metadata={"dagster/row_count": len(found), "problems": len(problems)}
        )

    return [rule_result, dataset_score, work_order, campaign_progress]


def platform_results(nodes: list[dbt_run.NodeResult], business_date: date) -> list[RuleResult]:
    """dbt's results as rule results of the platform's own department."""
    results = []
    for node in nodes:
        if node.resource_type not in ("model", "test", "seed"):
            continue
        status = {"success": "pass", "pass": "pass", "warn": "fail", "fail": "fail",
                  "skipped": "not_run"}.get(node.status, "error")  # fmt: skip
        results.append(
            RuleResult(
                business_date=business_date,
                department=PLATFORM,
                dataset=node.models[0] if node.models else node.name,
                rule_id=f"dbt_{node.resource_type}_{node.name}",
                engine="dbt",
                dimension="consistency" if node.resource_type == "test" else "accessibility",
                severity="warning" if node.status == "warn" else "error",
                status=status,
                failed=node.failures if status == "fail" else 0,
                total=max(node.failures, 1),
                message=f"{node.resource_type} {node.name}: {node.status}",
            )
        )
    return results
