"""Taking up one dataset's deliveries: the steps of the door, in their order.

Belongs here: the way of one delivery from landing to its receipt.
Does not belong here: the steps themselves, or what is made of the rows afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from itertools import count, groupby
from pathlib import Path

import polars as pl

from pipelines.home import Home
from pipelines.ingest import archive, drift, ending, flow, parse, semantics, store
from pipelines.ingest.arrive import Arrival, plain_name
from pipelines.ingest.cast import cast
from pipelines.ingest.normalisation_counts import NORMALISATIONS
from pipelines.ingest.normalisations import Normalisations
from pipelines.ingest.refusal import RefusedError
from pipelines.ingest.store import Receipt
from pipelines.ingest.validate import DeliveryColumns, Validator
from quality.catalogue import BrokenContract
from quality.contract import Contract
from quality.text_bytes import remembering

LOADED_AS = "loaded_as"
"""Finding of a receipt: column → type that its rows were written with."""


def take_up(
    home: Home, contract: Contract, arrived: Sequence[Arrival], night: date
) -> list[Receipt]:
    """Load, or refuse, every arrived file of one dataset; each leaves landing.

    Parts of a full delivery that is not whole stay in landing, and their receipts say so. Of a
    night after which others have taken up deliveries of the dataset, nothing is taken up any
    more, so that it gives what it gave: the files wait for a later night.

    Args:
        home: where things lie.
        contract: of the dataset.
        arrived: its files in landing, dated at most `night`, in the order to take them.
        night: business date of the night that runs.

    Returns:
        One receipt a file that was taken up or newly held, already written.
    """
    known = store.read_receipts(home.raw, contract.department, contract.dataset)
    if any(receipt.night > night for receipt in known):
        return []
    receipts: list[Receipt] = []
    for arrivals in _deliveries(contract, arrived):
        taken = _take_up_delivery(home, contract, arrivals, night, known)
        identities = {receipt.delivery_id for receipt in taken}
        known = [receipt for receipt in known if receipt.delivery_id not in identities]
        known = sorted([*known, *taken], key=lambda receipt: receipt.sequence)
        receipts += taken
    return receipts


def _deliveries(contract: Contract, arrived: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """The files that are judged together: of a full delivery all of one date; else each alone."""
    for day, files in groupby(arrived, key=lambda arrival: arrival.business_date):
        if contract.delivery == "full" and day is not None:
            yield list(files)
        else:
            yield from ([arrival] for arrival in files)


def refuse_all(
    home: Home, broken: BrokenContract, arrived: Sequence[Arrival], night: date
) -> list[Receipt]:
    """Mark every file of a dataset whose contract is broken as refused; the files stay.

    They stay in landing because the fault is not theirs: the first night after the contract
    is mended loads them.
    """
    receipts = []
    with archive.receiving(home.archive) as receive:
        for arrival in arrived:
            known = store.read_receipts(home.raw, broken.department, broken.dataset)
            copy = receive(arrival.path)
            message = f"数据合同有误（{len(broken.problems)} 处），修复后自动重新装载。"
            receipt = _Incoming(arrival, copy, _receipt(arrival, copy, night, known, None)).kept()
            receipt = replace(receipt, status="refused", reason=f"contract_invalid: {message}")
            store.write_receipt(home.raw, receipt)
            receipts.append(receipt)
    return receipts


@dataclass(frozen=True)
class _Incoming:
    """A file in landing, its copy, and its receipt before reading, still without the SM3."""

    arrival: Arrival
    copy: archive.Copy
    receipt: Receipt

    def kept(self, receipt: Receipt | None = None) -> Receipt:
        """The receipt (as before reading, or another) with the SM3 of the archived original."""
        return replace(receipt or self.receipt, sm3=self.copy.keep().sm3)


def _take_up_delivery(
    home: Home, contract: Contract, arrivals: Sequence[Arrival], night: date, known: list[Receipt]
) -> list[Receipt]:
    with archive.receiving(home.archive) as receive:
        incoming: list[_Incoming] = []
        for arrival in arrivals:
            copy = receive(arrival.path)
            so_far = [*known, *(item.receipt for item in incoming)]
            receipt = _receipt(arrival, copy, night, so_far, contract)
            incoming.append(_Incoming(arrival, copy, receipt))
        return _take_up_incoming(home, contract, incoming, known)


def _take_up_incoming(
    home: Home, contract: Contract, incoming: list[_Incoming], known: list[Receipt]
) -> list[Receipt]:
    held: list[Receipt] = []
    if incoming[0].arrival.business_date is None:
        taken = [_undated(item.kept()) for item in incoming]
    elif _replaces(contract, incoming[0].receipt, known):
        taken, held = _take_up_whole(home, contract, incoming, known)
    else:
        taken = _read_all(home, contract, incoming, known)
    told = {receipt.delivery_id for receipt in known}
    held = [receipt for receipt in held if receipt.delivery_id not in told]
    receipts = sorted([*taken, *held], key=lambda receipt: receipt.sequence)
    for receipt in receipts:
        store.write_receipt(home.raw, receipt)
    done = {receipt.file_name for receipt in taken}
    for item in incoming:
        if item.arrival.path.name in done:
            item.arrival.path.unlink()
    return receipts


def _undated(receipt: Receipt) -> Receipt:
    message = "文件名中没有报送日期，应为 数据集_年月日，如 resident_20260305.csv。"
    return replace(receipt, status="refused", reason=f"file_name: {message}")


def _replaces(contract: Contract, receipt: Receipt, known: Sequence[Receipt]) -> bool:
    """Whether the delivery would take the place of the dataset; an outdated one would not."""
    newest = semantics.newest_date(known)
    return contract.delivery == "full" and (newest is None or receipt.business_date >= newest)


def _take_up_whole(
    home: Home, contract: Contract, incoming: list[_Incoming], known: list[Receipt]
) -> tuple[list[Receipt], list[Receipt]]:
    """A full delivery, in force as a whole or not at all: what was taken up, what is held."""
    day = incoming[0].receipt.business_date
    names = [item.arrival.path.name for item in incoming]
    missing = semantics.missing_parts(contract, day, names, known)
    if missing:
        return [], [_held(item, missing) for item in incoming]
    taken = _read_all(home, contract, incoming, known)
    loaded = [receipt for receipt in taken if receipt.status == "loaded"]
    new = {receipt.sm3 for receipt in loaded}
    counted = [r for r in taken if r.sm3 in new]  # those loaded, and copies that came with them
    others = [r for r in taken if r.sm3 not in new]
    refused = [receipt for receipt in others if receipt.status == "refused"]
    names = [receipt.file_name for receipt in counted]
    missing = semantics.missing_parts(contract, day, names, known, refused)
    if missing:
        store.discard(home.raw, home.quarantine, loaded)
        held = [_held(item, missing) for item in incoming if item.arrival.path.name in names]
        return others, held
    shrinkage = semantics.shrinkage(contract, known, loaded)
    if shrinkage:
        store.discard(home.raw, home.quarantine, loaded)
        reason = f"{semantics.SHRUNKEN}: {shrinkage}"
        return [*others, *(_emptied(receipt, reason) for receipt in counted)], []
    return taken, []


def _read_all(
    home: Home, contract: Contract, incoming: list[_Incoming], known: list[Receipt]
) -> list[Receipt]:
    """Read each file that brings something; those first that replace others.

    Whether a file of a new name repeats what is in force shows only after the replacements: two
    parts may have changed places.
    """
    names = [plain_name(item.arrival.path.name) for item in incoming]
    names += [plain_name(receipt.file_name) for receipt in semantics.counting(known)]
    taken: list[Receipt] = []
    for item in sorted(
        incoming,
        key=lambda item: (
            names.count(plain_name(item.arrival.path.name)) == 1,
            item.receipt.sequence,
        ),
    ):
        so_far = sorted([*known, *taken], key=lambda receipt: receipt.sequence)
        # Only what is as long as another file can be the same; its SM3 is waited for.
        same_size = any(other.bytes == item.receipt.bytes for other in so_far)
        if same_size and semantics.is_repeated(contract, item.kept(), so_far):
            taken.append(_repeated(item.kept(), so_far))
        else:
            taken.append(_read(home, contract, item))
    return taken


def _read(home: Home, contract: Contract, item: _Incoming) -> Receipt:
    try:
        receipt = load(home, contract, item.copy.path, item.receipt)
    except RefusedError as refusal:
        receipt = replace(item.receipt, status="refused", reason=str(refusal))
    return item.kept(receipt)


def _repeated(receipt: Receipt, known: Sequence[Receipt]) -> Receipt:
    identities = {other.delivery_id for other in known}
    again = next(n for n in count(1) if f"{receipt.delivery_id}-{n}" not in identities)
    return replace(receipt, delivery_id=f"{receipt.delivery_id}-{again}", status="repeated")


def _held(item: _Incoming, missing: list[int]) -> Receipt:
    """Told once, on the first night; the file's own receipt is written when it is taken up."""
    numbers = "、".join(f"_{part}" if part else "无编号" for part in missing)
    reason = f"{semantics.PARTS_MISSING}: 全量报送缺少分片 {numbers}，请补齐后一并装载。"
    return replace(
        item.kept(),
        delivery_id=f"{item.receipt.delivery_id}-held",
        status="refused",
        reason=reason,
    )


