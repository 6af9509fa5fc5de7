"""Nights of the real product, one after the other in this process, for evaluation.

Belongs here: a night's steps without the orchestrator, and building a home again from another's
archive.
Does not belong here: what departments send (`sample_city.incidents`), scoring.

Every step is the function that the night's asset calls: the door, the ledger, dbt, judging,
scoring, ordering, the outbox. What no work order depends on is left out: the marts and their
publication.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from pipelines import dbt_run, replies
from pipelines.assets.quality import platform_results
from pipelines.home import Home
from pipelines.ingest import arrive, door, store
from pipelines.warehouse import prepare
from quality import nightly
from quality.catalogue import Catalogue

_STAGING = "path:models/staging"


class NightFailedError(Exception):
    """A step of a night did not end well; says which."""


def put_into_landing(home: Home, folder: Path) -> None:
    """Copy `folder/<department>/<file>` into landing; nothing where the folder is not there."""
    for path in sorted(folder.glob("*/*")):
        target = home.landing / path.parent.name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / path.name)


def run_night(
    home: Home,
    catalogue: Catalogue,
    night: date,
    parsed: Any,
    send_home_to: Collection[str] = (),
) -> None:
    """Run one night to its work orders.

    Args:
        home: its landing holds the night's deliveries.
        catalogue: the contracts.
        night: business date.
        parsed: the dbt project, from `dbt_run.parse`.
        send_home_to: departments whose workbook is written.

    Raises:
        NightFailedError: a staging model failed.
    """
    known = frozenset(catalogue.names)
    arrived = [
        arrival
        for arrival in arrive.arrivals(home.landing, known)
        if (arrival.business_date or night) <= night
    ]
    for contract in catalogue.contracts:
        own = [arrival for arrival in arrived if arrival.name == contract.name]
        door.take_up(home, contract, own, night)
    platform = replies.platform_contract()
    senders = {**catalogue.departments, platform.department: platform.department_name}
    replies.take_up(home, senders, night)
    prepare(home, catalogue, night)
    # Tests that read staging read marts too, and those are not there.
    nodes = dbt_run.build(home, select=[_STAGING], with_tests=False, parsed=parsed)
    bad = [node.name for node in nodes if node.is_bad]
    if bad:
        raise NightFailedError(f"{night}: {', '.join(bad)} failed in dbt; see its compiled SQL")
    nightly.judge(home.warehouse, catalogue, night, platform_results(nodes, night))
    nightly.score(home.warehouse, night)
    nightly.order(home.warehouse, night, catalogue)
    for department in sorted(send_home_to):
        nightly.send_home(home.warehouse, catalogue, department, night, home.outbox)


def deliver_again(source: Home, target: Home, night: date) -> None:
    """Put into `target`'s landing what a night of `source` took up, from its archive.

    The archive knows contents, the receipts the names under which they came; replies are there
    with the rest.
    """
    for place in sorted(source.raw.glob("*/*")):
        for receipt in store.read_receipts(source.raw, place.parent.name, place.name):
            if receipt.night == night and receipt.sm3:
                folder = target.landing / receipt.department
                folder.mkdir(parents=True, exist_ok=True)
                original = _original(source, receipt.sm3)
                shutil.copyfile(original, folder / receipt.file_name)


def _original(home: Home, sm3: str) -> Path:
    found = list((home.archive).glob(f"*/{sm3}*"))
    if not found:
        raise FileNotFoundError(f"the archive of {home.root} has no content {sm3}")
    return found[0]
