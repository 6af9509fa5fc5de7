"""What goes home: one asset a department, and one for the city.

Belongs here: the assets. Does not belong here: workbooks and pages (`quality.feedback`).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg

from pipelines import engine, standing
from pipelines.assets.models import UNCHANGED
from pipelines.assets.quality import CAMPAIGN_PROGRESS, PLATFORM, WORK_ORDER
from pipelines.home import Home
from pipelines.partitions import BUSINESS_DATES
from pipelines.resources import City
from quality.catalogue import Catalogue

STAGE = "反馈 feedback"
BULLETIN = dg.AssetKey(["outbox", "bulletin"])


def outbox_key(department: str) -> dg.AssetKey:
    """Asset key of a department's outbox."""
    return dg.AssetKey(["outbox", department])


def outbox_assets(catalogue: Catalogue) -> dg.AssetsDefinition:
    """One asset per department, written in one step."""
    specs = [
        dg.AssetSpec(
            outbox_key(department),
            deps=[WORK_ORDER],
            group_name="feedback",
            description=f"发给{name}的质量反馈：得分、工单、回复表和缺陷明细（XLSX、网页）。",
            owners=[f"team:{department}"],
            kinds={"excel", "html"},
        )
        for department, name in catalogue.departments.items()
    ]

    @dg.multi_asset(
        name="outbox",
        specs=specs,
        can_subset=True,
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def outbox(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        chosen = [
            department
            for department in city.catalogue.departments
            if outbox_key(department) in context.selected_asset_keys
        ]
        city.progress.stage(STAGE, len(chosen) + 1)
        whole = chosen == list(city.catalogue.departments)
        if whole and _lies_there(city.home, standing.OUTBOX):
            for department in chosen:
                city.progress.advance(STAGE, UNCHANGED)
                yield dg.MaterializeResult(
                    asset_key=outbox_key(department), metadata={UNCHANGED: True}
                )
            return
        from quality import nightly

        standing.begin(city.home, standing.OUTBOX)
        sent: list[Path] = []
        for department, summary in nightly.send_all_home(
            city.home.warehouse, city.catalogue, chosen, night, city.home.outbox,
            settings=engine.settings(),
        ):  # fmt: skip
            sent += [summary.path, summary.page, *([summary.listing] if summary.listing else [])]
            city.progress.advance(STAGE, department)
            yield dg.MaterializeResult(
                asset_key=outbox_key(department),
                metadata={
                    "workbook": dg.MetadataValue.path(str(summary.path)),
                    "page": dg.MetadataValue.path(str(summary.page)),
                    "score": dg.MetadataValue.float(summary.score or 0.0),
                    "open_orders": summary.open_orders,
                    "new_orders": summary.new_orders,
                    "closed_orders": summary.closed_orders,
                    "defects": summary.defects,
                },
            )
        if whole:
            _note_sent(city.home, standing.OUTBOX, sent)

    return outbox


def bulletin_asset() -> dg.AssetsDefinition:
    """The month's bulletin, and the disputes that wait for a decision."""

    @dg.asset(
        key=BULLETIN,
        deps=[WORK_ORDER, CAMPAIGN_PROGRESS],
        group_name="feedback",
        description="全市数据质量月报（网页），以及待裁决的异议（XLSX）。",
        owners=[f"team:{PLATFORM}"],
        kinds={"html", "excel"},
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city"},
    )
    def bulletin(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        if _lies_there(city.home, standing.BULLETIN):
            city.progress.advance(STAGE, UNCHANGED)
            return dg.MaterializeResult(metadata={UNCHANGED: True})
        from quality import nightly

        standing.begin(city.home, standing.BULLETIN)
        where = (city.home.warehouse, city.catalogue)
        page = nightly.publish_bulletin(
            *where, night, city.home.outbox / PLATFORM, settings=engine.settings()
        )
        disputes = nightly.send_decisions(
            *where, PLATFORM, night, city.home.outbox, settings=engine.settings()
        )
        _note_sent(city.home, standing.BULLETIN, [page, *([disputes] if disputes else [])])
        city.progress.advance(STAGE, "bulletin")
        metadata = {"page": dg.MetadataValue.path(str(page))}
        if disputes is not None:
            metadata["disputes"] = dg.MetadataValue.path(str(disputes))
        return dg.MaterializeResult(metadata=metadata)

    return bulletin


def _note_sent(home: Home, stage: str, files: list[Path]) -> None:
    names = "\n".join(str(path.relative_to(home.outbox)) for path in files)
    standing.finish(home, stage, names)


def _lies_there(home: Home, stage: str) -> bool:
    """Whether a stage stands and every file that it wrote is where it was put."""
    names = standing.made(home, stage)
    return names is not None and all((home.outbox / name).exists() for name in names.splitlines())
