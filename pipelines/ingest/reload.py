"""Deliveries that were loaded under another contract: which they are, and loading them anew.

Belongs here: comparing what was loaded with the contract of today, and replacing it from the
archive under the same receipts. Does not belong here: taking up a new file (`door`).

A column that changed its type, or that the file had and the contract did not name then, reads
wrong or not at all in what was loaded before. Nothing is cast that could lose anything and
nothing is loaded anew by itself, for old files may fare otherwise under new rules: a person
says when, with `yishu source reload`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from pipelines.home import Home
from pipelines.ingest import archive, door, store
from pipelines.ingest.refusal import RefusedError
from pipelines.ingest.store import Receipt
from quality.contract import Column, Contract
from quality.sql_types import polars_type, widens

_SHOWN = 8


@dataclass(frozen=True)
class Reloaded:
    """One delivery before and after; `refusal` says in Chinese why it stayed as it was."""

    before: Receipt
    after: Receipt
    refusal: str | None = None


def need(contract: Contract, receipts: Sequence[Receipt], home: Home) -> str | None:
    """Why deliveries must be loaded anew before they can be read, in Chinese; None if not.

    Args:
        contract: of today.
        receipts: of loaded deliveries of its dataset.
        home: where their rows lie.
    """
    columns: dict[str, None] = {}
    count = 0
    for receipt in receipts:
        found = _changed(contract, receipt, home)
        count += bool(found)
        columns.update(dict.fromkeys(column.name for column in found))
    if not count:
        return None
    more = f"等 {len(columns)} 列" if len(columns) > _SHOWN else ""
    named = "、".join(list(columns)[:_SHOWN]) + more
    return (
        f"数据合同修改了列 {named}，此前装载的 {count} 次报送仍是旧的形式，"
        f"请执行 yishu source reload {contract.name}，从存档重新装载。"
    )


def reload(home: Home, contract: Contract) -> Iterator[Reloaded]:
    """Load every loaded delivery of a dataset anew from the archive, oldest first.

    Each keeps its identifier, its place in the sequence and its night. One that the contract of
    today refuses stays as it was. Cut short, it can be run again: a receipt is written last.
    """
    for before in store.read_receipts(home.raw, contract.department, contract.dataset):
        if before.status != "loaded":
            continue
        original = archive.place(home.archive, before.sm3, before.file_name)
        if not original.exists():
            yield Reloaded(before, before, f"存档中没有原文件 {original.name}。")
            continue
        try:
            after = door.load(home, contract, original, _unread(before, contract))
        except RefusedError as refusal:
            yield Reloaded(before, before, str(refusal))
            continue
        fetched = {"fetch": before.findings["fetch"]} if "fetch" in before.findings else {}
        after = replace(after, findings=after.findings | fetched)
        store.write_receipt(home.raw, after)
        yield Reloaded(before, after)


def _unread(receipt: Receipt, contract: Contract) -> Receipt:
    return replace(
        receipt,
        rows_read=0,
        rows_accepted=0,
        rows_quarantined=0,
        contract_version=contract.version,
        findings={},
    )


def _changed(contract: Contract, receipt: Receipt, home: Home) -> list[Column]:
    """The columns whose loaded values are not those that the file would give today."""
    loaded = _loaded_as(receipt, home)
    headers = set(receipt.findings.get("headers", ()))
    return [
        column
        for column in contract.columns
        if (
            not widens(loaded[column.name], polars_type(column.sql_type))
            if column.name in loaded
            else bool(loaded) and column.header in headers
        )
    ]


def _loaded_as(receipt: Receipt, home: Home) -> Mapping[str, pl.DataType]:
    """Column → type of a delivery's rows; empty where there are none.

    Receipts tell it; of those written before they did, the rows.
    """
    told = receipt.findings.get(door.LOADED_AS)
    if told is not None:
        return {name: polars_type(kind) for name, kind in told.items()}
    for root in (home.raw, home.quarantine):
        folder = store.place(root, receipt.department, receipt.dataset, receipt.business_date)
        path = folder / f"{receipt.delivery_id}.parquet"
        if path.exists():
            return pl.read_parquet_schema(path)
    return {}
