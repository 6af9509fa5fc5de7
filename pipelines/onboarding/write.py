"""A proposal → ODCS 3.1 YAML that people like to read.

Belongs here: the layout of the document. Does not belong here: what it says (`propose`), or
where it goes (`draft`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.ingest.findings import Findings
from pipelines.onboarding import totals
from pipelines.onboarding.propose import ColumnDraft
from pipelines.onboarding.totals import Total

_WORKBOOKS = ("xlsx", "xlsm", "xls", "ods")
_HEADED = ("csv", "workbook", "html")
_USUAL_SHEETS = ("sheet", "工作表")


@dataclass(frozen=True)
class Identity:
    """What a draft is told and cannot find out."""

    department: str
    department_name: str
    dataset: str
    title: str

    @property
    def relative_path(self) -> Path:
        """`<department>/<dataset>.odcs.yaml`."""
        return Path(self.department) / f"{self.dataset}.odcs.yaml"


def document(
    identity: Identity,
    columns: Sequence[ColumnDraft],
    server: dict[str, Any],
    ignored: Sequence[str],
    sums: Sequence[Total] = (),
) -> dict[str, Any]:
    """The contract as plain data."""
    custom: dict[str, Any] = {
        "department": identity.department,
        "dataset": identity.dataset,
        "delivery": "full",
        "shareType": "conditional",
        "shareCondition": "由使用部门提出申请，经数据提供部门审核同意后共享。",
        "openType": "none",
    }
    if ignored:
        custom["ignoredHeaders"] = list(ignored)
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"{identity.department}-{identity.dataset}",
        "name": identity.title,
        "version": "0.1.0",
        "status": "draft",
        "domain": _domain(columns),
        "description": {"purpose": "由样本文件生成的草案，用途由数据提供部门确认。"},
        "team": {
            "name": identity.department_name,
            "members": [{"username": "数据管理岗", "role": "owner"}],
        },
        "servers": [server],
        "slaProperties": [
            {"property": "frequency", "value": "irregular"},
            {"property": "latency", "value": 0, "unit": "h"},
            {"property": "retention", "value": 10, "unit": "y"},
        ],
        "customProperties": _properties(custom),
        "schema": [
            {
                "name": identity.dataset,
                "logicalType": "object",
                "physicalType": "file",
                "description": _grain(columns),
                "properties": [_column(column) for column in columns],
                "quality": [
                    {
                        "name": f"{identity.dataset}_has_rows",
                        "type": "library",
                        "metric": "rowCount",
                        "mustBeGreaterThan": 0,
                        "dimension": "completeness",
                        "severity": "error",
                        "description": "数据集为空，请报送全部数据。",
                    },
                    *(_sum_rule(total, columns) for total in sums),
                ],
            }
        ],
    }


def _sum_rule(total: Total, columns: Sequence[ColumnDraft]) -> dict[str, Any]:
    titles = {column.name: column.title for column in columns}
    return {
        "name": f"{total.measure}_is_sum_by_{total.part}",
        "type": "sql",
        "query": totals.query(total),
        "mustBe": 0,
        "dimension": "consistency",
        "severity": "error",
        "description": f"「{titles[total.part]}」为「{total.whole}」的「{titles[total.measure]}」"
        "与其余各行之和不等，请核对后重新报送。",
    }


def text(data: dict[str, Any], remarks: Sequence[str]) -> str:
    """The document as YAML, below remarks for the person who reads it first."""
    head = "".join(f"# {remark}\n" for remark in remarks)
    return head + yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000)


class _Dumper(yaml.SafeDumper):
    """Lists stand two spaces inside their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def server(
    identity: Identity, files: Sequence[Path], findings: Sequence[Findings]
) -> dict[str, Any]:
    """Where the files arrive and how they are laid out, as far as all of them agree."""
    first = findings[0]
    kind = first.file_format or "csv"
    ending = _ending(files[0], kind)
    found: dict[str, Any] = {
        "server": "landing",
        "type": "local",
        "path": f"landing/{identity.department}/{identity.dataset}_*.{ending}",
    }
    if any(other.file_format != kind for other in findings):
        return found
    if kind != "workbook":
        found["format"] = kind
    elif ending in _WORKBOOKS:
        found["format"] = ending
    else:
        found["format"] = "xlsx"
    for name in ("encoding", "delimiter"):
        values = {getattr(other, name) for other in findings}
        if len(values) == 1 and None not in values and kind not in ("workbook", "parquet"):
            found[name] = values.pop()
    custom: dict[str, Any] = {}
    sheets = {part.sheet for other in findings for part in other.parts}
    if kind == "workbook" and len(sheets) == 1 and first.sheet and _is_a_name(first.sheet):
        custom["sheet"] = first.sheet
    if kind in _HEADED and len({other.header_rows for other in findings}) == 1:
        custom["headerRows"] = first.header_rows
    if kind in ("xml", "json") and first.record:
        custom["record"] = first.record
    if custom:
        found["customProperties"] = _properties(custom)
    return found


