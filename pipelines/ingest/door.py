"""Taking up one dataset's deliveries: the steps of the door, in their order.

Belongs here: the way of one delivery from landing to its receipt.
Does not belong here: the steps themselves, or what is made of the rows afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date

from pipelines.home import Home
from pipelines.ingest import archive, parse, store
from pipelines.ingest.arrive import Arrival
from pipelines.ingest.cast import cast
from pipelines.ingest.refusal import RefusedError
from pipelines.ingest.store import Receipt
from pipelines.ingest.validate import DeliveryColumns, Validator
from quality.catalogue import BrokenContract
from quality.contract import Contract


def take_up(
    home: Home, contract: Contract, arrived: Sequence[Arrival], night: date
) -> list[Receipt]:
    """Load, or refuse, every arrived file of one dataset; each leaves landing.

    Args:
        home: where things lie.
        contract: of the dataset.
        arrived: its files in landing, dated at most `night`, in the order to take them.
        night: business date of the night that runs.

    Returns:
        One receipt a file, already written.
    """
    receipts = []
    for arrival in arrived:
        known = store.read_receipts(home.raw, contract.department, contract.dataset)
        receipt = _take_up_one(home, contract, arrival, night, known)
        store.write_receipt(home.raw, receipt)
        arrival.path.unlink()
        receipts.append(receipt)
    return receipts


def refuse_all(
    home: Home, broken: BrokenContract, arrived: Sequence[Arrival], night: date
) -> list[Receipt]:
    """Mark every file of a dataset whose contract is broken as refused; the files stay.

    They stay in landing because the fault is not theirs: the first night after the contract
    is mended loads them.
    """
    receipts = []
    for arrival in arrived:
        known = store.read_receipts(home.raw, broken.department, broken.dataset)
        original = archive.keep(arrival.path, home.archive)
        message = f"数据合同有误（{len(broken.problems)} 处），修复后自动重新装载。"
        receipt = _receipt(arrival, original, night, known, None)
        receipt = replace(receipt, status="refused", reason=f"contract_invalid: {message}")
        store.write_receipt(home.raw, receipt)
        receipts.append(receipt)
    return receipts


def _take_up_one(
    home: Home, contract: Contract, arrival: Arrival, night: date, known: list[Receipt]
) -> Receipt:
    original = archive.keep(arrival.path, home.archive)
    receipt = _receipt(arrival, original, night, known, contract)
    same = [
        other
        for other in known
        if other.sm3 == original.sm3 and other.business_date == receipt.business_date
    ]
    if any(other.status == "loaded" for other in same):
        again = sum(other.status == "repeated" for other in same) + 1
        return replace(receipt, delivery_id=f"{receipt.delivery_id}-{again}", status="repeated")
    if arrival.business_date is None:
        message = "文件名中没有报送日期，应为 数据集_年月日，如 resident_20260305.csv。"
        return replace(receipt, status="refused", reason=f"file_name: {message}")
    try:
        return _load(home, contract, original, receipt)
    except RefusedError as refusal:
        return replace(receipt, status="refused", reason=str(refusal))


def _receipt(
    arrival: Arrival,
    original: archive.Original,
    night: date,
    known: list[Receipt],
    contract: Contract | None,
) -> Receipt:
    """The receipt before reading: who, what, when; the identifier follows from the content."""
    business_date = arrival.business_date or night
    identity = f"{arrival.name}/{business_date}/{arrival.path.name}/{original.sm3}"
    delivery_id = hashlib.new("sm3", identity.encode()).hexdigest()[:16]
    earlier = [other.sequence for other in known if other.delivery_id != delivery_id]
    return Receipt(
        delivery_id=delivery_id,
        department=arrival.department,
        dataset=arrival.dataset,
        business_date=business_date,
        night=night,
        sequence=max(earlier, default=0) + 1,
        file_name=arrival.path.name,
        sm3=original.sm3,
        bytes=original.size,
        rows_read=0,
        rows_accepted=0,
        rows_quarantined=0,
        status="loaded",
        reason=None,
        contract_version=contract.version if contract else None,
    )


def _load(home: Home, contract: Contract, original: archive.Original, receipt: Receipt) -> Receipt:
    where = (contract.department, contract.dataset, receipt.business_date)
    name = f"{receipt.delivery_id}.parquet"
    accepted_path = store.place(home.raw, *where) / name
    quarantined_path = store.place(home.quarantine, *where) / name
    delivery = DeliveryColumns(receipt.delivery_id, receipt.business_date, receipt.sequence)
    validator = Validator(contract, delivery)
    findings = parse.Findings()
    read = 0
    with store.row_writers(
        [
            (accepted_path, store.raw_types(contract)),
            (quarantined_path, store.quarantine_types(contract)),
        ]
    ) as (accepted, quarantined):
        for texts in parse.chunks(original.path, contract, findings):
            read += texts.height
            kept, refused = validator.split(cast(texts, contract))
            accepted.append(kept)
            quarantined.append(refused)
    return replace(
        receipt,
        rows_read=read,
        rows_accepted=accepted.rows,
        rows_quarantined=quarantined.rows,
        findings=asdict(findings),
    )
