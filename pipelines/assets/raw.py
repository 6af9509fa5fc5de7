"""One asset a dataset: its deliveries, through the door.

Belongs here: turning contracts into ingest assets, and the ledger that follows them.
Does not belong here: the door's steps (`ingest`).
"""

from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from pipelines import replies, warm
from pipelines.fetch import fetch
from pipelines.ingest import arrive, normalisation_counts, store
from pipelines.partitions import BUSINESS_DATES
from pipelines.resources import City
from pipelines.warehouse import prepare
from quality.catalogue import BrokenContract, Catalogue, Entry
from quality.contract import Contract

STAGE = "收取 ingest"
LEDGER = dg.AssetKey(["meta", "delivery"])
NIGHT = dg.AssetKey(["meta", "night"])


def raw_key(department: str, dataset: str) -> dg.AssetKey:
    """Asset key of a dataset's raw table."""
    return dg.AssetKey(["raw", department, dataset])


def raw_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """One asset per contract, the broken ones included, and the replies; and the ledger.

    All in one step, because each step costs the event log more than taking up a small delivery.
    """
    specs = [
        *(_usable_spec(contract) for contract in catalogue.contracts),
        *(_broken_spec(entry) for entry in catalogue.broken),
        _reply_spec(replies.platform_contract()),
    ]
    return [_ingest_assets(specs), _ledger_asset([spec.key for spec in specs])]


