"""Which deliveries of a dataset count, and whether a new one may take their place.

Belongs here: decisions from receipts and file names alone: corrected, repeated, split, shrunken.
Does not belong here: reading a file (`door`), or the rows in force (the macro `latest_version`).

A file replaces the loaded one of the same name. Files of one business date that differ in their
number are parts: of a full delivery all together, in force together or not at all; of the
others one after the other, in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from pipelines.ingest.arrive import is_confirmed, is_dated, part_of, plain_name
from pipelines.ingest.store import Receipt
from quality.contract import Contract

PARTS_MISSING = "parts_missing"
SHRUNKEN = "shrunken"
CONTRACT_INVALID = "contract_invalid"


def superseded(receipts: Iterable[Receipt]) -> dict[str, str]:
    """Loaded delivery → the loaded one of the same dataset and name that came after it.

    Args:
        receipts: of any datasets; those of one dataset in the order of their sequence.
    """
    newest: dict[tuple[str, str, str], str] = {}
    found: dict[str, str] = {}
    for receipt in receipts:
        if receipt.status == "loaded":
            name = (receipt.department, receipt.dataset, plain_name(receipt.file_name))
            if name in newest:
                found[newest[name]] = receipt.delivery_id
            newest[name] = receipt.delivery_id
    return found


def counting(receipts: Sequence[Receipt]) -> list[Receipt]:
    """The loaded deliveries of one dataset that no other file of their name has replaced."""
    gone = superseded(receipts)
    return [r for r in receipts if r.status == "loaded" and r.delivery_id not in gone]


def newest_date(receipts: Sequence[Receipt]) -> date | None:
    """Business date of the full delivery in force; None where nothing is loaded."""
    return max((receipt.business_date for receipt in counting(receipts)), default=None)


def rows_in_force(receipts: Sequence[Receipt]) -> int:
    """Accepted rows of the full delivery in force, all its parts together."""
    newest = newest_date(receipts)
    return sum(r.rows_accepted for r in counting(receipts) if r.business_date == newest)


def is_repeated(contract: Contract, receipt: Receipt, known: Sequence[Receipt]) -> bool:
    """Whether a file brings nothing that is not in force already.

    Under the name of a loaded file it is a repetition if the content is the same, else a
    correction, even one back to what stands under another name. Under a new name it repeats
    any part of a full delivery; of the others, whose parts follow one another, the last alone.
    """
    same_day = [r for r in counting(known) if r.business_date == receipt.business_date]
    own = [r for r in same_day if plain_name(r.file_name) == plain_name(receipt.file_name)]
    if own:
        return own[0].sm3 == receipt.sm3
    if contract.delivery == "full":
        return any(other.sm3 == receipt.sm3 for other in same_day)
    last = max(same_day, key=lambda r: (part_of(r.file_name), r.sequence), default=None)
    return last is not None and last.sm3 == receipt.sm3


def missing_parts(
    contract: Contract,
    business_date: date,
    arrived: Collection[str],
    known: Sequence[Receipt],
    refused: Sequence[Receipt] = (),
) -> list[int]:
    """Numbers of the parts without which a full delivery is not whole.

    They are agreed (`parts`), or known from a part that came and was refused: it has to come
    again. A refused file without a number counts as a part only where others came with it.

    Args:
        contract: of a dataset that is delivered in full.
        business_date: of the delivery.
        arrived: names of its files that can be loaded.
        known: receipts of the dataset.
        refused: receipts of the files that came with those and were refused.
    """
    own = [r for r in known if r.business_date == business_date and is_dated(r.file_name)]
    in_force = {r.delivery_id for r in counting(known)}
    present = {part_of(name) for name in arrived} | {
        part_of(r.file_name) for r in own if r.delivery_id in in_force or r.status == "repeated"
    }
    was_held = any(is_held(r) for r in own)
    came_before = {
        part_of(r.file_name)
        for r in own
        if r.status == "refused" and rule_of(r) not in (PARTS_MISSING, CONTRACT_INVALID)
    }
    expected = set(range(1, (contract.parts or 0) + 1))
    expected |= {part for part in came_before if part or was_held}
    expected |= {part_of(r.file_name) for r in refused if arrived}
    return sorted(expected - present)


def shrinkage(contract: Contract, known: Sequence[Receipt], new: Sequence[Receipt]) -> str | None:
    """Why a full delivery must not replace the one in force, in Chinese; None where it may.

    Args:
        contract: gives the share that may be lost.
        known: receipts of the dataset, without the new ones.
        new: receipts of the new delivery, all its parts.
    """
    before, after = rows_in_force(known), rows_in_force([*known, *new])
    if not before or after >= before * (1 - contract.max_drop) - 1e-9:
        return None
    if new and all(is_confirmation(receipt, known) for receipt in new):
        return None
    return (
        f"全量报送 {after} 行，上一次 {before} 行，减少 {1 - after / before:.0%}，"
        f"超过约定的 {contract.max_drop:.0%}，未替换原有数据，"
        "请核对后重新报送；确属实情的，请将原文件改名为以 _confirmed 结尾后再报送一次。"
    )


def is_confirmation(receipt: Receipt, known: Sequence[Receipt]) -> bool:
    """Whether a file confirms, by its name, a content that was refused as shrunken before."""
    return is_confirmed(receipt.file_name) and any(
        other.sm3 == receipt.sm3
        and other.business_date == receipt.business_date
        and rule_of(other) == SHRUNKEN
        for other in known
    )


def is_held(receipt: Receipt) -> bool:
    """Whether the receipt tells of a file that waits in landing for other parts."""
    return receipt.status == "refused" and rule_of(receipt) == PARTS_MISSING


def rule_of(receipt: Receipt) -> str:
    """The rule that a refused delivery's reason names first."""
    return (receipt.reason or "").partition(":")[0]
