"""What goes home: one asset a department, showing its scores, orders and workbook.

Belongs here: the assets. Does not belong here: the workbook (`quality.feedback`).
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from pipelines.assets.quality import WORK_ORDER
from pipelines.partitions import BUSINESS_DATES
from pipelines.resources import City
from quality.catalogue import Catalogue

STAGE = "反馈 feedback"


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
            description=f"发给{name}的质量反馈：得分、工单和缺陷明细（XLSX）。",
            owners=[f"team:{department}"],
            kinds={"excel"},
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
        from quality import nightly

        city: City = context.resources.city
        night = date.fromisoformat(context.partition_key)
        chosen = [
            department
            for department in city.catalogue.departments
            if outbox_key(department) in context.selected_asset_keys
        ]
        city.progress.stage(STAGE, len(chosen))
        for department in chosen:
            summary = nightly.send_home(
                city.home.warehouse, city.catalogue, department, night, city.home.outbox
            )
            city.progress.advance(STAGE, department)
            yield dg.MaterializeResult(
                asset_key=outbox_key(department),
                metadata={
                    "workbook": dg.MetadataValue.path(str(summary.path)),
                    "score": dg.MetadataValue.float(summary.score or 0.0),
                    "open_orders": summary.open_orders,
                    "closed_orders": summary.closed_orders,
                    "defects": summary.defects,
                },
            )

    return outbox
