"""The tables of docs/rules.md, from the registries themselves.

Belongs here: checks and sub-indicators → Markdown. `python -m quality.rule_documentation` prints
the document; a test compares it with docs/rules.md.
Does not belong here: what a check means (`rule_library.yaml`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quality.contract import DIMENSIONS
from quality.indicators import read_indicators
from quality.relation_rules import RELATION_CHECKS
from quality.row_rules import DERIVED_ROW_CHECKS, ROW_CHECKS
from quality.rule_library import read_library

_HEAD = """\
# Rules

Every rule counts towards one sub-indicator of GB/T 36344-2018, which gives its dimension. A rule
that a contract names (`type: custom, engine: yishu, implementation: …`, under a column) needs no
more than a `name`: dimension, severity and message follow from the tables below, and `dimension`,
`severity` and `description` in the contract win over them. Another sub-indicator of the same
dimension is named so:

```yaml
quality:
  - name: phone_format
    type: custom
    engine: yishu
    implementation: phone
    customProperties:
      - property: indicator
        value: "0302"
```

**Tolerance.** Without a bound no row may fail. `mustBeLessThan`, `mustBeLessOrEqualTo` and the
others count failing rows; with `unit: percent` they are shares of the rows judged. A row rule of
severity `error` quarantines each failing row all the same: the tolerance decides whether the rule,
and so a cause and a work order, fails. A value that is missing, or that another rule already
refuses, is not judged.

"""
_TAIL = """\
## Rules of your own

`engine: polars` takes an SQL expression over the columns of one row; `type: sql` a query on
`{object}` with a `mustBe…` bound: if it returns `_delivery_id` and `_line_number`, the rows go home
with file and line, else it returns one number. Both need `dimension`, `severity` and `description`.
"""

_OWN = ("rowCount", "nullValues", "sql")
"""Checks that a contract words in ODCS's own way."""


def document() -> str:
    """docs/rules.md as it has to be."""
    named = {name: ROW_CHECKS[name].parameters for name in ROW_CHECKS}
    derived = [name for name in DERIVED_ROW_CHECKS if name != "expression"]
    relations = {name: check.parameters for name, check in RELATION_CHECKS.items()}
    shown = {*named, *relations, *_OWN}
    others = [check for check in read_library() if check not in shown]
    return (
        _HEAD
        + "## Sub-indicators\n\n"
        + _indicators()
        + "## Checks on one row, at the door\n\n"
        + _checks({n: p for n, p in named.items() if n not in DERIVED_ROW_CHECKS})
        + "## Checks between tables, in the warehouse\n\n"
        + _checks({n: p for n, p in relations.items() if n != "key_unique"})
        + "## Rules that follow by themselves\n\n"
        + _checks(dict.fromkeys([*derived, "key_unique", *others], ()))
        + _TAIL
    )


def _indicators() -> str:
    rows = (
        (item.code, item.name, DIMENSIONS[item.dimension], item.counts)
        for item in read_indicators().values()
    )
    return _table(("code", "sub-indicator", "dimension", "share that is counted"), rows)


def _checks(checks: Mapping[str, tuple[str, ...]]) -> str:
    library = read_library()
    rows = (
        (f"`{name}({', '.join(kinds)})`" if kinds else f"`{name}`", library[name].title,
         library[name].indicator, library[name].severity)
        for name, kinds in checks.items()
    )  # fmt: skip
    return _table(("check", "passes where", "indicator", "severity"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    print(document(), end="")
