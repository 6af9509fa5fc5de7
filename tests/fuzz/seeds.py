"""The sound files that are mutated: one small table in every format the door reads."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import xlsxwriter

from pipelines.home import PROJECT
from quality.contract import Contract
from quality.contract_reader import read_contract

HEADERS = ("居住证编号", "公民身份号码", "姓名", "居住地址", "居住地区划代码", "联系电话",
           "签发日期", "有效期至")  # fmt: skip
ROWS = [
    (f"JZ{i:010d}", "11010519491231002X", "王小明", f"沂河路{i}号，北楼", "371302", "13900001234",
     "2026-01-05", "2027-01-05")
    for i in range(12)
]  # fmt: skip
TABLE = [HEADERS, *ROWS]


@dataclass(frozen=True)
class Seed:
    """A sound file, and the contract that reads it."""

    name: str
    extension: str
    content: bytes
    contract: Contract


def contract() -> Contract:
    """The residence permits' contract; its rules do not matter here, its columns do."""
    path = PROJECT / "pipelines" / "sources" / "public_security" / "residence_permit.odcs.yaml"
    return read_contract(path)


def seeds(folder: Path) -> list[Seed]:
    """One seed per format and encoding."""
    base = contract()
    csv = _delimited(",", '"')
    found = replace(base, encoding=None, delimiter=None)
    texts = {
        "utf-8": (csv.encode(), "csv", base),
        "utf-8 with mark": (csv.encode("utf-8-sig"), "csv", found),
        "gb18030": (csv.encode("gb18030"), "csv", replace(base, encoding="gb18030")),
        "gb18030 found": (csv.encode("gb18030"), "csv", found),
        "utf-16": (csv.encode("utf-16"), "csv", found),
        "tabs": (_delimited("\t", '"').encode(), "tsv", found),
        "bars": (_delimited("|", "").encode("gb18030"), "txt", found),
        "returns": (csv.replace("\r\n", "\r").encode(), "csv", found),
        "titled": (f"临沂市居住证一览\r\n{csv}合计,,,,,,,12\r\n".encode(), "csv", found),
    }
    result = [Seed(name, ext, content, used) for name, (content, ext, used) in texts.items()]
    other = {
        "xlsx": (_workbook(), "xlsx", "workbook"),
        "json": (json.dumps(_records(), ensure_ascii=False).encode(), "json", "json"),
        "ndjson": (_lines().encode(), "ndjson", "ndjson"),
        "geojson": (_geojson().encode(), "geojson", "geojson"),
        "xml": (_xml().encode(), "xml", "xml"),
        "html": (_html().encode(), "xls", "html"),
        "parquet": (_parquet(folder), "parquet", "parquet"),
        "gzip": (gzip.compress(csv.encode(), mtime=0), "csv", "csv"),
        "zip": (_archive(csv.encode("gb18030")), "zip", "csv"),
    }
    for name, (content, extension, form) in other.items():
        used = replace(found, file_format=form, sheet=None)
        result.append(Seed(name, extension, content, used))
    return result


def _delimited(delimiter: str, quote: str) -> str:
    lines = [delimiter.join(f"{quote}{v}{quote}" if "，" in v else v for v in row) for row in TABLE]
    return "\r\n".join(lines) + "\r\n"


def _records() -> list[dict[str, str]]:
    return [dict(zip(HEADERS, row, strict=True)) for row in ROWS]


def _lines() -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in _records())


def _geojson() -> str:
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [118.3, 35.1]},
         "properties": record}
        for record in _records()
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _xml() -> str:
    rows = "".join(
        "<row>" + "".join(f"<{k}>{v}</{k}>" for k, v in record.items()) + "</row>"
        for record in _records()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><rows>{rows}</rows>'


def _html() -> str:
    rows = "".join("<tr>" + "".join(f"<td>{v}</td>" for v in row) + "</tr>" for row in TABLE)
    return f'<html><head><meta charset="utf-8"></head><body><table>{rows}</table></body></html>'


def _workbook() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("居住证")
        for position, row in enumerate(TABLE):
            for column, value in enumerate(row):
                sheet.write_string(position, column, value)
    return buffer.getvalue()


def _parquet(folder: Path) -> bytes:
    path = folder / "seed.parquet"
    pl.DataFrame(_records()).write_parquet(path)
    return path.read_bytes()


def _archive(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("residence_permit.csv", content)
    return buffer.getvalue()
