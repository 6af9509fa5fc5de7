"""What is wrong with a dataset tonight, each fault once, whatever number of rules fail of it.

Belongs here: the record of a cause, the results → causes as a pure function, when a cause counts
as put right, and the table `quality.cause`.
Does not belong here: recognising a fault (`faults`); opening and closing orders (`work_orders`).

A rule that fails by itself is a cause of its own, named by its id. A recognised fault (a missing
column, a changed unit) is one cause with a name of its own, and the rules that fail because of it
hang under it. A rule that crashed or did not run says nothing of the data: it is in
`quality.rule_result`, and no cause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date

import duckdb

from quality.results import (
    CONTRACT_RULE,
    ERROR,
    FAIL,
    PASS,
    RuleResult,
    replace_night,
)

RULE = "rule"
"""Kind of a cause that is one failing rule; every other kind is that of a recognised fault."""

Key = tuple[str, str, str]
"""Department, dataset and cause: what may stand once per night."""


@dataclass(frozen=True)
class Fault:
    """One fault of one dataset, recognised by its evidence.

    `rule_ids` are the rules that it explains, failing or not: those that fail hang under it. A
    fault none of whose rules fails is no cause, for nothing could tell that it was put right.
    """

    department: str
    dataset: str
    cause: str
    """Stable name within the dataset, such as `missing_column:phone`."""
    kind: str
    title: str
    dimension: str
    severity: str
    rule_ids: tuple[str, ...]
    message: str
    """What is wrong, with the evidence, and what to do, in Chinese."""
    failed: int = 0
    total: int = 0


@dataclass(frozen=True)
class Cause:
    """One row of `quality.cause`: something that a department has to put right."""

    business_date: date
    department: str
    dataset: str
    cause: str
    """The rule's id, or the name of the fault; the same on every night that it stands."""
    kind: str
    """`rule`, or the kind of the fault."""
    title: str
    """What is wrong, in a few Chinese words."""
    dimension: str
    severity: str
    status: str
    """`fail`; `error` where the contract itself is broken."""
    failed: int
    total: int
    rule_ids: tuple[str, ...]
    """The failing rules that hang under it, at least one."""
    engines: tuple[str, ...]
    """The engines of those rules."""
    contract_version: str
    message: str
    """What is wrong and what to do, in Chinese."""

    @property
    def key(self) -> Key:
        """What the same cause has on every night."""
        return self.department, self.dataset, self.cause


def causes_of(results: Iterable[RuleResult], faults: Sequence[Fault] = ()) -> list[Cause]:
    """One night's causes, in the order of their names.

    A failing rule hangs under every fault that explains it; one that none explains is a cause of
    its own.
    """
    failing: dict[tuple[str, str], dict[str, RuleResult]] = {}
    for result in results:
        if fails(result):
            failing.setdefault((result.department, result.dataset), {})[result.rule_id] = result
    causes = []
    hanging: set[Key] = set()
    for fault in faults:
        own = failing.get((fault.department, fault.dataset), {})
        explained = [own[rule_id] for rule_id in fault.rule_ids if rule_id in own]
        hanging |= {(fault.department, fault.dataset, result.rule_id) for result in explained}
        if explained:
            causes.append(_of_fault(fault, explained))
    causes += [
        _of_rule(result)
        for place, own in failing.items()
        for rule_id, result in own.items()
        if (*place, rule_id) not in hanging
    ]
    return sorted(causes, key=lambda cause: cause.key)


def fails(result: RuleResult) -> bool:
    """A crash is no failure of the data; a contract that cannot be read is the owner's to mend."""
    return result.status == FAIL or (result.rule_id == CONTRACT_RULE and result.status == ERROR)


def _of_rule(result: RuleResult) -> Cause:
    return Cause(
        business_date=result.business_date,
        department=result.department,
        dataset=result.dataset,
        cause=result.rule_id,
        kind=RULE,
        title=_short(result.message),
        dimension=result.dimension,
        severity=result.severity,
        status=result.status,
        failed=result.failed,
        total=result.total,
        rule_ids=(result.rule_id,),
        engines=(result.engine,),
        contract_version=result.contract_version,
        message=result.message,
    )


def _of_fault(fault: Fault, explained: Sequence[RuleResult]) -> Cause:
    most = max(explained, key=lambda result: result.failed)
    return Cause(
        business_date=most.business_date,
        department=fault.department,
        dataset=fault.dataset,
        cause=fault.cause,
        kind=fault.kind,
        title=fault.title,
        dimension=fault.dimension,
        severity=fault.severity,
        status=FAIL,
        failed=fault.failed or most.failed,
        total=fault.total or most.total,
        rule_ids=tuple(sorted(result.rule_id for result in explained)),
        engines=tuple(sorted({result.engine for result in explained})),
        contract_version=most.contract_version,
        message=fault.message,
    )


