"""The dbt models as assets: one build a night, in this process.

Belongs here: dbt nodes → Dagster. Does not belong here: running dbt (`dbt_run`), the models.

The specs come from the manifest's own text: the library that translates it (dagster-dbt) imports
dbt, and would start a dbt process for each invocation. A night on which nothing is new needs
neither; on any other, dbt's own runner does the work.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines import dbt_run, last_build, standing
from pipelines.assets.raw import raw_key
from pipelines.home import Home
from pipelines.partitions import BUSINESS_DATES
from pipelines.resources import City
from pipelines.table_rows import TableRows, count_rows
from pipelines.warehouse import open_warehouse

STAGE = "建模 models"
RESULT = dg.AssetKey(["meta", "dbt_result"])
UNCHANGED = "unchanged"
"""Metadata of a stage that stood and did nothing."""
_RESULT_FILE = "night_results.json"


def model_specs(manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """One spec per model and seed: keys are schema and table, sources are the raw assets."""
    nodes = {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed")
    }
    keys = {unique_id: _key(node) for unique_id, node in {**manifest["sources"], **nodes}.items()}
    return [
        _spec(node, [keys[up] for up in node["depends_on"].get("nodes", []) if up in keys])
        for node in nodes.values()
    ]


def _key(node: Mapping[str, Any]) -> dg.AssetKey:
    """`schema/table` of a node; `raw/department/dataset` or `meta/table` of a source."""
    if node["resource_type"] == "source":
        source, name = node["source_name"], node["name"]
        return dg.AssetKey(["meta", name]) if source == "meta" else raw_key(source, name)
    return dg.AssetKey([node["schema"], node["name"]])


def _spec(node: Mapping[str, Any], upstream: list[dg.AssetKey]) -> dg.AssetSpec:
    """A model with its Chinese title, owner, layer, columns and their levels."""
    meta = node["config"].get("meta") or {}
    title, text = meta.get("title"), node["description"]
    return dg.AssetSpec(
        _key(node),
        deps=upstream,
        skippable=True,
        group_name=_group(node),
        description=f"{title}\n\n{text}" if title else text,
        owners=[f"team:{meta.get('department', 'big_data')}"],
        kinds={"dbt", "duckdb", "view" if node["config"]["materialized"] == "view" else "table"},
        code_version=node["checksum"]["checksum"],
        metadata={
            "owner": meta.get("owner", ""),
            "dagster/table_name": f"{node['schema']}.{node['name']}",
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(
                        name,
                        column.get("data_type") or "?",
                        description=column.get("description") or None,
                        tags={"level": level} if (level := _level(column)) else None,
                    )
                    for name, column in node["columns"].items()
                ]
            ),
        },
    )


def _level(column: Mapping[str, Any]) -> str | None:
    meta = (column.get("config") or {}).get("meta") or column.get("meta") or {}
    return meta.get("level")


def _group(node: Mapping[str, Any]) -> str:
    """The department of a staging model, the domain of any other."""
    folders = node["fqn"][1:-1]
    return str(folders[1] if len(folders) > 1 else node["schema"])


def model_assets(manifest: Mapping[str, Any], published: dg.AssetKey) -> dg.AssetsDefinition:
    """All models as one step. A failing model stops its descendants, not the night.

    Where all were built well, and `published` is part of the run, its work begins.
    """
    specs = model_specs(manifest)
    names = {spec.key: spec.key.path[-1] for spec in specs}
    by_name = {name: key for key, name in names.items()}
    result = dg.AssetSpec(
        RESULT,
        group_name="meta",
        description="dbt 本次运行的结果：每个模型和测试的状态。",
        owners=["team:big_data"],
        kinds={"dbt", "json"},
        deps=[dg.AssetKey(["meta", "night"])],
    )

    @dg.multi_asset(
        name="dbt_models",
        specs=[*specs, result],
        can_subset=True,
        partitions_def=BUSINESS_DATES,
        required_resource_keys={"city", "publishing"},
    )
    def dbt_models(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        city: City = context.resources.city
        selected = context.selected_asset_keys
        whole = set(names) <= selected
        if whole and standing.stands(city.home, standing.MODELS):
            city.progress.stage(STAGE, 1)
            city.progress.advance(STAGE, UNCHANGED)
            if RESULT in selected:
                yield dg.MaterializeResult(asset_key=RESULT, metadata={UNCHANGED: True})
            return
        chosen = [] if whole else sorted(names[key] for key in selected if key in names)
        goes_on = whole and last_build.can_go_on(city.home, manifest)
        standing.begin(city.home, standing.MODELS)
        last_build.begin(city.home)
        city.progress.stage(STAGE, len(chosen) or len(names))
        nodes = dbt_run.build(
            city.home,
            select=chosen,
            full_refresh=not goes_on,
            on_node=lambda name: city.progress.advance(STAGE, name) if name in by_name else None,
        )
        write_results(city.home, nodes)
        if whole and not any(node.is_bad for node in nodes):
            tables = last_build.finish(city.home, went_on=goes_on)
            standing.finish(city.home, standing.MODELS)
            if published in context.job_def.asset_layer.executable_asset_keys:
                context.resources.publishing.begin()
        else:
            tables = _counted(city.home)
        counts = {f"{table.schema}.{table.name}": table.rows for table in tables}
        for node in nodes:
            if node.is_bad:
                context.log.error(f"{node.resource_type} {node.name}: {node.status} {node.message}")
            key = by_name.get(node.name)
            if (
                key is not None
                and key in selected
                and not node.is_bad
                and node.resource_type != "test"
            ):
                metadata: dict[str, Any] = {"seconds": round(node.seconds, 3)}
                if (rows := counts.get(".".join(key.path))) is not None:
                    metadata["dagster/row_count"] = rows
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        if RESULT in selected:
            bad = [node.name for node in nodes if node.is_bad]
            metadata = {"nodes": len(nodes), "bad": len(bad), "bad_nodes": ", ".join(bad)}
            yield dg.MaterializeResult(asset_key=RESULT, metadata=metadata)

    return dbt_models


def _counted(home: Home) -> list[TableRows]:
    with open_warehouse(home) as connection:
        return count_rows(connection)


def _result_path(home: Home) -> Path:
    return home.dbt_target / _RESULT_FILE


def write_results(home: Home, nodes: list[dbt_run.NodeResult]) -> None:
    """Keep the build's results for the steps after it; a partial build adds to the last."""
    known = {node.unique_id: node for node in read_results(home)}
    known |= {node.unique_id: node for node in nodes}
    text = json.dumps([node.__dict__ for node in known.values()], ensure_ascii=False)
    _result_path(home).write_text(text, encoding="utf-8")


def read_results(home: Home) -> list[dbt_run.NodeResult]:
    """The results of the last build; empty before the first."""
    path = _result_path(home)
    if not path.exists():
        return []
    records = json.loads(path.read_text(encoding="utf-8"))
    return [dbt_run.NodeResult(**{**r, "models": tuple(r["models"])}) for r in records]
