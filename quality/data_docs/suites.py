"""Contract and rule results → suites and validation results, as Great Expectations holds them.

Belongs here: what the pages say of each rule: its words, its query, its verdict, its counts.
Does not belong here: judging (`quality.expectations` and the other engines): a page shows the
verdict that the night reached, and nothing is run again.

Only counts are handed on: neither masked keys of failing rows nor any value can reach a page.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from great_expectations import ExpectationSuite
from great_expectations.core import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
    RunIdentifier,
)
from great_expectations.expectations.expectation import BatchExpectation, Expectation
from great_expectations.render import LegacyDiagnosticRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer

from quality.contract import DIMENSIONS, Contract, Rule
from quality.expectations.suites import expectations_of
from quality.relation_rules import failing_rows, sql_of
from quality.results import (
    ENGINES,
    ERROR,
    FAIL,
    NOT_APPLICABLE,
    NOT_RUN,
    PASS,
    RuleResult,
)

_STATUSES = {
    PASS: ("通过", "text-success"),
    FAIL: ("未通过", "text-danger"),
    ERROR: ("出错", "text-danger"),
    NOT_RUN: ("未运行", "text-warning"),
    NOT_APPLICABLE: ("不适用", "text-muted"),
}
_SEVERITIES = {"error": "错误", "warning": "提醒"}
_FAMILIES = {
    "row": "报送入口逐行核查（Pandera）",
    "relation": "数仓内核查（Great Expectations）",
    "delivery": "报送台账",
    "anomaly": "报送异常监测",
}


class ExpectRuleToHold(BatchExpectation):
    """A contract's rule and, in results, the verdict that its engine reached.

    Only shown: the row rules run in Pandera, the relation rules as the expectations of
    `quality.expectations`, which also know no "not run" and no "not applicable".
    """

    rule_id: str
    engine: str
    column: str | None = None

    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id", "column")
    success_keys: ClassVar[tuple[str, ...]] = ("rule_id", "engine")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        raise NotImplementedError(f"{self.rule_id} is judged by {self.engine}; GX only shows it")

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.STATUS_ICON)
    def _diagnostic_status_icon_renderer(
        cls,
        configuration: Any = None,  # noqa: ARG003  (GX's signature)
        result: ExpectationValidationResult | None = None,
        runtime_configuration: Any = None,  # noqa: ARG003
    ) -> RenderedStringTemplateContent:
        text, style = _STATUSES[result.meta["status"]] if result else ("", "")
        return RenderedStringTemplateContent(
            string_template={"template": text, "styling": {"classes": ["status", style]}}
        )


def suite_of(contract: Contract) -> ExpectationSuite:
    """All rules of the contract: the relation rules as GX runs them, the others by their words."""
    shown: list[Expectation] = []
    relations = iter(expectations_of(contract))
    for rule in contract.rules:
        expectation = next(relations) if rule.family == "relation" else _shown(rule)
        expectation.description = _words(rule)
        expectation.notes = _notes(rule, contract)
        shown.append(expectation)
    return ExpectationSuite(name=contract.table, expectations=shown)


def results_of(
    contract: Contract, business_date: date, results: Iterable[RuleResult]
) -> ExpectationSuiteValidationResult:
    """The night's verdicts on one dataset; a rule of which there is none was not run."""
    own = {
        (result.rule_id, result.engine): result
        for result in results
        if (result.department, result.dataset) == (contract.department, contract.dataset)
    }
    verdicts = []
    for rule in contract.rules:
        result = own.get((rule.rule_id, ENGINES[rule.family]))
        verdicts.append(_verdict(rule, result))
    counts = Counter(verdict.meta["status"] for verdict in verdicts)
    judged = counts[PASS] + counts[FAIL]
    return ExpectationSuiteValidationResult(
        success=not counts[FAIL] and not counts[ERROR] and not counts[NOT_RUN],
        results=verdicts,
        suite_name=contract.table,
        statistics={
            "evaluated_expectations": judged,
            "successful_expectations": counts[PASS],
            "unsuccessful_expectations": counts[FAIL],
            "success_percent": 100 * counts[PASS] / judged if judged else None,
        },
        meta={
            "run_id": run_of(business_date),
            "batch_spec": {
                "data_asset_name": f"{contract.department_name}《{contract.title}》",
                "business_date": business_date.isoformat(),
                "contract_version": contract.version,
                **{_STATUSES[status][0]: counts[status] for status in _STATUSES},
            },
        },
    )


def run_of(business_date: date) -> RunIdentifier:
    """The night as GX names a run."""
    midnight = datetime.combine(business_date, time(), tzinfo=UTC)
    return RunIdentifier(run_name=business_date.isoformat(), run_time=midnight)


def _shown(rule: Rule) -> ExpectRuleToHold:
    column = rule.columns[0] if len(rule.columns) == 1 else None
    return ExpectRuleToHold(rule_id=rule.rule_id, engine=ENGINES[rule.family], column=column)


def _verdict(rule: Rule, result: RuleResult | None) -> ExpectationValidationResult:
    status = result.status if result else NOT_RUN
    expectation = _shown(rule)
    expectation.description = _words(rule)
    return ExpectationValidationResult(
        success=status in (PASS, NOT_APPLICABLE),
        expectation_config=expectation.configuration,
        result={"observed_value": _observed(result)},
        meta={"status": status},
    )


def _observed(result: RuleResult | None) -> str:
    if result is None or result.status == NOT_RUN:
        return "—"
    if result.status == ERROR:
        return result.message
    if result.status == NOT_APPLICABLE:
        return "没有可供判断的数据"
    share = f"（{result.failed / result.total:.2%}）" if result.failed and result.total else ""
    return f"{result.failed:,} / {result.total:,}{share}"


def _words(rule: Rule) -> str:
    """What the rule asks, for a template of GX, which takes it for HTML and `$` for a field."""
    return html.escape(f"{rule.rule_id}　{rule.message}").replace("$", "&#36;")


def _notes(rule: Rule, contract: Contract) -> list[str]:
    """What a data engineer asks next: who judges it, what for, within which bounds, by what SQL."""
    bounds = "，".join(f"{name} {value}" for name, value in rule.options.items()) or "不容许失败"
    lines = [
        f"{_FAMILIES[rule.family]} · {rule.check} · {DIMENSIONS[rule.dimension]} "
        f"{rule.indicator} · {_SEVERITIES[rule.severity]} · 容差：{bounds}"
    ]
    if rule.family == "relation" and rule.check != "rowCount":
        query = failing_rows(rule, contract) or sql_of(rule, contract)
        lines.append(f"```sql\n{query}\n```")
    return lines