_FILES = re.compile(r"（[^（）]*）$")
"""At the end alone: a bracket within belongs to a column's name, such as 「应纳税额（元）」."""


def _short(message: str) -> str:
    """What is wrong, without what to do and without the files that it was seen in."""
    return _FILES.sub("", message.partition("，请")[0].rstrip("。"))


@dataclass(frozen=True)
class Recheck:
    """What one night's judgement says of the causes that stood before it."""

    standing: frozenset[Key] = frozenset()
    statuses: Mapping[Key, str] = field(default_factory=dict)
    """(department, dataset, rule) → status; a rule that the contract has not is not here."""
    valid: frozenset[tuple[str, str]] = frozenset()
    """Datasets whose contract passed the lint: there a rule that is not here is gone."""
    described: frozenset[tuple[str, str]] | None = None
    """Datasets that had a contract at all, sound or broken; `None` where that is not known."""

    def withdrawn(self, cause: Cause) -> bool:
        """Whether the dataset of an earlier cause has no contract any more."""
        return (
            self.described is not None and (cause.department, cause.dataset) not in self.described
        )

    def recovered(self, cause: Cause) -> bool:
        """Whether an earlier cause was looked at again on this night and found to be right.

        A rule by itself must pass, or be gone from a valid contract. A fault must be recognised
        no more although each of its rules gave a verdict: one that fails now hangs elsewhere.
        """
        return cause.key not in self.standing and all(
            self._decided(cause, rule_id) for rule_id in cause.rule_ids
        )

    def _decided(self, cause: Cause, rule_id: str) -> bool:
        status = self.statuses.get((cause.department, cause.dataset, rule_id))
        if status is None:
            return (cause.department, cause.dataset) in self.valid
        return status == PASS or (status == FAIL and cause.kind != RULE)


def recheck_of(results: Iterable[RuleResult], causes: Iterable[Cause]) -> Recheck:
    """What the results and causes of one and the same night say."""
    statuses: dict[Key, str] = {}
    valid = set()
    described = set()
    for result in results:
        statuses[result.department, result.dataset, result.rule_id] = result.status
        if result.rule_id == CONTRACT_RULE:
            described.add((result.department, result.dataset))
            if result.status == PASS:
                valid.add((result.department, result.dataset))
    return Recheck(
        frozenset(cause.key for cause in causes),
        statuses,
        frozenset(valid),
        frozenset(described) or None,
    )


CAUSE_TABLE = """
create schema if not exists quality;
create table if not exists quality.cause (
    business_date date not null,
    department varchar not null,
    dataset varchar not null,
    cause varchar not null,
    kind varchar not null,
    title varchar not null,
    dimension varchar not null,
    severity varchar not null,
    status varchar not null,
    failed bigint not null,
    total bigint not null,
    rule_ids varchar not null,
    engines varchar not null,
    contract_version varchar not null,
    message varchar not null
)
"""
"""`rule_ids` and `engines` are JSON lists."""

_COLUMNS = tuple(field.name for field in fields(Cause))


def write_causes(
    connection: duckdb.DuckDBPyConnection, business_date: date, causes: Iterable[Cause]
) -> None:
    """Replace that business date's causes.

    Raises:
        ValueError: a cause of another business date.
    """
    rows = [asdict(cause) for cause in causes]
    for row in rows:
        row["rule_ids"] = json.dumps(row["rule_ids"])
        row["engines"] = json.dumps(row["engines"])
    connection.execute(CAUSE_TABLE)
    replace_night(connection, "quality.cause", business_date, _COLUMNS, rows)


def read_causes(
    connection: duckdb.DuckDBPyConnection, until: date, since: date = date.min
) -> list[Cause]:
    """All causes of the nights from `since` to `until`, oldest first."""
    connection.execute(CAUSE_TABLE)
    rows = connection.execute(
        f"select {', '.join(_COLUMNS)} from quality.cause where business_date between ? and ? "
        "order by business_date, department, dataset, cause",
        [since, until],
    ).fetchall()
    causes = []
    for values in rows:
        row = dict(zip(_COLUMNS, values, strict=True))
        lists = {name: tuple(json.loads(row[name])) for name in ("rule_ids", "engines")}
        causes.append(Cause(**{**row, **lists}))
    return causes
