"""Running dbt inside this process, and reading what it says about the project.

Belongs here: the manifest, a build, and its results as plain records.
Does not belong here: Dagster (`assets.models`) or the models.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import engine
from pipelines.dbt_sources import write_sources
from pipelines.home import Home, dbt_project_folder
from quality.catalogue import Catalogue


class DbtError(Exception):
    """dbt could not read the project or start; says what dbt said."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test."""

    unique_id: str
    name: str
    resource_type: str
    models: tuple[str, ...]
    """Names of the models that a test reads; the model's own name otherwise."""
    status: str
    failures: int
    seconds: float
    message: str

    @property
    def is_bad(self) -> bool:
        """Whether the node failed or could not run; a warning is not bad."""
        return self.status in ("error", "fail", "skipped", "runtime error")


def _environment(home: Home) -> None:
    os.environ["YISHU_HOME"] = str(home.root)
    os.environ["YISHU_MEMORY_LIMIT"] = engine.settings()["memory_limit"]
    os.environ["YISHU_WAREHOUSE"] = str(home.warehouse)
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"


def _arguments(home: Home, project: Path) -> list[str]:
    # Compiled SQL is kept for debugging; logs are not, because an engine's error text can quote
    # a value of a row.
    return [
        "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(home.dbt_target), "--log-path", str(home.dbt_target / "logs"),
        "--log-level", "none", "--log-level-file", "none", "--quiet", "--no-use-colors",
        "--no-print",
    ]  # fmt: skip


def manifest(home: Home, catalogue: Catalogue) -> dict[str, Any]:
    """The project's manifest, parsed anew only where a model or a contract has changed.

    Raises:
        DbtError: the project does not parse.
    """
    project = dbt_project_folder()
    write_sources(catalogue, project)
    path = home.dbt_target / "manifest.json"
    stamp = home.dbt_target / "manifest.sm3"
    fingerprint = _fingerprint(project)
    if not path.exists() or not stamp.exists() or stamp.read_text() != fingerprint:
        _environment(home)
        home.dbt_target.mkdir(parents=True, exist_ok=True)
        _invoke(["parse", *_arguments(home, project)], [])
        stamp.write_text(fingerprint)
    return json.loads(path.read_text(encoding="utf-8"))


def parse(home: Home, catalogue: Catalogue) -> Any:
    """dbt's own manifest object, which several builds in this process can share.

    Raises:
        DbtError: the project does not parse.
    """
    project = dbt_project_folder()
    write_sources(catalogue, project)
    _environment(home)
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    return _invoke(["parse", *_arguments(home, project)], [])


def _fingerprint(project: Path) -> str:
    digest = hashlib.new("sm3")
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project)
        if path.suffix in (".sql", ".yml", ".csv") and inside.parts[0] not in ("target", "logs"):
            digest.update(str(inside).encode() + path.read_bytes())
    return digest.hexdigest()


def build(
    home: Home,
    *,
    select: Sequence[str] = (),
    with_tests: bool = True,
    full_refresh: bool = True,
    parsed: Any = None,
    on_node: Callable[[str], None] = lambda _: None,
) -> list[NodeResult]:
    """Build models, seeds and their tests; the database file is free again afterwards.

    Args:
        home: gives the warehouse and the target folder.
        select: names of models, or dbt's other ways to select; empty means all.
        with_tests: whether the tests of what is selected run too. Unit tests never do: they
            belong to `make test`.
        full_refresh: build every row anew; else the models go on from the last build.
        parsed: what `parse` gave, for builds one after the other.
        on_node: called with the name of each node as it finishes.

    Raises:
        DbtError: dbt could not start. A failing model or test is a result, not an error.
    """
    _environment(home)
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    project = dbt_project_folder()
    # The results are read from memory, and the manifest is there: writing both again costs a
    # second of each night.
    arguments = ["build", *_arguments(home, project), "--no-write-json"]
    arguments += ["--exclude-resource-type", "unit_test"]
    if not with_tests:
        arguments += ["--exclude-resource-type", "test"]
    if full_refresh:
        arguments.append("--full-refresh")
    if select:
        arguments += ["--select", *select]

    def on_event(event: Any) -> None:
        if event.info.name == "NodeFinished":
            on_node(event.data.node_info.node_name)

    try:
        outcome = _invoke(arguments, [on_event], parsed)
    finally:
        _let_go()
    return [_node_result(result) for result in outcome.results]


def _invoke(
    arguments: list[str], callbacks: list[Callable[[Any], None]], parsed: Any = None
) -> Any:
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner(manifest=parsed, callbacks=callbacks).invoke(arguments)
    if outcome.exception is not None:
        raise DbtError(_without_values(str(outcome.exception))) from outcome.exception
    return outcome.result


def _let_go() -> None:
    """Close dbt-duckdb's connection, which it keeps for the next invocation.

    Others open the file with settings of their own, and DuckDB refuses that while one is open.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    close = DuckDBConnectionManager.close_all_connections
    close()  # type: ignore[no-untyped-call]


def _node_result(result: Any) -> NodeResult:
    node = result.node
    upstream = getattr(node.depends_on, "nodes", [])  # seeds depend on macros alone
    depends = [name.split(".")[2] for name in upstream if name.startswith("model.")]
    is_test = node.resource_type == "test"
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        resource_type=str(node.resource_type.value),
        models=tuple(dict.fromkeys(depends)) if is_test else (node.name,),
        status=str(result.status.value),
        failures=result.failures or 0,
        seconds=result.execution_time,
        message=_without_values(result.message or ""),
    )


def _without_values(message: str) -> str:
    """An engine's error text without the quoted values that it may carry."""
    return re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "'…'", message)[:500]
