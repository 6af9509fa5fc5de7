"""Contract → staging model: its first form, and where the two have drifted apart.

Belongs here: the pair `stg_<department>__<dataset>.sql` and `.yml`, written once by
`write_staging` and kept by people afterwards, and `differences`, which the drift test and
`yishu source check` use. Does not belong here: the sources file (`dbt_sources`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, TemplateSyntaxError, nodes

from quality.catalogue import Catalogue
from quality.contract import META_COLUMNS, Contract

META_READ = ("_delivery_id", "_business_date", "_sequence", "_line_number", "_flags")
"""What a staging model reads of the door's columns."""

STAGING_META = ("_delivery_id", "_business_date", "_line_number", "_flags")
"""What a staging model keeps of the door's columns: where the row came from, and its warnings."""

SINCE = {
    "_since_delivery_id": "varchar",
    "_since_business_date": "date",
    "_since_line_number": "bigint",
}
"""What says since which delivery a row stands as it is, and the types; where all is delivered again
every time (dbt_project/macros/since_it_stands.sql)."""

_FOLDER = Path("models", "staging")


def staging_paths(contract: Contract, project: Path) -> tuple[Path, Path]:
    """Where the model and its YAML lie."""
    stem = project / _FOLDER / contract.department / contract.staging_model
    return stem.with_suffix(".sql"), stem.with_suffix(".yml")


def staging_meta(contract: Contract) -> dict[str, str]:
    """The columns of a staging model that no department delivers, and their types."""
    kept = {name: META_COLUMNS[name] for name in STAGING_META}
    return kept | SINCE if contract.delivery == "full" and contract.key else kept


def staging_sql(contract: Contract) -> str:
    """The model: import, latest version per key, explicit columns."""
    own = [column.name for column in contract.columns]
    imported = ",\n        ".join([*own, *META_READ])
    kept = ",\n        ".join([*own, *staging_meta(contract)])
    call = ", ".join(f"{name}={value!r}" for name, value in _options(contract).items())
    return f"""with

source as (
    select
        {imported}
    from {{{{ source('{contract.department}', '{contract.dataset}') }}}}
),

latest as (
    {{{{ latest_version('source', {call}) }}}}
),

final as (
    select
        {kept}
    from latest
)

select * from final
"""


def _options(contract: Contract) -> dict[str, Any]:
    """What the model tells `latest_version`, as the contract says it."""
    options: dict[str, Any] = {"keys": list(contract.key), "delivery": contract.delivery}
    if contract.delivery == "change_log":
        options["change_column"] = contract.change_column
        options["delete_values"] = list(contract.delete_values)
    return options


