"""ODCS 3.1 YAML → typed contract.

Belongs here: reading one contract, with every problem named by file, line and remedy.
Does not belong here: its columns (`column_reader`), server (`server_reader`) and rules
(`rule_reader`), their meaning (`row_rules`, `relation_rules`) or
the sum of all contracts (`catalogue`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import ValidationError

from quality import anomalies, delivery_reader, derived_rules, rule_trial
from quality.column_reader import IDENTIFIER, read_columns
from quality.contract import DELIVERIES, Column, Contract, Rule
from quality.custom_properties import Custom, custom_properties
from quality.rule_library import indicator_of
from quality.rule_reader import RuleReader
from quality.server_reader import read_server
from quality.yaml_lines import Location, YamlDocument, YamlError, read_yaml

SHARE_TYPES = ("unconditional", "conditional", "none")
_UNITS = {"d": 1, "w": 7, "m": 31, "q": 92, "y": 366}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a contract, and what to do about it."""

    path: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class ContractError(Exception):
    """A contract that cannot be used; `problems` says why, line by line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_contract(path: Path) -> Contract:
    """Read and lint one contract.

    Raises:
        ContractError: with every problem found, so that one pass mends them all.
    """
    try:
        document = read_yaml(path)
    except YamlError as error:
        problem = Problem(path, error.line, "yaml", error.problem)
        raise ContractError([problem]) from error
    reader = _Reader(document)
    contract = reader.contract()
    if contract is None or reader.problems:
        raise ContractError(sorted(reader.problems, key=lambda problem: problem.line))
    return contract


class _Reader:
    """Walks one document; collects problems instead of stopping at the first."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document
        self.path = document.path
        self.problems: list[Problem] = []

    def refuse(self, location: Location, rule: str, message: str) -> None:
        self.problems.append(Problem(self.path, self.document.line(location), rule, message))

    def contract(self) -> Contract | None:
        data = self.document.data
        if not isinstance(data, dict):
            self.refuse((), "odcs", "the document must be a mapping; see docs/contracts.md")
            return None
        try:
            model = OpenDataContractStandard.model_validate(data)
        except ValidationError as error:
            for item in error.errors():
                location = tuple(item["loc"])
                if item["type"] == "extra_forbidden":
                    self._refuse_key(location)
                    continue
                self.refuse(location, "odcs", f"{'.'.join(map(str, location))}: {item['msg']}")
            return None
        self._refuse_unknown_keys(data, model, ())
        if not str(data.get("apiVersion", "")).startswith("v3."):
            self.refuse(("apiVersion",), "odcs", "set apiVersion: v3.1.0")
        if data.get("kind") != "DataContract":
            self.refuse(("kind",), "odcs", "set kind: DataContract")
        schemas = data.get("schema") or []
        if len(schemas) != 1:
            self.refuse(("schema",), "one_dataset", "describe exactly one dataset under schema")
            return None
        return self._build(data, schemas[0])

    def _refuse_key(self, where: Location) -> None:
        message = f"ODCS has no key {where[-1]!r} here; correct or remove it"
        self.refuse(where, "unknown_key", message)

    def _refuse_unknown_keys(self, data: Any, model: Any, location: Location) -> None:
        """ODCS models drop what they do not know; a misspelt key must not pass silently."""
        fields = getattr(type(model), "model_fields", None)
        if fields is None or not isinstance(data, dict):
            return
        known = {(info.alias or name): name for name, info in fields.items()}
        for key, value in data.items():
            where = (*location, key)
            if key not in known:
                self._refuse_key(where)
                continue
            child = getattr(model, known[key])
            if isinstance(child, list) and isinstance(value, list):
                for position, (item, item_model) in enumerate(zip(value, child, strict=False)):
                    self._refuse_unknown_keys(item, item_model, (*where, position))
            else:
                self._refuse_unknown_keys(value, child, where)

    def _build(self, data: dict[str, Any], schema: dict[str, Any]) -> Contract | None:
        custom = custom_properties(data, ())
        department = self._custom_text(custom, "department", IDENTIFIER)
        dataset = self._custom_text(custom, "dataset", IDENTIFIER)
        self._check_place(department, dataset)
        columns = read_columns(schema, self.document, self.refuse)
        names = {column.name for column in columns}
        delivery = self._choice(custom, "delivery", DELIVERIES)
        terms = delivery_reader.read_terms(delivery, custom, columns, self.refuse)
        share_type = self._choice(custom, "shareType", SHARE_TYPES)
        condition = custom.get("shareCondition", (None, ()))[0]
        if share_type == "conditional" and not condition:
            self.refuse(
                ("customProperties",), "share", "conditional sharing needs a shareCondition"
            )
        server = read_server(data, (department, dataset), columns, self.refuse)
        cycle, latency, keep = self._service_levels(data)
        rules = list(RuleReader(self.document, self.refuse).declared_rules(schema, names))
        self._try_rules(rules, columns)
        sensitivity = self._sensitivity(custom)
        team = data["team"] if isinstance(data.get("team"), dict) else {}
        owners = [m.get("username") for m in team.get("members") or [] if m.get("role") == "owner"]
        if not team.get("name"):
            self.refuse(("team",), "owner", "set team.name to the department's Chinese name")
        if not owners:
            self.refuse(("team",), "owner", "name a member with role: owner under team.members")
        for key in ("id", "name", "version", "domain"):
            if not data.get(key):
                self.refuse((key,), "identity", f"set {key}")
        if self.problems:
            return None
        contract = Contract(
            path=self.path,
            contract_id=str(data["id"]),
            version=str(data["version"]),
            department=department,
            department_name=str(team["name"]),
            owner=str(owners[0]),
            dataset=dataset,
            title=str(data["name"]),
            domain=str(data["domain"]),
            purpose=str((data.get("description") or {}).get("purpose", "")),
            grain=str(schema.get("description", "")),
            delivery=delivery,
            file_format=server.file_format,
            file_pattern=server.file_pattern,
            encoding=server.encoding,
            delimiter=server.delimiter,
            sheet=server.sheet,
            header_rows=server.header_rows,
            widths=server.widths,
            record=server.record,
            cycle=cycle,
            latency=latency,
            keep_days=keep,
            share_type=share_type,
            share_condition=str(condition) if condition else None,
            open_type=self._choice(custom, "openType", SHARE_TYPES),
            columns=tuple(columns),
            rules=(),
            source=server.source,
            change_column=terms.change_column,
            delete_values=terms.delete_values,
            parts=terms.parts,
            max_drop=terms.max_drop,
            ignored_headers=terms.ignored_headers,
            sensitivity=sensitivity,
        )
        derived = tuple(_indicated(rule) for rule in derived_rules.rules_of(contract))
        self._refuse_repeated(rules, {rule.rule_id for rule in derived})
        return replace(contract, rules=(*derived, *rules))

    # -- parts of the document -------------------------------------------------

    def _custom_text(self, custom: Custom, name: str, pattern: re.Pattern[str]) -> str:
        value, where = custom.get(name, ("", ("customProperties",)))
        if not pattern.match(str(value)):
            self.refuse(
                where, name, f"customProperties needs {name}: lower-case letters, digits, _"
            )
        return str(value)

    def _choice(self, custom: Custom, name: str, allowed: tuple[str, ...]) -> str:
        value, where = custom.get(name, ("", ("customProperties",)))
        if value not in allowed:
            self.refuse(where, name, f"customProperties needs {name}: one of {', '.join(allowed)}")
        return str(value)

    def _sensitivity(self, custom: Custom) -> str:
        """YAML reads a bare `off` as false."""
        value, where = custom.get("sensitivity", (anomalies.DEFAULT, ()))
        value = anomalies.OFF if value is False else value
        known = (*anomalies.SENSITIVITIES, anomalies.OFF)
        if value not in known:
            self.refuse(where, "sensitivity", f"sensitivity must be one of {', '.join(known)}")
        return str(value)

    def _check_place(self, department: str, dataset: str) -> None:
        if self.path.parent.name != department:
            message = f"the contract of {department!r} must lie in sources/{department}/"
            self.refuse(("customProperties",), "place", message)
        if self.path.name != f"{dataset}.odcs.yaml":
            message = f"the contract of {dataset!r} must be named {dataset}.odcs.yaml"
            self.refuse(("customProperties",), "place", message)

    def _service_levels(self, data: dict[str, Any]) -> tuple[timedelta | None, timedelta, int]:
        found: dict[str, tuple[float, str, Location]] = {}
        for position, item in enumerate(data.get("slaProperties") or []):
            where: Location = ("slaProperties", position)
            value, unit = item.get("value"), str(item.get("unit", "d"))
            if item.get("property") == "frequency" and value == "irregular":
                found["frequency"] = (0, "d", where)
            elif isinstance(value, int | float) and (unit in _UNITS or unit == "h"):
                found[str(item.get("property"))] = (float(value), unit, where)
            else:
                self.refuse(
                    where, "service_level", "give a number as value and h, d, w, m, q or y as unit"
                )
        for name in ("frequency", "latency", "retention"):
            if name not in found:
                self.refuse(("slaProperties",), "service_level", f"slaProperties needs {name}")
        if self.problems:
            return None, timedelta(), 0
        frequency = _span(*found["frequency"][:2])
        return frequency or None, _span(*found["latency"][:2]), _span(*found["retention"][:2]).days

    def _try_rules(self, rules: list[Rule], columns: list[Column]) -> None:
        """A rule that cannot run is told here, not by the first delivery that meets it."""
        if self.problems:
            return
        rows = rule_trial.rows_to_try(columns)
        for rule in rules:
            if rule.family == "row" and (obstacle := rule_trial.obstacle(rule, rows)):
                message = f"rule {rule.rule_id!r} {obstacle}"
                self.problems.append(Problem(self.path, rule.line, "rule", message))

    def _refuse_repeated(self, rules: list[Rule], derived: set[str]) -> None:
        seen = set(derived)
        for rule in rules:
            if rule.rule_id in seen:
                message = f"the rule name {rule.rule_id!r} stands twice; rename one"
                self.problems.append(Problem(self.path, rule.line, "rule", message))
            seen.add(rule.rule_id)


def _indicated(rule: Rule) -> Rule:
    return replace(rule, indicator=indicator_of(rule.check, rule.dimension))


def _span(value: float, unit: str) -> timedelta:
    return timedelta(hours=value) if unit == "h" else timedelta(days=value * _UNITS[unit])
