"""Nights of two datasets of increments, with what the models note of each build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb
import pytest

from quality import relation_findings
from quality.carried_findings import note_base
from quality.catalogue import Catalogue
from quality.contract import Contract, Rule
from quality.relation_findings import find_relations
from tests.integration.quality.conftest import City

ENTERPRISES = "market_regulation/enterprise"
CREDITS = "development_reform/credit_record"


def relation(rule_id: str, check: str, column: str, *arguments: str, **options: Any) -> Rule:
    return Rule(rule_id, "relation", check, "consistency", "warning", "对不上，请核对。",
                (column,), arguments, options)  # fmt: skip


OF_ENTERPRISES = (
    # There a code stands in several rows, which may say different names.
    relation("name_agrees", "agrees_with", "enterprise_name", "development_reform__credit_record",
             "unified_code", "enterprise_name", "unified_code"),
    relation("has_a_grave_record", "exists_where", "unified_code",
             "development_reform__credit_record", "unified_code", "there.severity_grade = '严重'",
             "here.enterprise_status = '在营'"),
)  # fmt: skip
OF_CREDITS = (
    relation("name_agrees", "agrees_with", "enterprise_name", "market_regulation__enterprise",
             "unified_code", "enterprise_name", "unified_code"),
    relation("in_business", "exists_where", "unified_code", "market_regulation__enterprise",
             "unified_code", "there.enterprise_status = '在营'", "here.severity_grade = '一般'"),
    relation("short_name", "sql", "enterprise_name",
             "select * from {object} where length(enterprise_name) < 9 and _line_number > 0 "
             "and _delivery_id <> ''"),
)  # fmt: skip

OF_INCREMENTS = (
    relation("subject_exists", "exists_in", "unified_code", "market_regulation__enterprise",
             "unified_code"),
    relation("sometimes_spared", "agrees_with", *OF_CREDITS[0].columns, *OF_CREDITS[0].arguments,
             mustBeLessOrEqualTo=55, unit="percent"),
    relation("always_spared", "agrees_with", *OF_CREDITS[0].columns, *OF_CREDITS[0].arguments,
             mustBeLessOrEqualTo=100, unit="percent"),
)  # fmt: skip
HAS_A_RECORD = relation("has_a_record", "exists_in", "unified_code",
                        "development_reform__credit_record", "unified_code")  # fmt: skip


IN_BUSINESS_NOW = relation(
    "in_business_now", "exists_where", "unified_code", "market_regulation__enterprise",
    "unified_code", "there.enterprise_status = '在营' and there.established_on < current_date",
    "true",
)  # fmt: skip


class Builds:
    """Two datasets of increments, and what the models note of each build."""

    def __init__(self, path: Any, catalogue: Catalogue) -> None:
        added = {
            ENTERPRISES: (*OF_ENTERPRISES, HAS_A_RECORD),
            CREDITS: (*OF_CREDITS[:2], *OF_INCREMENTS, IN_BUSINESS_NOW),
        }
        self.contracts = [
            replace(c, delivery="increment", rules=(*c.rules, *added[c.name]))
            for c in catalogue.contracts
        ]
        self.city = City(path, Catalogue(tuple(self.contracts), ()))
        self.city.ask("create schema changes")
        self.city.ask("create table meta.built_night as select true as is_whole, "
                      "null::varchar as built_from, null::varchar as went_on_from")  # fmt: skip
        self.build("0")

    def build(self, name: str, *, goes_on: bool = True) -> None:
        """Build from the deliveries in force, on from the last build."""
        with duckdb.connect(str(self.city.path)) as connection:
            connection.execute(
                "create or replace table meta.in_force as select delivery_id, department, "
                "dataset, '' as content from meta.delivery where superseded_by is null"
            )
            connection.execute(
                "update meta.built_night set built_from = ?, "
                f"went_on_from = {'built_from' if goes_on else 'null'}",
                [name],
            )
            for contract in self.contracts:
                model, now = contract.staging_model, f"staging.{contract.staging_model}"
                connection.execute(f"create table if not exists was_{model} as from {now} limit 0")
                connection.execute(
                    f"create or replace table changes.{model} as "
                    f"(from was_{model} except from {now}) union all "
                    f"(from {now} except from was_{model})"
                )
                connection.execute(f"create or replace table was_{model} as from {now}")

    def withdraw(self, delivery: str) -> None:
        self.city.ask("update meta.delivery set superseded_by = 'x' "
                      f"where delivery_id = '{delivery}'")  # fmt: skip
        for contract in self.contracts:
            for schema in ("raw", "quarantine"):
                self.city.ask(
                    f"delete from {schema}.{contract.table} where _delivery_id = '{delivery}'"
                )

    def found(self) -> list[Any]:
        """What was found, of every rule."""
        counts = self.city.ask("select * from quality.relation_count order by all")
        return [counts, self.city.ask("select * from quality.relation_finding order by all")]

    def find(self) -> set[str]:
        """Look for findings; returns the rules that were looked at whole."""
        whole: set[str] = set()
        own = relation_findings._failing

        def spy(connection: Any, contract: Contract, rule: Rule, *rest: Any) -> tuple[int, int]:
            whole.add(rule.rule_id)
            return own(connection, contract, rule, *rest)

        with pytest.MonkeyPatch.context() as patch, duckdb.connect(str(self.city.path)) as opened:
            patch.setattr(relation_findings, "_failing", spy)
            find_relations(opened, self.contracts)
            note_base(opened)
        return whole

    def check(self) -> set[str]:
        """Findings carried on are those that are found among all rows; returns those that were
        not carried on."""
        whole = self.find()
        carried = self.found()
        base = self.city.ask("from quality.relation_base")
        self.city.ask("truncate quality.relation_base")
        self.find()
        assert carried == self.found()
        assert base == self.city.ask("from quality.relation_base")
        return whole
