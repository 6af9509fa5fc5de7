"""Composes the code location, and nothing else."""

from collections.abc import Iterator

import dagster as dg

from pipelines import dbt_run
from pipelines.assets.models import model_assets
from pipelines.assets.outbox import bulletin_asset, outbox_assets
from pipelines.assets.published import MARTS, published_asset
from pipelines.assets.quality import quality_assets
from pipelines.assets.raw import raw_assets
from pipelines.checks import quality_checks
from pipelines.home import Home, sources_folder
from pipelines.jobs import nightly_job
from pipelines.publish import Publishing
from pipelines.resources import City
from pipelines.schedules import nightly_schedule
from pipelines.sensors import late_file_sensor
from quality.catalogue import read_catalogue


def build_defs(city: City) -> dg.Definitions:
    """All definitions for one city; tests, the command line and the UI build the same."""

    @dg.resource(description="一座城市：数据目录与合同；运行期间独占。")
    def exclusive_city(_: dg.InitResourceContext) -> Iterator[City]:
        with city.exclusive():
            yield city

    manifest = dbt_run.manifest(city.home, city.catalogue)

    @dg.resource(required_resource_keys={"city"}, description="发布：模型建成即开始复制集市。")
    def publishing(_: dg.InitResourceContext) -> Iterator[Publishing]:
        begun = Publishing(city.home, manifest)
        try:
            yield begun
        finally:
            begun.abandon()

    return dg.Definitions(
        assets=[
            *raw_assets(city.catalogue),
            model_assets(manifest, MARTS),
            *quality_assets(city.catalogue),
            outbox_assets(city.catalogue),
            bulletin_asset(),
            published_asset(city.catalogue),
        ],
        asset_checks=[quality_checks(city.catalogue)],
        jobs=[nightly_job],
        schedules=[nightly_schedule()],
        sensors=[late_file_sensor(city.home, city.catalogue)],
        resources={"city": exclusive_city, "publishing": publishing},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev -w workspace.yaml` loads."""
    return build_defs(City(Home.from_environment().create(), read_catalogue(sources_folder())))
