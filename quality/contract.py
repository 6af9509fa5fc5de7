"""The typed contract: the only place where a dataset is described.

Belongs here: the shape of a contract, and what follows from it alone (rules, names).
Does not belong here: judging a contract's text (`contract_lint`), finding the files
(`catalogue`), or running its rules (`pandera_schemas`, `expectations`).

A contract is an Open Data Contract Standard 3.1 document with one schema object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from quality.source import Source

DIMENSIONS: dict[str, str] = {
    "conformity": "规范性",
    "completeness": "完整性",
    "accuracy": "准确性",
    "consistency": "一致性",
    "timeliness": "时效性",
    "accessibility": "可访问性",
}
"""The six dimensions of GB/T 36344-2018, in its order, with their Chinese names."""

ODCS_DIMENSIONS = {
    **{name: name for name in DIMENSIONS},
    "uniqueness": "accuracy",
    "coverage": "completeness",
}
"""ODCS dimension → ours. GB/T 36344 counts uniqueness under accuracy (sub-indicator 0304)."""

DELIVERIES = ("full", "increment", "change_log")
"""What a delivery means for the rows that came before: see `Contract.delivery`."""

MAX_DROP = 0.5
"""A full delivery that lost more than this share of its rows is taken for a fault."""

LEVELS = ("L1", "L2", "L3", "L4")
"""Classification of a column: L1 public, L2 internal, L3 personal, L4 sensitive personal."""

META_COLUMNS: dict[str, str] = {
    "_delivery_id": "varchar",
    "_business_date": "date",
    "_sequence": "bigint",
    "_line_number": "bigint",
    "_flags": "varchar",
    "_original": "varchar",
}
"""What the door adds to every raw row → DuckDB type.

`_line_number` is the physical line (or sheet row) of the record's first line, 1-based;
`_flags` the ids of the warnings that the row carries, comma-separated; `_original` a JSON
object column → text as delivered, for each value that the door changed.
"""

QUARANTINE_COLUMNS: dict[str, str] = {
    **META_COLUMNS,
    "_rules": "varchar",
    "_columns": "varchar",
}
"""As `META_COLUMNS`; here `_original` holds every value of the row as delivered, `_rules` the
ids of the rules that refused it and `_columns` the columns they name, comma-separated."""


@dataclass(frozen=True)
class Rule:
    """One check that is expected of a dataset on every night.

    `family` says who runs it: `row` (Pandera, at the door), `relation` (Great Expectations,
    in the warehouse), `delivery` (the ledger) or `anomaly` (the delivery beside earlier ones).
    """

    rule_id: str
    family: str
    check: str
    """Name of the check in its family's registry."""
    dimension: str
    severity: str
    """`error` (a row is quarantined, a table fails) or `warning` (the row is kept, flagged)."""
    message: str
    """What is wrong and what to do, in Chinese, for the clerk who owns the data."""
    columns: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    options: dict[str, float | str] = field(default_factory=dict, hash=False)
    line: int = 1
    indicator: str = ""
    """Sub-indicator of GB/T 36344-2018 that it counts towards; of the same dimension."""


@dataclass(frozen=True)
class Column:
    """One column: `header` in the department's file, `name` in the warehouse."""

    name: str
    header: str
    title: str
    logical_type: str
    sql_type: str
    required: bool
    level: str
    key_position: int | None = None
    description: str = ""
    domain: tuple[str, ...] = ()
    parse: str | None = None
    """Named reading of the text, where it is more than a cast (see `pipelines.ingest.cast`)."""
    missing: tuple[str, ...] = ()
    """Spellings of "missing" in this column, besides the empty text."""
    line: int = 1


@dataclass(frozen=True)
class Contract:
    """One dataset of one department, as promised."""

    path: Path
    contract_id: str
    version: str
    department: str
    department_name: str
    owner: str
    dataset: str
    title: str
    domain: str
    purpose: str
    grain: str
    delivery: str
    """`full`: each delivery replaces the dataset; `increment`: it adds and replaces by key;
    `change_log`: as an increment, and a row may say that its key is gone."""
    file_format: str | None
    """As `servers[0].format` says; None where the file itself shows it."""
    file_pattern: str
    """Glob of the file names in `landing/<department>/`."""
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    cycle: timedelta | None
    """Time between deliveries; `None` where the department delivers at no fixed time."""
    latency: timedelta
    keep_days: int
    share_type: str
    share_condition: str | None
    open_type: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    header_rows: int | None = None
    """Rows of the header: 0, 1 or 2; None where the file itself shows it."""
    widths: tuple[int, ...] = ()
    """Widths of the fields of a fixed-width file."""
    record: str | None = None
    """Element (XML) or key (JSON) of one record."""
    source: Source | None = None
    """Where the data are fetched from; None where files arrive in landing by themselves."""
    change_column: str | None = None
    """Column of a change log that says what happened to the row's key."""
    delete_values: tuple[str, ...] = ()
    """Its values that mean: the key is gone as of this row."""
    parts: int | None = None
    """How many files make one full delivery; None where that is not agreed."""
    max_drop: float = MAX_DROP
    """Share of accepted rows that a full delivery may lose against the last one, 0 to 1."""
    ignored_headers: tuple[str, ...] = ()
    """Headers that may come besides the columns and are left out knowingly."""
    sensitivity: str = "medium"
    """How soon a delivery counts as unusual: `low`, `medium`, `high`; `off` never."""

    @property
    def name(self) -> str:
        """`department/dataset`, the way people write it."""
        return f"{self.department}/{self.dataset}"

    @property
    def table(self) -> str:
        """`department__dataset`, the table in the schemas `raw` and `quarantine`."""
        return f"{self.department}__{self.dataset}"

    @property
    def staging_model(self) -> str:
        """Name of the dbt staging model."""
        return f"stg_{self.table}"

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Names of the primary key columns, in their order."""
        keyed = [column for column in self.columns if column.key_position is not None]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position or 0))

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """The headers that the file must have, each once, in the contract's order."""
        return tuple(dict.fromkeys(column.header for column in self.columns))

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def rules_of(self, family: str) -> tuple[Rule, ...]:
        """The rules that one engine runs: `row`, `relation`, `delivery` or `anomaly`."""
        return tuple(rule for rule in self.rules if rule.family == family)
