"""Contracts → dbt sources: `models/staging/_sources.yml`, written before dbt reads the project.

Belongs here: that one file. Does not belong here: the staging models, which people keep
(`dbt_scaffold` writes their first form and says where they disagree with the contract).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from quality.catalogue import Catalogue
from quality.contract import META_COLUMNS, Contract

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the C one is ten times faster

_HEAD = "# Written from the contracts before each run (pipelines/dbt_sources.py). Do not edit.\n"

_META_TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "night": ("One row: the business date of the night.", {"business_date": "date"}),
    "delivery": (
        "One row per delivery that the door has seen by the business date.",
        {
            "delivery_id": "varchar",
            "department": "varchar",
            "dataset": "varchar",
            "business_date": "date",
            "night": "date",
            "sequence": "bigint",
            "file_name": "varchar",
            "sm3": "varchar",
            "bytes": "bigint",
            "rows_read": "bigint",
            "rows_accepted": "bigint",
            "rows_quarantined": "bigint",
            "status": "varchar",
            "reason": "varchar",
            "superseded_by": "varchar",
            "contract_version": "varchar",
            "part": "bigint",
            "findings": "varchar",
        },
    ),
}


def write_sources(catalogue: Catalogue, project: Path) -> Path:
    """Write the sources of every contract into the dbt project; returns the file.

    The file is touched only when its content changes, so that dbt's partial parsing holds. A
    dataset whose contract is broken keeps an entry without columns: the models still parse.
    """
    path = project / "models" / "staging" / "_sources.yml"
    text = sources_text(catalogue)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".yml.{os.getpid()}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    return path


def sources_text(catalogue: Catalogue) -> str:
    """The YAML of all sources: departments and datasets in the order of their names."""
    tables: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in catalogue.departments}
    for entry in catalogue.broken:
        tables[entry.department][entry.dataset] = {
            "name": entry.dataset,
            "identifier": f"{entry.department}__{entry.dataset}",
            "description": "The contract of this dataset is broken; see `yishu source check`.",
        }
    for contract in catalogue.contracts:
        tables[contract.department][contract.dataset] = _table(contract)
    sources = [
        {
            "name": department,
            "description": f"{catalogue.departments[department]}: what the door accepted.",
            "schema": "raw",
            "tables": [entries[dataset] for dataset in sorted(entries)],
        }
        for department, entries in tables.items()
    ]
    document = {"version": 2, "sources": [*sources, _meta_source()]}
    return _HEAD + yaml.dump(
        document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100
    )


def _table(contract: Contract) -> dict[str, Any]:
    columns = [
        {
            "name": column.name,
            "description": column.description or column.title,
            "data_type": column.sql_type,
            "config": {"meta": {"title": column.title, "level": column.level}},
        }
        for column in contract.columns
    ]
    return {
        "name": contract.dataset,
        "identifier": contract.table,
        "description": f"{contract.title}: {contract.grain}",
        "config": {
            "meta": {
                "title": contract.title,
                "owner": f"{contract.department_name} {contract.owner}",
                "contract_id": contract.contract_id,
                "contract_version": contract.version,
                "delivery": contract.delivery,
            }
        },
        "columns": [*columns, *_typed(META_COLUMNS)],
    }


def _meta_source() -> dict[str, Any]:
    tables = [
        {"name": name, "description": description, "columns": _typed(columns)}
        for name, (description, columns) in _META_TABLES.items()
    ]
    return {"name": "meta", "description": "The ledger.", "schema": "meta", "tables": tables}


def _typed(columns: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "data_type": data_type} for name, data_type in columns.items()]
