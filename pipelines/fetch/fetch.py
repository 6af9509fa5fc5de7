"""Whether a night fetches a dataset, and what becomes of it.

Belongs here: the one way in for the night and the command line; the receipt of a fetch that
failed. Does not belong here: any one kind of source.

Rows (databases, APIs) become one delivery of the business date, unless the door has loaded one
of that date, or of a later one: a source that has no past cannot tell it. Files are copied as
they are, each dated by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.fetch import folder, mysql, postgres, sftp
from pipelines.fetch.delivery import RowFile, forget_facts, row_file, take_facts, write_facts
from pipelines.fetch.error import FetchError, driver_missing
from pipelines.fetch.window import Window, window
from pipelines.home import Home, file_date
from pipelines.ingest import store
from pipelines.ingest.store import Receipt
from quality.contract import Contract
from quality.source import ApiSource, DatabaseSource, FileSource


def before_door(home: Home, contract: Contract, night: date) -> list[Path]:
    """Fetch what one dataset's source has for a night, into landing.

    A failure is written as a refused delivery of the night and not raised, so that the night
    goes on and its ledger tells of it.
    """
    try:
        return fetch(home, contract, night)
    except FetchError as failure:
        store.write_receipt(home.raw, _failed(home, contract, night, failure))
        return []


def after_door(home: Home, contract: Contract, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Move the facts of the fetches from landing into the receipts of what was taken up."""
    completed = []
    for receipt in receipts:
        path = home.landing / contract.department / receipt.file_name
        facts = take_facts(path)
        if facts is None:
            completed.append(receipt)
            continue
        told = replace(receipt, findings={**receipt.findings, "fetch": facts})
        store.write_receipt(home.raw, told)
        forget_facts(path)
        completed.append(told)
    return completed


def fetch(home: Home, contract: Contract, night: date, *, again: bool = False) -> list[Path]:
    """Fetch into landing; returns the paths that were put there.

    Args:
        home: where things lie.
        contract: of the dataset; one without a source has nothing to fetch.
        night: business date.
        again: fetch rows although a delivery of the date is loaded; the door tells whether
            anything changed.

    Raises:
        FetchError: the source could not be fetched; nothing was put into landing by halves.
    """
    source = contract.source
    if source is None:
        return []
    if isinstance(source, FileSource):
        copy = folder.fetch if source.kind == "folder" else sftp.fetch
        return copy(home, source, contract, night)
    path = home.landing / contract.department / f"{contract.dataset}_{file_date(night)}.csv"
    if path.exists() or (not again and _is_loaded(home, contract, night)):
        return []
    _write_rows(home, source, contract, night, path)
    return [path]


def _write_rows(
    home: Home, source: DatabaseSource | ApiSource, contract: Contract, night: date, path: Path
) -> None:
    with row_file(path, contract.headers) as rows:
        if isinstance(source, ApiSource):
            facts = _fetch_api(source, contract, night, rows)
        else:
            asked = _window(home, source, contract, night)
            query = postgres.fetch if source.kind == "postgres" else mysql.fetch
            facts = query(source, contract, asked, night, rows)
            if asked:
                facts["incremental_by"] = asked.column.name
        write_facts(path, facts)


def _window(home: Home, source: DatabaseSource, contract: Contract, night: date) -> Window | None:
    if not source.incremental_by:
        return None
    from pipelines.ingest import reload  # takes seconds to import: only for a server

    receipts = store.read_receipts(home.raw, contract.department, contract.dataset)
    loaded = [receipt for receipt in receipts if receipt.status == "loaded"]
    if reason := reload.need(contract, loaded, home):
        raise FetchError("reload_needed", reason)
    return window(home.raw, contract, source.incremental_by, night)


def _fetch_api(source: ApiSource, contract: Contract, night: date, rows: RowFile) -> dict[str, Any]:
    try:
        from pipelines.fetch import api
    except ImportError as error:
        raise driver_missing("requests") from error
    return api.fetch(source, contract, night, rows)


def _is_loaded(home: Home, contract: Contract, night: date) -> bool:
    return any(
        receipt.status == "loaded" and receipt.business_date >= night
        for receipt in store.read_receipts(home.raw, contract.department, contract.dataset)
    )


def _failed(home: Home, contract: Contract, night: date, failure: FetchError) -> Receipt:
    """A refused delivery that has no file; the same night failing again is the same one."""
    source = contract.source
    kind = source.kind if isinstance(source, DatabaseSource | FileSource) else "api"
    name = f"{contract.dataset}_{file_date(night)} ({kind})"
    identity = f"{contract.name}/{night}/{name}"
    delivery_id = hashlib.new("sm3", identity.encode()).hexdigest()[:16]
    known = store.read_receipts(home.raw, contract.department, contract.dataset)
    earlier = [receipt.sequence for receipt in known if receipt.delivery_id != delivery_id]
    return Receipt(
        delivery_id=delivery_id,
        department=contract.department,
        dataset=contract.dataset,
        business_date=night,
        night=night,
        sequence=max(earlier, default=0) + 1,
        file_name=name,
        sm3="",
        bytes=0,
        rows_read=0,
        rows_accepted=0,
        rows_quarantined=0,
        status="refused",
        reason=str(failure),
        contract_version=contract.version,
        findings={"fetch": {"source": kind, "rule": failure.rule}},
    )
