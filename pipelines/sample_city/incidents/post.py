"""The files of every night, right and wrong ones, and the truth about them.

Belongs here: one folder a night, from which the simulation puts files into landing.
Does not belong here: which rows are told (`rows`), how a file is spoilt (`spoil`).

A wrong file goes out on its night; the right one, of the same name, on the night of its
correction. What row defects there are is told by rule and night, for that is what an order is
about.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipelines.sample_city import defects, deliveries, world
from pipelines.sample_city.incidents import rows, spoil
from pipelines.sample_city.incidents.calendar import weight
from pipelines.sample_city.incidents.incident import (
    DRIFT,
    LATE_DELIVERY,
    STALE_FILE,
    VOLUME_DROP,
    VOLUME_JUMP,
    Incident,
)
from pipelines.sample_city.incidents.schedule import blocked_nights
from pipelines.sample_city.vocabulary import has_register
from pipelines.sample_city.world import Plan
from quality.catalogue import Catalogue
from quality.contract import Contract

DEFECTS_TIMES = 3.0
"""How much more often rows go wrong than in the sample city, so that there are enough orders."""
_JUMP, _DROP = 8.0, 0.12


@dataclass(frozen=True)
class RowFault:
    """Nights on which one row defect stands: broken rule, first night, night of its correction."""

    department: str
    dataset: str
    rule: str
    first: date
    corrected: date | None


@dataclass(frozen=True)
class Truth:
    """What was planted, kept apart from the home that is judged."""

    incidents: tuple[Incident, ...]
    row_faults: tuple[RowFault, ...]
    datasets: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write the truth as JSON."""
        record = {
            "incidents": [incident.record() for incident in self.incidents],
            "row_faults": [asdict(fault) for fault in self.row_faults],
            "datasets": self.datasets,
        }
        path.write_text(
            json.dumps(record, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8"
        )


def build(
    folder: Path,
    catalogue: Catalogue,
    plan: Plan,
    incidents: Sequence[Incident],
    report: Callable[[str], None] = lambda _: None,
) -> Truth:
    """Write `folder/<YYYY-MM-DD>/<department>/<file>` for every night; returns the truth.

    The same arguments give the same bytes.

    Raises:
        ValueError: an incident of a dataset that the sample city does not keep.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contracts = [c for c in catalogue.contracts if has_register(c.table)]
    unknown = {incident.name for incident in incidents} - {c.name for c in contracts}
    if unknown:
        raise ValueError(f"no register in the sample city: {', '.join(sorted(unknown))}")
    kinds = defects.read_kinds()
    blocked = blocked_nights(incidents, plan)
    faults: list[RowFault] = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".workshop_") as workshop:
        connection = world.open_workshop(Path(workshop))
        try:
            for step in world.make(plan, connection):
                report(f"已生成{step}")
            for contract in contracts:
                own = [incident for incident in incidents if incident.name == contract.name]
                planted = rows.scaled(kinds.get(contract.name, ()), DEFECTS_TIMES)
                post = _Post(connection, plan, contract, planted, folder)
                faults += post.deliver(own, blocked.get(contract.name, set()))
                report(f"已生成{contract.department_name}《{contract.title}》{plan.nights}次报送")
        finally:
            connection.close()
    return Truth(tuple(incidents), tuple(faults), tuple(c.name for c in contracts))


class _Post:
    """The deliveries of one dataset."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: Plan,
        contract: Contract,
        kinds: tuple[defects.DefectKind, ...],
        folder: Path,
    ) -> None:
        self.connection, self.plan, self.contract = connection, plan, contract
        self.kinds, self.folder = kinds, folder

    def deliver(self, incidents: Sequence[Incident], blocked: set[int]) -> list[RowFault]:
        """Write all files; returns the row faults that are in them."""
        register = world.render(self.plan, f"registers/{self.contract.table}.sql")
        self.connection.execute(f"create or replace table honest as {register}")
        rows.plant(self.connection, self.contract, self.kinds, blocked)
        for number in range(1, self.plan.nights + 1):
            day = self.plan.business_date(number)
            incident = _on(incidents, day)
            if incident is None:
                query = self._right(number)
                for drift in _ended_drifts(incidents, day):
                    query = spoil.query(query, self.contract, drift, self._first(drift))
                self._write(query, self._path(day, day))
            else:
                self._deliver_wrong(number, day, incident)
        return self._row_faults()

    def _deliver_wrong(self, number: int, day: date, incident: Incident) -> None:
        if incident.corrected and _is_sent_again(incident, self.contract):
            self._write(self._right(number), self._path(incident.corrected, day))
        if incident.kind == LATE_DELIVERY:
            return
        path = self._path(day, day)
        if incident.kind == STALE_FILE:
            path.parent.mkdir(parents=True, exist_ok=True)
            before = day - timedelta(days=1)
            path.write_bytes(self._path(before, before).read_bytes())
            return
        factor = {VOLUME_JUMP: _JUMP, VOLUME_DROP: _DROP}.get(incident.kind, 1.0)
        right = self._right(number, factor)
        self._write(spoil.query(right, self.contract, incident, self._first(incident)), path)
        spoil.file(path, self.contract, incident)

    def _first(self, incident: Incident) -> int:
        """Number of the night on which an incident begins."""
        return (incident.first - self.plan.first_date).days + 1

    def _right(self, number: int, factor: float = 1.0) -> str:
        told_again = weight(self.plan.business_date(number)) * factor
        told = rows.delivered(self.contract, number, told_again)
        columns = defects.delivered_columns(self.contract, self.kinds)
        return f"select {columns}, _id, _copy, _told from ({told})"

    def _write(self, query: str, path: Path) -> None:
        ordered = f"select * exclude (_id, _copy, _told) from ({query}) order by _copy, _id"
        deliveries.write_file(self.connection, ordered, self.contract, path)

    def _path(self, night: date, day: date) -> Path:
        """Where the file of a business date lies that goes out on a night."""
        name = deliveries.file_name(self.contract, day)
        return self.folder / night.isoformat() / self.contract.department / name

    def _row_faults(self) -> list[RowFault]:
        found = self.connection.execute(
            "select _kind, night_date(_wrong_night), night_date(_right_night) from told_wrong "
            "order by all"
        ).fetchall()
        broken = {kind.kind: kind.broken_rule(self.contract).rule_id for kind in self.kinds}
        place = self.contract.department, self.contract.dataset
        return [RowFault(*place, broken[kind], first, last) for kind, first, last in found]


def _on(incidents: Sequence[Incident], day: date) -> Incident | None:
    for incident in incidents:
        if 0 <= (day - incident.first).days < incident.nights:
            return incident
    return None


def _ended_drifts(incidents: Sequence[Incident], day: date) -> list[Incident]:
    """The drifts that are over: what is corrected of their rows keeps their values."""
    return [i for i in incidents if i.kind == DRIFT and (day - i.first).days >= i.nights]


def _is_sent_again(incident: Incident, contract: Contract) -> bool:
    """A slow drift ends and is not undone; the next full delivery replaces a wrong one."""
    return incident.kind == LATE_DELIVERY or (
        incident.kind != DRIFT and contract.delivery != "full"
    )


def read_truth(path: Path) -> dict[str, Any]:
    """The truth as `Truth.write` left it, as plain values."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record