def _emptied(receipt: Receipt, reason: str) -> Receipt:
    """The receipt of a delivery that was read and is not kept."""
    return replace(
        receipt,
        status="refused",
        reason=reason,
        rows_read=0,
        rows_accepted=0,
        rows_quarantined=0,
    )


def _receipt(
    arrival: Arrival,
    copy: archive.Copy,
    night: date,
    known: Sequence[Receipt],
    contract: Contract | None,
) -> Receipt:
    """The receipt before reading: who, what, when; the identifier follows from the content."""
    business_date = arrival.business_date or night
    identity = f"{arrival.name}/{business_date}/{arrival.path.name}/{copy.sha256}"
    delivery_id = _identifier(hashlib.new("sm3", identity.encode()).hexdigest()[:16], night, known)
    earlier = [other.sequence for other in known if other.delivery_id != delivery_id]
    return Receipt(
        delivery_id=delivery_id,
        department=arrival.department,
        dataset=arrival.dataset,
        business_date=business_date,
        night=night,
        sequence=max(earlier, default=0) + 1,
        file_name=arrival.path.name,
        sm3="",
        bytes=copy.size,
        rows_read=0,
        rows_accepted=0,
        rows_quarantined=0,
        status="loaded",
        reason=None,
        contract_version=contract.version if contract else None,
    )


