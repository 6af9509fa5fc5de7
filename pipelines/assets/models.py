"""The dbt models as assets: one build a night, in this process.

Belongs here: dbt nodes → Dagster. Does not belong here: running dbt (`dbt_run`), the models.

`dagster_dbt.dbt_assets` would start a dbt process for each invocation; here its public
translator gives the specs, and dbt's own runner does the work.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from pipelines import dbt_run
from pipelines.assets.raw import raw_key
from pipelines.home import Home
from pipelines.partitions import BUSINESS_DATES
from pipelines.resources import City
from pipelines.warehouse import open_warehouse

STAGE = "建模 models"
RESULT = dg.AssetKey(["meta", "dbt_result"])
_RESULT_FILE = "night_results.json"


class Translator(DagsterDbtTranslator):
    """Asset keys are schema and table; sources are the raw assets."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        """The spec of one node, with its Chinese title, owner, layer and level of columns."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id)
        if node is None:
            return spec
        meta = node.get("config", {}).get("meta") or {}
        title = meta.get("title")
        return spec.replace_attributes(
            group_name=_group(node),
            description=f"{title}\n\n{node['description']}" if title else node["description"],
            owners=[f"team:{meta.get('department', 'big_data')}"],
            kinds={
                "dbt",
                "duckdb",
                "table" if node["config"]["materialized"] == "table" else "view",
            },
        ).merge_attributes(metadata={"owner": meta.get("owner", "")})

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`schema/table` of a node; `raw/department/dataset` or `meta/table` of a source."""
        if dbt_resource_props["resource_type"] == "source":
            source, name = dbt_resource_props["source_name"], dbt_resource_props["name"]
            return dg.AssetKey(["meta", name]) if source == "meta" else raw_key(source, name)
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])


def _group(node: Mapping[str, Any]) -> str:
    """The department of a staging model, the domain of any other."""
    folders = node["fqn"][1:-1]
    return str(folders[1] if len(folders) > 1 else node["schema"])


def model_specs(manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """One spec per model and seed."""
    specs = build_dbt_asset_specs(manifest=manifest, dagster_dbt_translator=Translator())
    return [spec.replace_attributes(skippable=True) for spec in specs]


def model_assets(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """All models as one step. A failing model stops its descendants, not the night."""
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
        required_resource_keys={"city"},
    )
    def dbt_models(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        city: City = context.resources.city
        selected = context.selected_asset_keys
        whole = set(names) <= selected
        chosen = [] if whole else sorted(names[key] for key in selected if key in names)
        city.progress.stage(STAGE, len(chosen) or len(names))
        nodes = dbt_run.build(
            city.home,
            select=chosen,
            on_node=lambda name: city.progress.advance(STAGE, name) if name in by_name else None,
        )
        write_results(city.home, nodes)
        counts = _row_counts(city.home)
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


def _row_counts(home: Home) -> dict[str, int]:
    with open_warehouse(home) as connection:
        rows = connection.execute(
            "select schema_name || '.' || table_name, estimated_size from duckdb_tables()"
        ).fetchall()
    return dict(rows)


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