def column_schema(contract: Contract) -> dg.TableSchema:
    """The columns of a dataset as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.sql_type,
                description=f"{column.title}（{column.level}）",
                constraints=dg.TableColumnConstraints(
                    nullable=not column.required, unique=contract.key == (column.name,)
                ),
            )
            for column in contract.columns
        ]
    )


def _usable_spec(contract: Contract) -> dg.AssetSpec:
    return dg.AssetSpec(
        raw_key(contract.department, contract.dataset),
        group_name=contract.department,
        description=f"{contract.department_name}《{contract.title}》：{contract.purpose}",
        owners=[f"team:{contract.department}"],
        kinds={"polars", "pandera", "parquet"},
        tags={"domain": contract.domain, "layer": "raw"},
        metadata={
            "dagster/column_schema": column_schema(contract),
            "contract": dg.MetadataValue.path(str(contract.path)),
            "contract_version": contract.version,
            "owner": contract.owner,
        },
        code_version=contract.version,
    )


def _broken_spec(entry: BrokenContract) -> dg.AssetSpec:
    return dg.AssetSpec(
        raw_key(entry.department, entry.dataset),
        group_name=entry.department,
        description=f"数据合同有误，本数据集暂不装载：\n{_problems(entry)}",
        owners=[f"team:{entry.department}"],
        tags={"layer": "raw", "contract": "broken"},
    )


def _reply_spec(contract: Contract) -> dg.AssetSpec:
    return dg.AssetSpec(
        raw_key(contract.department, contract.dataset),
        group_name=contract.department,
        description="各部门对质量工单的回复（反馈工作簿的「回复」表），以及主管部门对异议的裁决。",
        owners=[f"team:{contract.department}"],
        kinds={"polars", "pandera", "parquet"},
        tags={"layer": "raw"},
        metadata={"dagster/column_schema": column_schema(contract)},
        code_version=contract.version,
    )


def _ingest_assets(specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="ingest",
        specs=specs,
        can_subset=True,
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def ingest(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        every: list[Entry] = [*city.catalogue.contracts, *city.catalogue.broken]
        chosen = [
            entry
            for entry in every
            if raw_key(entry.department, entry.dataset) in context.selected_asset_keys
        ]
        for entry in _taken_up(city, chosen, night):
            problems: dict[str, dg.MetadataValue] = {}
            if isinstance(entry, BrokenContract):
                for problem in entry.problems:
                    context.log.error(str(problem))
                problems["problems"] = dg.MetadataValue.md(_problems(entry))
            city.progress.advance(STAGE, entry.name)
            yield dg.MaterializeResult(
                asset_key=raw_key(entry.department, entry.dataset),
                metadata={**_metadata(city, entry.name, night), **problems},
            )
        contract = replies.platform_contract()
        key = raw_key(contract.department, contract.dataset)
        if key in context.selected_asset_keys:
            metadata = _take_up_replies(city, contract, night)
            city.progress.advance(STAGE, contract.name)
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return ingest


def _taken_up(city: City, entries: Sequence[Entry], night: date) -> Iterator[Entry]:
    """Fetch and take up what there is of some datasets; gives each when it is done."""
    for entry in entries:
        if isinstance(entry, Contract):
            fetch.before_door(city.home, entry, night)
    files: dict[str, list[arrive.Arrival]] = {}
    for arrival in arrive.arrivals(city.home.landing, frozenset(city.catalogue.names)):
        if (arrival.business_date or night) <= night:
            files.setdefault(arrival.name, []).append(arrival)
    due: list[tuple[Entry, list[arrive.Arrival]]] = []
    for entry in entries:
        arrived = files.get(entry.name)
        if arrived:
            due.append((entry, arrived))
        else:
            yield entry
    if not due:
        return
    from pipelines.ingest import side_by_side  # takes seconds to import: where something came

    warm.start()
    for entry, receipts in side_by_side.take_up(city.home, due, night):
        if isinstance(entry, Contract):
            fetch.after_door(city.home, entry, receipts)
        yield entry


def _take_up_replies(city: City, contract: Contract, night: date) -> dict[str, dg.MetadataValue]:
    senders = {**city.catalogue.departments, contract.department: contract.department_name}
    receipts = replies.take_up(city.home, senders, night)
    refused = sum(receipt.status == "refused" for receipt in receipts)
    quarantined = sum(receipt.rows_quarantined for receipt in receipts)
    return {
        "files": dg.MetadataValue.int(len(receipts)),
        "refused": dg.MetadataValue.int(refused),
        "rows": dg.MetadataValue.int(sum(receipt.rows_accepted for receipt in receipts)),
        "rows_quarantined": dg.MetadataValue.int(quarantined),
    }


def _problems(entry: BrokenContract) -> str:
    return "\n".join(f"- `{problem}`" for problem in entry.problems)


def _metadata(city: City, name: str, night: date) -> dict[str, dg.MetadataValue]:
    """What the night took up of one dataset, in this run or an earlier one."""
    receipts = [
        receipt
        for receipt in store.read_receipts(city.home.raw, *name.split("/"))
        if receipt.night == night
    ]
    records = [
        dg.TableRecord(
            {
                "file": receipt.file_name,
                "status": receipt.status,
                "rows_read": receipt.rows_read,
                "rows_accepted": receipt.rows_accepted,
                "rows_quarantined": receipt.rows_quarantined,
                "values_normalised": normalisation_counts.total(receipt.findings),
                "reason": receipt.reason or "",
            }
        )
        for receipt in receipts
    ]
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(sum(r.rows_accepted for r in receipts)),
        "rows_read": dg.MetadataValue.int(sum(r.rows_read for r in receipts)),
        "rows_quarantined": dg.MetadataValue.int(sum(r.rows_quarantined for r in receipts)),
        "refused": dg.MetadataValue.int(sum(r.status == "refused" for r in receipts)),
    }
    if records:
        metadata["deliveries"] = dg.MetadataValue.table(records)
    changes = normalisation_counts.by_kind([receipt.findings for receipt in receipts])
    if changes:
        metadata["normalisations"] = dg.MetadataValue.table(
            [
                dg.TableRecord({"column": column, "kind": kind, "values": values})
                for (column, kind), values in changes.items()
            ]
        )
    return metadata


def _ledger_asset(upstream: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="ledger",
        specs=[
            dg.AssetSpec(
                LEDGER,
                deps=upstream,
                group_name="meta",
                description="台账：截至业务日期的每一次报送及其结果。",
                owners=["team:big_data"],
                kinds={"duckdb", "table"},
            ),
            dg.AssetSpec(
                NIGHT,
                deps=upstream,
                group_name="meta",
                description="仓库当前所处的业务日期；建立各数据集的原始视图和隔离视图。",
                owners=["team:big_data"],
                kinds={"duckdb", "table"},
            ),
        ],
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def ledger(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        found = prepare(city.home, city.catalogue, night)
        city.progress.advance(STAGE, "meta/delivery")
        rows = len(found.receipts)
        yield dg.MaterializeResult(asset_key=LEDGER, metadata={"dagster/row_count": rows})
        yield dg.MaterializeResult(asset_key=NIGHT, metadata={"business_date": night.isoformat()})

    return ledger
