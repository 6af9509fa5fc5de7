"""ODCS 3.1 YAML → typed contract.

Belongs here: reading one contract, with every problem named by file, line and remedy.
Does not belong here: its rules (`rule_reader`), their meaning (`row_rules`, `relation_rules`) or
the sum of all contracts (`catalogue`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import ValidationError

from quality import anomalies, delivery_reader, derived_rules, rule_trial, source_reader, sql_types
from quality.contract import DELIVERIES, LEVELS, Column, Contract, Rule
from quality.rule_library import indicator_of
from quality.rule_reader import RuleReader
from quality.source import Source
from quality.yaml_lines import Location, YamlDocument, YamlError, read_yaml

PARSES = {
    "code": "string",
    "amount": "number",
    "percent": "number",
    "capital_amount": "number",
    "capital_currency": "string",
}
"""Named readings of a text (see `pipelines.ingest.readings`) → the logical type they give."""

SHARE_TYPES = ("unconditional", "conditional", "none")
ENCODINGS = (
    "utf-8", "gb18030", "gbk", "gb2312", "big5", "utf-16", "utf-16le", "utf-16be",
)  # fmt: skip
FORMATS = (
    "csv", "tsv", "fixed", "xlsx", "xlsm", "xls", "ods", "json", "geojson", "ndjson", "xml",
    "html", "parquet",
)  # fmt: skip
HEADER_ROWS = (0, 1, 2)
_WRITTEN_HERE = {"format": "csv", "encoding": "utf-8", "delimiter": ","}
"""What Yishu writes itself when it fetches rows: see `pipelines.fetch`."""
_UNITS = {"d": 1, "w": 7, "m": 31, "q": 92, "y": 366}
_IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]*$")


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
        custom = self._custom(data, ())
        department = self._custom_text(custom, "department", _IDENTIFIER)
        dataset = self._custom_text(custom, "dataset", _IDENTIFIER)
        self._check_place(department, dataset)
        columns = self._columns(schema)
        names = {column.name for column in columns}
        delivery = self._choice(custom, "delivery", DELIVERIES)
        terms = delivery_reader.read_terms(delivery, custom, columns, self.refuse)
        share_type = self._choice(custom, "shareType", SHARE_TYPES)
        condition = custom.get("shareCondition", (None, ()))[0]
        if share_type == "conditional" and not condition:
            self.refuse(
                ("customProperties",), "share", "conditional sharing needs a shareCondition"
            )
        server, where = self._server(data, department, dataset)
        source = self._source(data, where, columns)
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
            file_format=server.get("format"),
            file_pattern=Path(str(server["path"])).name,
            encoding=server.get("encoding"),
            delimiter=server.get("delimiter"),
            sheet=self._layout(server, where, "sheet"),
            header_rows=self._layout(server, where, "headerRows"),
            widths=tuple(self._layout(server, where, "widths") or ()),
            record=self._layout(server, where, "record"),
            cycle=cycle,
            latency=latency,
            keep_days=keep,
            share_type=share_type,
            share_condition=str(condition) if condition else None,
            open_type=self._choice(custom, "openType", SHARE_TYPES),
            columns=tuple(columns),
            rules=(),
            source=source,
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

    def _custom(self, data: dict[str, Any], location: Location) -> dict[str, tuple[Any, Location]]:
        found: dict[str, tuple[Any, Location]] = {}
        for position, item in enumerate(data.get("customProperties") or []):
            where = (*location, "customProperties", position)
            found[str(item.get("property"))] = (item.get("value"), where)
        return found

    def _custom_text(
        self, custom: dict[str, tuple[Any, Location]], name: str, pattern: re.Pattern[str]
    ) -> str:
        value, where = custom.get(name, ("", ("customProperties",)))
        if not pattern.match(str(value)):
            self.refuse(
                where, name, f"customProperties needs {name}: lower-case letters, digits, _"
            )
        return str(value)

    def _choice(
        self, custom: dict[str, tuple[Any, Location]], name: str, allowed: tuple[str, ...]
    ) -> str:
        value, where = custom.get(name, ("", ("customProperties",)))
        if value not in allowed:
            self.refuse(where, name, f"customProperties needs {name}: one of {', '.join(allowed)}")
        return str(value)

    def _sensitivity(self, custom: dict[str, tuple[Any, Location]]) -> str:
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

    def _server(
        self, data: dict[str, Any], department: str, dataset: str
    ) -> tuple[dict[str, Any], Location]:
        servers = data.get("servers") or []
        if len(servers) != 1:
            self.refuse(("servers",), "server", "name exactly one server: where the files arrive")
            return {}, ("servers",)
        server, where = servers[0], ("servers", 0)
        if server.get("type") not in source_reader.TYPES:
            message = f"type must be one of {', '.join(source_reader.TYPES)}"
            self.refuse((*where, "type"), "server", message)
        if source_reader.is_written_here(server):
            return {**server, **_WRITTEN_HERE, "path": f"{dataset}_*.csv"}, where
        self._check_layout(server, where)
        if source_reader.is_elsewhere(server):
            ending = Path(str(server.get("path") or server.get("location"))).suffix
            return {**server, "path": f"{dataset}_*{ending}"}, where
        expected = f"landing/{department}/{dataset}_*."
        if not str(server.get("path", "")).startswith(expected):
            message = f"path must start with {expected} so that the name gives dataset and date"
            self.refuse((*where, "path"), "server", message)
        return server, where

    def _check_layout(self, server: dict[str, Any], where: Location) -> None:
        """What is left out is found by evidence; what is said must be something we know."""
        for key, known in (("format", FORMATS), ("encoding", ENCODINGS)):
            if server.get(key) is not None and server[key] not in known:
                message = f"{key} must be one of {', '.join(known)}; without it the file shows it"
                self.refuse((*where, key), "server", message)
        delimiter = server.get("delimiter")
        if delimiter is not None and (
            not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'
        ):
            self.refuse((*where, "delimiter"), "server", "delimiter must be a single character")
        custom = self._custom(server, where)
        for name, (is_known, expected) in _LAYOUT_CHECKS.items():
            if name in custom and not is_known(custom[name][0]):
                self.refuse(custom[name][1], "server", f"{name} must be {expected}")
        if server.get("format") == "fixed" and "widths" not in custom:
            message = "a fixed-width file needs customProperties widths: [6, 18, …]"
            self.refuse((*where, "format"), "server", message)

    def _layout(self, server: dict[str, Any], where: Location, name: str) -> Any:
        return self._custom(server, where).get(name, (None, ()))[0]

    def _source(
        self, data: dict[str, Any], where: Location, columns: list[Column]
    ) -> Source | None:
        """Where the data are fetched from; None where the files arrive by themselves."""
        servers = data.get("servers") or []
        if len(servers) != 1 or not source_reader.is_elsewhere(servers[0]):
            return None
        return source_reader.read_source(servers[0], where, columns, self.refuse)

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

    def _columns(self, schema: dict[str, Any]) -> list[Column]:
        columns: list[Column] = []
        for position, item in enumerate(schema.get("properties") or []):
            where: Location = ("schema", 0, "properties", position)
            column = self._column(item, where)
            if any(column.name == other.name for other in columns):
                self.refuse(where, "column", f"the name {column.name!r} stands twice")
            columns.append(column)
        if not columns:
            self.refuse(("schema", 0), "column", "describe at least one column under properties")
        positions = sorted(c.key_position for c in columns if c.key_position is not None)
        if positions != list(range(1, len(positions) + 1)):
            self.refuse(
                ("schema", 0), "key", "primaryKeyPosition must count 1, 2, 3 … without gaps"
            )
        return columns

    def _column(self, item: dict[str, Any], where: Location) -> Column:
        name = str(item.get("name", ""))
        if not _IDENTIFIER.match(name):
            self.refuse(where, "column", f"the name {name!r} must be lower-case letters, digits, _")
        if name in sql_types.reserved_words():
            self.refuse(where, "column", f"SQL keeps the name {name!r} for itself; give another")
        for key in ("physicalName", "businessName", "logicalType", "physicalType"):
            if not item.get(key):
                self.refuse(where, "column", f"column {name!r} needs {key}")
        logical, physical = str(item.get("logicalType")), str(item.get("physicalType"))
        if logical not in sql_types.LOGICAL_TYPES:
            known = ", ".join(sql_types.LOGICAL_TYPES)
            message = f"column {name!r}: logicalType must be one of {known}"
            self.refuse((*where, "logicalType"), "type", message)
        elif obstacle := sql_types.obstacle(logical, physical):
            self.refuse((*where, "physicalType"), "type", f"column {name!r}: {obstacle}")
        level = item.get("classification")
        if level not in LEVELS:
            message = f"column {name!r}: classification must be one of {', '.join(LEVELS)}"
            self.refuse((*where, "classification"), "level", message)
        custom = self._custom(item, where)
        parse, parse_where = custom.get("parse", (None, where))
        if parse is not None and PARSES.get(str(parse)) != logical:
            message = (
                f"column {name!r}: parse must be one of {', '.join(PARSES)} and give a {logical}"
            )
            self.refuse(parse_where, "parse", message)
        missing, missing_where = custom.get("missingValues", ([], where))
        if not isinstance(missing, list):
            message = f"column {name!r}: missingValues must be a list, such as [N/A, '-']"
            self.refuse(missing_where, "missing", message)
            missing = []
        return Column(
            name=name,
            header=str(item.get("physicalName")),
            title=str(item.get("businessName")),
            logical_type=logical,
            sql_type=physical,
            required=bool(item.get("required")),
            level=str(level),
            key_position=item.get("primaryKeyPosition", 1) if item.get("primaryKey") else None,
            description=str(item.get("description") or ""),
            domain=tuple(str(entry.get("value")) for entry in item.get("enum") or []),
            parse=parse,
            missing=tuple(str(spelling) for spelling in missing),
            line=self.document.line(where),
        )

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


def _are_widths(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(type(width) is int and width > 0 for width in value)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_header_rows(value: Any) -> bool:
    return type(value) is int and value in HEADER_ROWS


_LAYOUT_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "sheet": (_is_text, "the name of a sheet"),
    "record": (_is_text, "the name of an element or key"),
    "headerRows": (_is_header_rows, "0, 1 or 2"),
    "widths": (_are_widths, "a list of whole numbers above 0"),
}


def _span(value: float, unit: str) -> timedelta:
    return timedelta(hours=value) if unit == "h" else timedelta(days=value * _UNITS[unit])
