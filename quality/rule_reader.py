"""The rules that a contract declares, read and checked one by one.

Belongs here: the `quality` entries of an ODCS document → typed rules.
Does not belong here: rules that follow by themselves (`derived_rules`), what a check means
(`row_rules`, `relation_rules`), the rest of the document (`contract_reader`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from quality.contract import ODCS_DIMENSIONS, Rule
from quality.indicators import read_indicators
from quality.reference_tables import code_tables
from quality.relation_rules import RELATION_CHECKS
from quality.row_rules import DERIVED_ROW_CHECKS, ROW_CHECKS
from quality.rule_library import Entry, indicator_of, message_of, read_library
from quality.yaml_lines import Location, YamlDocument

SEVERITIES = ("error", "warning")
Check = tuple[str, str, tuple[str, ...], tuple[str, ...], dict[str, float | str]]
"""Family, name, columns, arguments and options of a check."""

LATER_FIELDS = ("their_dataset", "their_department")
"""Fields of a library's message that one contract alone cannot fill in."""

_IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True)
class RuleReader:
    """Reads the rules of one document; `refuse(location, rule, message)` takes the problems."""

    document: YamlDocument
    refuse: Callable[[Location, str, str], None]

    def declared_rules(self, schema: dict[str, Any], names: set[str]) -> Iterator[Rule]:
        """The sound rules of the columns named `names` and of the dataset as a whole."""
        for position, item in enumerate(schema.get("properties") or []):
            for index, rule in enumerate(item.get("quality") or []):
                where = ("schema", 0, "properties", position, "quality", index)
                yield from self._rule(rule, where, str(item.get("name")), names)
        for index, rule in enumerate(schema.get("quality") or []):
            yield from self._rule(rule, ("schema", 0, "quality", index), None, names)

    def _rule(
        self, item: dict[str, Any], where: Location, column: str | None, names: set[str]
    ) -> Iterator[Rule]:
        rule_id = str(item.get("name", ""))
        if not _IDENTIFIER.match(rule_id):
            self.refuse(where, "rule", "a rule needs a name of lower-case letters, digits, _")
        check = self._check(item, where, rule_id, column, names)
        entry = _entry(item, check)
        dimension = self._dimension(item, where, rule_id, entry)
        severity = item.get("severity") or (entry.severity if entry else None)
        if severity not in SEVERITIES:
            self.refuse(where, "rule", f"rule {rule_id!r}: severity must be error or warning")
        if not item.get("description") and not entry:
            self.refuse(
                where,
                "rule",
                f"rule {rule_id!r} needs a description that tells the clerk what to do",
            )
        if check is not None and dimension is not None:
            family, name, columns, arguments, options = check
            yield Rule(
                rule_id=rule_id,
                family=family,
                check=name,
                dimension=dimension,
                severity=str(severity),
                message=str(item.get("description") or self._message(check)),
                columns=columns,
                arguments=arguments,
                options=options,
                line=self.document.line(where),
                indicator=self._indicator(item, where, rule_id, name, dimension),
            )

    def _dimension(
        self, item: dict[str, Any], where: Location, rule_id: str, entry: Entry | None
    ) -> str | None:
        if item.get("dimension") is None and entry:
            return entry.dimension
        dimension = ODCS_DIMENSIONS.get(str(item.get("dimension")))
        if dimension is None:
            message = f"rule {rule_id!r}: dimension must be one of {', '.join(ODCS_DIMENSIONS)}"
            self.refuse(where, "rule", message)
        return dimension

    def _indicator(
        self, item: dict[str, Any], where: Location, rule_id: str, check: str, dimension: str
    ) -> str:
        """The check's own sub-indicator, or the one that the contract names."""
        for custom in item.get("customProperties") or []:
            if custom.get("property") != "indicator":
                name = custom.get("property")
                self.refuse(where, "rule", f"rule {rule_id!r}: no property {name!r}; remove it")
                continue
            code = str(custom.get("value"))
            known = read_indicators().get(code)
            if known is not None and known.dimension == dimension:
                return code
            fit = [i.code for i in read_indicators().values() if i.dimension == dimension]
            message = (
                f"rule {rule_id!r}: indicator {code!r} is none of {dimension}: "
                f"{', '.join(fit)} (in quotes)"
            )
            self.refuse(where, "rule", message)
        return indicator_of(check, dimension)

    def _message(self, check: Check) -> str:
        """The library's message; what only the catalogue knows stays to be filled in there."""
        _, name, columns, arguments, _ = check
        properties = self.document.data["schema"][0].get("properties") or []
        titles = {str(p.get("name")): str(p.get("businessName")) for p in properties}
        own = [titles.get(column, column) for column in columns]
        return message_of(name, own, arguments, {field: f"{{{field}}}" for field in LATER_FIELDS})

    def _check(
        self,
        item: dict[str, Any],
        where: Location,
        rule_id: str,
        column: str | None,
        names: set[str],
    ) -> Check | None:
        kind, engine = item.get("type", "library"), item.get("engine")
        options = {
            key: item[key]
            for key in ("mustBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
                        "mustBeLessOrEqualTo", "unit")
            if item.get(key) is not None
        }  # fmt: skip
        own = (column,) if column else ()
        if kind == "sql":
            if "{object}" not in str(item.get("query", "")) or not options:
                self.refuse(
                    where, "rule", f"rule {rule_id!r}: give a query on {{object}} and a mustBe…"
                )
                return None
            return "relation", "sql", own, (str(item["query"]),), options
        if kind == "library":
            metric = str(item.get("metric"))
            if metric not in ("rowCount", "nullValues") or not options:
                self.refuse(
                    where,
                    "rule",
                    f"rule {rule_id!r}: metric must be rowCount or nullValues, with a mustBe…",
                )
                return None
            if metric == "nullValues" and column is None:
                self.refuse(where, "rule", f"rule {rule_id!r}: put nullValues under its column")
                return None
            return "relation", metric, own, (), options
        if kind == "custom" and engine == "polars":
            return self._expression(item, where, rule_id, own, names, options)
        if kind == "custom" and engine == "yishu" and column is not None:
            return self._named(item, where, rule_id, column, names, options)
        message = (
            f"rule {rule_id!r}: use type library, sql, or custom with engine polars or, under a "
            "column, yishu"
        )
        self.refuse(where, "rule", message)
        return None

    def _expression(
        self,
        item: dict[str, Any],
        where: Location,
        rule_id: str,
        own: tuple[str, ...],
        names: set[str],
        options: dict[str, float | str],
    ) -> Check | None:
        import polars as pl

        text = str(item.get("implementation", ""))
        try:
            roots = pl.sql_expr(text).meta.root_names()
        except pl.exceptions.PolarsError as error:
            self.refuse(where, "rule", f"rule {rule_id!r}: not an SQL expression: {error}")
            return None
        unknown = sorted(set(roots) - names)
        if unknown:
            self.refuse(where, "rule", f"rule {rule_id!r}: no column {', '.join(unknown)}")
            return None
        columns = tuple(dict.fromkeys((*own, *roots)))
        return "row", "expression", columns, (text,), options

    def _named(
        self,
        item: dict[str, Any],
        where: Location,
        rule_id: str,
        column: str,
        names: set[str],
        options: dict[str, float | str],
    ) -> Check | None:
        text = str(item.get("implementation", ""))
        try:
            name, arguments = _call(text)
        except ValueError as error:
            self.refuse(where, "rule", f"rule {rule_id!r}: {error}")
            return None
        if name in ROW_CHECKS and name not in DERIVED_ROW_CHECKS:
            parameters, family = ROW_CHECKS[name].parameters, "row"
        elif name in RELATION_CHECKS:
            parameters, family = RELATION_CHECKS[name].parameters, "relation"
        else:
            known = sorted({*ROW_CHECKS, *RELATION_CHECKS} - set(DERIVED_ROW_CHECKS))
            self.refuse(
                where, "rule", f"rule {rule_id!r}: no check {name!r}; there are {', '.join(known)}"
            )
            return None
        if len(arguments) != len(parameters):
            message = (
                f"rule {rule_id!r}: {name} takes ({', '.join(parameters)}), "
                f"got {len(arguments)} arguments"
            )
            self.refuse(where, "rule", message)
            return None
        columns = [column]
        for kind, argument in zip(parameters, arguments, strict=True):
            if kind == "column":
                columns.append(argument)
                if argument not in names:
                    self.refuse(where, "rule", f"rule {rule_id!r}: no column {argument!r}")
                    return None
            if obstacle := _obstacle(kind, argument):
                self.refuse(where, "rule", f"rule {rule_id!r}: {argument!r} {obstacle}")
                return None
        return family, name, tuple(columns), tuple(arguments), options


def _entry(item: dict[str, Any], check: Check | None) -> Entry | None:
    """The library's entry of a named check, which says what the contract leaves out."""
    if check is None or item.get("engine") != "yishu":
        return None
    return read_library()[check[1]]


def _obstacle(kind: str, argument: str) -> str | None:
    """Why an argument is not of its kind; None where it is."""
    if kind == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", argument):
        return "is not a number"
    if kind == "reference" and argument not in code_tables():
        return f"is no reference table; there are {', '.join(code_tables())}"
    if kind == "date":
        try:
            date.fromisoformat(argument)
        except ValueError:
            return 'is not a date such as "2000-01-31"'
    return None


def _call(text: str) -> tuple[str, list[str]]:
    """`name` or `name(argument, …)` → name and arguments as text."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ValueError(
            f"cannot read implementation {text!r}; write name or name(argument)"
        ) from error
    if isinstance(node, ast.Name):
        return node.id, []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return node.func.id, [_argument(argument) for argument in node.args]
    raise ValueError(f"cannot read implementation {text!r}; write name or name(argument)")


def _argument(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    value = ast.literal_eval(node)
    return str(value)
