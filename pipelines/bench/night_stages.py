"""The stages of a night, each alone: what a city does whose night is longer than a command.

Belongs here: which assets make a stage. Does not belong here: the assets.
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from pipelines.bench.meter import Marks
from pipelines.bench.places import Places
from pipelines.definitions import build_defs
from pipelines.home import sources_folder
from pipelines.night import prepare_dagster
from pipelines.resources import City
from quality.catalogue import read_catalogue

_INGEST = dg.AssetSelection.key_prefixes("raw") | dg.AssetSelection.assets(
    ["meta", "delivery"], ["meta", "night"]
)
_QUALITY = dg.AssetSelection.key_prefixes("quality")
_FEEDBACK = dg.AssetSelection.key_prefixes("outbox")
_PUBLISH = dg.AssetSelection.key_prefixes("published")
_SELECTIONS = {
    "ingest": _INGEST.without_checks(),
    "models": (
        dg.AssetSelection.all() - _INGEST - _QUALITY - _FEEDBACK - _PUBLISH
    ).without_checks(),
    "quality": _QUALITY.without_checks() | dg.AssetSelection.all_asset_checks(),
    "feedback": _FEEDBACK.without_checks(),
    "publish": _PUBLISH.without_checks(),
}


def run_stage(name: str, marks: Marks, places: Places, business_date: date) -> None:
    """Run one stage in this process, as Dagster runs it within a night.

    Raises:
        dagster.DagsterError: a step failed.
    """
    marks.set("preparation")
    prepare_dagster(places.home)
    city = City(places.home.create(), read_catalogue(sources_folder()))
    job = f"bench_{name}"
    alone = dg.Definitions(jobs=[dg.define_asset_job(job, selection=_SELECTIONS[name])])
    resolved = dg.Definitions.merge(build_defs(city), alone).resolve_job_def(job)
    with dg.DagsterInstance.get() as instance:
        marks.set(name)
        resolved.execute_in_process(
            instance=instance,
            partition_key=business_date.isoformat(),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