def _ending(path: Path, kind: str) -> str:
    suffixes = [suffix.lstrip(".").lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in ("gz", "zip") and len(suffixes) == 2:
        return ".".join(suffixes)
    return suffixes[-1] if suffixes else {"workbook": "xlsx"}.get(kind, kind)


def _is_a_name(sheet: str) -> bool:
    """Whether a sheet's name is one to hold a department to: no default, no month in it."""
    return not sheet.lower().startswith(_USUAL_SHEETS) and not any(map(str.isdigit, sheet))


def _domain(columns: Sequence[ColumnDraft]) -> str:
    kinds = {column.kind.name for column in columns}
    if kinds & {"resident_number", "person"}:
        return "population"
    if "unified_code" in kinds:
        return "legal_entity"
    return "geography" if kinds & {"division", "longitude", "latitude"} else "department"


def _grain(columns: Sequence[ColumnDraft]) -> str:
    keyed = sorted((c for c in columns if c.key_position), key=lambda c: c.key_position or 0)
    titles = "、".join(column.title for column in keyed)
    return f"一行由「{titles}」确定。" if titles else "一行为文件中的一行。"


def _column(column: ColumnDraft) -> dict[str, Any]:
    kind = column.kind
    item: dict[str, Any] = {
        "name": column.name,
        "physicalName": column.header,
        "businessName": column.title,
        "logicalType": kind.logical,
        "physicalType": kind.physical,
    }
    if column.required or column.key_position:
        item["required"] = True
    if column.key_position:
        item |= {"primaryKey": True, "primaryKeyPosition": column.key_position}
    item["classification"] = column.level
    if kind.description:
        item["description"] = kind.description
    if kind.is_agreed:
        item["enum"] = [{"value": value} for value in kind.domain]
    custom: dict[str, Any] = {}
    if kind.parse:
        custom["parse"] = kind.parse
    if column.missing:
        custom["missingValues"] = list(column.missing)
    custom["evidence"] = f"{column.told}；把握：{_SURENESS[column.sureness]}"
    item["customProperties"] = _properties(custom)
    rules = [_usual_values(column)] if kind.domain and not kind.is_agreed else []
    if kind.rules:
        rules += [
            {
                "name": f"{column.name}_{rule.suffix}",
                "type": "custom",
                "engine": "yishu",
                "implementation": rule.implementation,
                "dimension": rule.dimension,
                "severity": rule.severity,
                "description": f"「{column.title}」{rule.message}",
            }
            for rule in kind.rules
        ]
    if rules:
        item["quality"] = rules
    return item


def _usual_values(column: ColumnDraft) -> dict[str, Any]:
    """A list that was only seen: it flags. One that is agreed becomes the column's `enum`."""
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in column.kind.domain)
    return {
        "name": f"{column.name}_usual_values",
        "type": "custom",
        "engine": "polars",
        "implementation": f"{column.name} in ({values})",
        "dimension": "conformity",
        "severity": "warning",
        "description": f"「{column.title}」是以往没有的取值，请核对；属实的请通知主管部门补充。",
    }


_SURENESS = {"high": "高", "medium": "中", "low": "低"}


def _properties(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"property": name, "value": value} for name, value in values.items()]
