"""Publishing as an asset: the last step, and the gate before it."""

from datetime import date

import dagster as dg

from pipelines import standing
from pipelines.assets.models import RESULT, UNCHANGED, read_results
from pipelines.assets.outbox import BULLETIN, outbox_key
from pipelines.partitions import BUSINESS_DATES
from pipelines.publish import current
from pipelines.published_table import PublicationError
from pipelines.resources import City
from quality.catalogue import Catalogue

STAGE = "发布 publish"
MARTS = dg.AssetKey(["published", "marts"])


def published_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """The published file; fails, and leaves the last one, where a model or test has failed."""

    @dg.asset(
        key=MARTS,
        deps=[RESULT, BULLETIN, *(outbox_key(name) for name in catalogue.departments)],
        group_name="published",
        description="发布给分析人员的数据集市：去除个人信息后复制，原子切换 current。",
        owners=["team:big_data"],
        kinds={"duckdb", "file"},
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city", "publishing"},
    )
    def marts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        city: City = context.resources.city
        city.progress.stage(STAGE, 1)
        night = date.fromisoformat(context.partition_key)
        version, file = standing.made(city.home, standing.PUBLISHED), current(city.home)
        if file is not None and file.parent.name == version:
            city.progress.advance(STAGE, version)
            return dg.MaterializeResult(metadata={UNCHANGED: True, "version": version})
        standing.begin(city.home, standing.PUBLISHED)
        bad = [node.name for node in read_results(city.home) if node.is_bad]
        if bad:
            raise dg.Failure(
                f"{len(bad)} models or tests failed ({', '.join(bad[:5])}); nothing was "
                "published, and what was published before stays"
            )
        try:
            publication = context.resources.publishing.finish(night)
        except PublicationError as error:
            raise dg.Failure(f"{error}; what was published before stays") from error
        standing.finish(city.home, standing.PUBLISHED, publication.version)
        city.progress.advance(STAGE, publication.version)
        tables = [
            dg.TableRecord(
                {"table": f"{t.schema}.{t.name}", "rows": t.rows, "checksum": t.checksum}
            )
            for t in publication.tables
        ]
        return dg.MaterializeResult(
            metadata={
                "version": publication.version,
                "path": dg.MetadataValue.path(str(publication.path)),
                "bytes": publication.path.stat().st_size,
                "dagster/row_count": sum(table.rows for table in publication.tables),
                "tables": dg.MetadataValue.table(tables),
            }
        )

    return marts
