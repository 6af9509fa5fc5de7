"""What is known of a dataset's deliveries that count tonight, gathered for `faults`.

Belongs here: SQL on the ledger, the findings and a few rows' texts.
Does not belong here: what follows from it (`faults`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb

from quality.anomaly_results import Anomalies
from quality.contract import Contract
from quality.ledger import Ledger
from quality.text_evidence import Row

SAMPLED = 200
"""Rows of a suspicious delivery whose texts are looked at."""
REPEATING = 0.01
"""Share of a delivery's rows that `key_unique` finds, from which on its repeats are counted."""
SUSPICIOUS = 0.3
"""Share of a delivery's rows that are refused, from which on its texts are looked at."""


@dataclass(frozen=True)
class Delivery:
    """One delivery that counts tonight."""

    delivery_id: str
    business_date: date
    file_name: str
    rows: int
    held: int = 0
    """Its rows that are refused and not put right."""
    findings: Mapping[str, int] = field(default_factory=dict)
    """Rule → its rows that break it and are not put right."""
    last_row: frozenset[str] = frozenset()
    """Rules that its last row breaks; looked at where a file may have been cut."""
    repeats: int = 0
    """Its accepted rows that say a key again, whether or not a later delivery has told it anew;
    counted where `key_unique` still finds some of them."""
    texts: Sequence[Row] = ()
    """Texts of some rows, where the delivery is suspicious."""

    def share(self, rule_id: str) -> float:
        """Share of its rows that break a rule."""
        return self.findings.get(rule_id, 0) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Evidence:
    """Everything that faults of one dataset are recognised by."""

    contract: Contract
    ledger: Ledger
    anomalies: Anomalies = field(default_factory=Anomalies)
    deliveries: tuple[Delivery, ...] = ()


def gather(
    connection: duckdb.DuckDBPyConnection, contract: Contract, ledger: Ledger, anomalies: Anomalies
) -> Evidence:
    """Needs `quality.defect` and `quality.repeated_key` of the dataset, `raw`, `quarantine` and the
    temporary table `held`.

    Raises:
        duckdb.Error: a table is missing or unreadable.
    """
    findings = _findings(connection, contract)
    odd = {
        found.business_date
        for rule in contract.rules_of("anomaly")
        if rule.check == "distribution"
        for found in anomalies.unusual.get(rule.rule_id, ())
        if found.is_gross
    }
    may_be_cut = ledger.cut or "row_shape" in _rules(findings)
    last_rows = _last_rows(connection, contract) if may_be_cut else {}
    deliveries = []
    for delivery_id, day, name, rows, held in _deliveries(connection, contract):
        suspicious = held >= max(1, SUSPICIOUS * rows) or day in odd
        own = findings.get(delivery_id, {})
        repeating = own.get("key_unique", 0) >= max(1, REPEATING * rows)
        deliveries.append(
            Delivery(
                delivery_id, day, name, rows, held, own,
                last_rows.get(delivery_id, frozenset()),
                _repeats(connection, delivery_id) if repeating else 0,
                _texts(connection, contract, delivery_id) if suspicious else (),
            )
        )  # fmt: skip
    return Evidence(contract, ledger, anomalies, tuple(deliveries))


def _rules(findings: Mapping[str, Mapping[str, int]]) -> set[str]:
    return {rule_id for found in findings.values() for rule_id in found}


def _deliveries(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> list[tuple[str, date, str, int, int]]:
    """Those whose rows count: of a full dataset the newest date, of others all not replaced."""
    newest = (
        "qualify delivery.business_date = max(delivery.business_date) over ()"
        if contract.delivery == "full"
        else ""
    )
    return connection.execute(
        f"""
        with standing as (
            select _delivery_id as delivery_id, count(*) as held from held
            where resolved_by is null group by all
        )
        select delivery.delivery_id, delivery.business_date, delivery.file_name,
            delivery.rows_read, coalesce(standing.held, 0)
        from meta.delivery as delivery
        left join standing using (delivery_id)
        where delivery.department = ? and delivery.dataset = ? and delivery.status = 'loaded'
            and delivery.superseded_by is null
        {newest}
        order by delivery.business_date, delivery.sequence
        """,
        [contract.department, contract.dataset],
    ).fetchall()


def _findings(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> dict[str, dict[str, int]]:
    rows = connection.execute(
        "select delivery_id, rule_id, count(*) from quality.defect "
        "where department = ? and dataset = ? and is_open group by all",
        [contract.department, contract.dataset],
    ).fetchall()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for delivery_id, rule_id, counted in rows:
        found[delivery_id][rule_id] = counted
    return found


def _repeats(connection: duckdb.DuckDBPyConnection, delivery_id: str) -> int:
    counted = connection.execute(
        "select count(*) - count(distinct first_line) from quality.repeated_key "
        "where delivery_id = ?",
        [delivery_id],
    ).fetchone()
    return counted[0] if counted else 0


def _last_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> dict[str, frozenset[str]]:
    """Delivery → rules that its last row breaks."""
    rows = connection.execute(
        f"""
        with lines as (
            select _delivery_id, _line_number, _flags as broken from raw.{contract.table}
            union all
            select _delivery_id, _line_number,
                concat_ws(',', nullif(_rules, ''), nullif(_flags, ''))
            from quarantine.{contract.table}
        )
        select _delivery_id, max_by(coalesce(broken, ''), _line_number) from lines group by all
        """
    ).fetchall()
    return {delivery_id: frozenset(filter(None, broken.split(","))) for delivery_id, broken in rows}


def _texts(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str
) -> tuple[Row, ...]:
    """The first refused rows as they were delivered, then accepted ones. Misshapen ones, which tell
    nothing of their columns, stand in where there are no others: a misread file swallows
    delimiters."""
    names = [column.name for column in contract.columns]
    held = connection.execute(
        f"""
        with refused as (
            select _original, _line_number,
                list_contains(string_split(_rules, ','), 'row_shape') as is_misshapen
            from quarantine.{contract.table} where _delivery_id = $delivery
        )
        select _original from refused
        where not is_misshapen or not exists (
            select 1 from refused where not is_misshapen
            union all select 1 from raw.{contract.table} where _delivery_id = $delivery
        )
        order by _line_number limit {SAMPLED}
        """,
        {"delivery": delivery_id},
    ).fetchall()
    texts: list[Row] = [_texts_of(original) for (original,) in held if original]
    accepted = connection.execute(
        f"select {', '.join(f'{name}::varchar' for name in names)} from raw.{contract.table} "
        f"where _delivery_id = ? order by _line_number limit {SAMPLED - len(texts)}",
        [delivery_id],
    ).fetchall()
    return (*texts, *(dict(zip(names, row, strict=True)) for row in accepted))


def _texts_of(original: str) -> Row:
    """The texts of a refused row; of a misshapen one those that have no column are a list."""
    found: dict[str, str | None] = {}
    for name, value in json.loads(original).items():
        if isinstance(value, list):
            found.update({f"{name} {place}": text for place, text in enumerate(value)})
        else:
            found[name] = value
    return found