def _identifier(digest: str, night: date, known: Sequence[Receipt]) -> str:
    """The digest, or with a number where a receipt of that name must stay as it is.

    That is one of an earlier night, and one whose rows were loaded: both tell what was so then.
    """
    told = {other.delivery_id: other for other in known}
    for identifier in (digest, *(f"{digest}-{n}" for n in range(1, len(told) + 1))):
        other = told.get(identifier)
        if other is None or semantics.rule_of(other) == semantics.CONTRACT_INVALID:
            return identifier
        if other.night == night and other.status == "refused":
            return identifier
    raise AssertionError(f"{digest}: more receipts than were read")


def load(home: Home, contract: Contract, path: Path, receipt: Receipt) -> Receipt:
    """Read a file and write its rows, in the place of those that the delivery had before.

    Args:
        home: where things lie.
        contract: of the dataset.
        path: the archived file, or its copy on the way there.
        receipt: what is known of the delivery before reading.

    Returns:
        The receipt with its counts and findings, which is not written yet.

    Raises:
        RefusedError: nothing is written then.
    """
    where = (contract.department, contract.dataset, receipt.business_date)
    name = f"{receipt.delivery_id}.parquet"
    accepted_path = store.place(home.raw, *where) / name
    quarantined_path = store.place(home.quarantine, *where) / name
    delivery = DeliveryColumns(receipt.delivery_id, receipt.business_date, receipt.sequence)
    validator = Validator(contract, delivery)
    findings = parse.Findings()
    normalised = Normalisations()
    read = 0
    domains = [column.name for column in contract.columns if column.domain]
    with (
        store.row_writers(
            [
                (accepted_path, store.raw_types(contract), domains),
                (quarantined_path, store.quarantine_types(contract), domains),
            ]
        ) as (accepted, quarantined),
        flow.Behind() as writing,
    ):
        for texts in flow.ahead(parse.chunks(path, contract, findings)):
            read += texts.height
            with remembering():
                kept, refused = validator.split(cast(texts, contract, normalised))
            writing.call(partial(_write, [(accepted, kept), (quarantined, refused)]))
    return replace(
        receipt,
        rows_read=read,
        rows_accepted=accepted.rows,
        rows_quarantined=quarantined.rows,
        findings=asdict(findings)
        | drift.found(findings.headers, contract)
        | {LOADED_AS: {column.name: column.sql_type for column in contract.columns}}
        | {NORMALISATIONS: normalised.found()}
        | ending.found(path, findings),
    )


def _write(parts: list[tuple[store.RowWriter, pl.DataFrame]]) -> None:
    for writer, rows in parts:
        writer.append(rows)