def staging_yaml(contract: Contract) -> str:
    """The model's YAML: grain, owner, columns with types and levels, key test."""
    grain = f"one row per {', '.join(contract.key)}" if contract.key else "one row per line"
    columns = [
        {
            "name": column.name,
            "description": column.description or column.title,
            "data_type": column.sql_type,
            "config": {"meta": {"level": column.level}},
        }
        for column in contract.columns
    ]
    model: dict[str, Any] = {
        "name": contract.staging_model,
        "description": f"{contract.name} as of the business date; grain: {grain}.",
        "config": {
            "meta": {
                "title": contract.title,
                "owner": f"{contract.department_name} {contract.owner}",
            }
        },
        "columns": [
            *columns,
            *(
                {"name": name, "data_type": sql_type}
                for name, sql_type in staging_meta(contract).items()
            ),
        ],
    }
    if contract.key:
        model["data_tests"] = [{"unique_key": {"arguments": {"columns": list(contract.key)}}}]
    document = {"version": 2, "models": [model]}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def write_staging(contract: Contract, project: Path, *, replace: bool = False) -> tuple[Path, Path]:
    """Write the pair of a dataset; returns both paths.

    Raises:
        FileExistsError: one of them is there and shall not be replaced; nothing is written then.
    """
    paths = staging_paths(contract, project)
    for path in paths:
        if path.exists() and not replace:
            raise FileExistsError(f"{path} is there already")
    for path, text in zip(paths, (staging_sql(contract), staging_yaml(contract)), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths


def differences(contract: Contract, project: Path) -> list[str]:
    """What the staging model says otherwise than the contract; empty where they agree.

    Compares the columns with types and levels, the key and the kind of delivery; each line
    names the file and what to change.
    """
    sql_path, yaml_path = staging_paths(contract, project)
    absent = [path for path in (sql_path, yaml_path) if not path.exists()]
    if absent:
        return [
            f"{path}: is missing; yishu source stage {contract.name} writes it" for path in absent
        ]
    return [
        *(f"{sql_path}: {line}" for line in _sql_differences(contract, sql_path)),
        *(f"{yaml_path}: {line}" for line in _yaml_differences(contract, yaml_path)),
    ]


def models_without_contract(catalogue: Catalogue, project: Path) -> list[str]:
    """Staging models that no contract, usable or broken, describes."""
    known = {contract.staging_model for contract in catalogue.contracts}
    known |= {f"stg_{entry.department}__{entry.dataset}" for entry in catalogue.broken}
    return [
        f"{path}: no contract describes this model; add the contract or remove the model"
        for path in sorted((project / _FOLDER).glob("*/stg_*.sql"))
        if path.stem not in known
    ]


def _sql_differences(contract: Contract, path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    try:
        calls = dict(_calls(text))
    except TemplateSyntaxError as error:
        yield f"line {error.lineno}: {error.message}"
        return
    source = calls.get("source", ((), {}))[0]
    if source != (contract.department, contract.dataset):
        yield f"reads source {source}; the contract is {contract.name}"
    if "latest_version" not in calls:
        yield "does not call latest_version; every staging model keeps one row per key"
        return
    options = calls["latest_version"][1]
    keys, delivery = tuple(options.get("keys") or ()), options.get("delivery")
    if keys != contract.key:
        yield f"latest_version has keys={list(keys)}; the contract's key is {list(contract.key)}"
    if delivery != contract.delivery:
        yield f"latest_version has delivery={delivery!r}; the contract says {contract.delivery!r}"
    for name in ("change_column", "delete_values"):
        found, expected = options.get(name), _options(contract).get(name)
        if found != expected:
            yield f"latest_version has {name}={found!r}; the contract says {expected!r}"
    words = set(re.findall(r"\w+", text))
    for column in contract.columns:
        if column.name not in words:
            yield f"does not select {column.name}"


def _calls(text: str) -> Iterator[tuple[str, tuple[tuple[Any, ...], dict[str, Any]]]]:
    """Each macro call of a model: name, positional and named arguments (constants)."""
    for call in Environment(autoescape=True).parse(text).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            positional = tuple(argument.as_const() for argument in call.args)
            named = {argument.key: argument.value.as_const() for argument in call.kwargs}
            yield call.node.name, (positional, named)


def _yaml_differences(contract: Contract, path: Path) -> Iterator[str]:
    document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    models = {model["name"]: model for model in document.get("models") or []}
    model = models.get(contract.staging_model)
    if model is None:
        yield f"has no model {contract.staging_model}"
        return
    if (model.get("config") or {}).get("contract", {}).get("enforced", True) is False:
        yield "switches the enforced contract off"
    described = {column["name"]: column for column in model.get("columns") or []}
    expected = {column.name: (column.sql_type, column.level) for column in contract.columns}
    for name, (sql_type, level) in expected.items():
        if name not in described:
            yield f"lacks the column {name} {sql_type}"
            continue
        found_type = described[name].get("data_type")
        if found_type != sql_type:
            yield f"{name} has data_type {found_type}; the contract says {sql_type}"
        found_level = _level(described[name])
        if found_level != level:
            yield f"{name} has level {found_level}; the contract says {level}"
    of_the_model = staging_meta(contract)
    for name in of_the_model:
        if name not in described:
            yield f"lacks the column {name}; latest_version gives it"
    for name in described:
        if name not in expected and name not in of_the_model:
            yield f"has the column {name}, which the contract does not know"
    keys = _tested_keys(model)
    if contract.key and contract.key not in keys:
        yield f"no unique_key test over {list(contract.key)}"


def _level(column: dict[str, Any]) -> str | None:
    meta = (column.get("config") or {}).get("meta") or {}
    return meta.get("level")


def _tested_keys(model: dict[str, Any]) -> set[tuple[str, ...]]:
    tests = [test for test in model.get("data_tests") or [] if isinstance(test, dict)]
    return {tuple(t["unique_key"]["arguments"]["columns"]) for t in tests if "unique_key" in t}
