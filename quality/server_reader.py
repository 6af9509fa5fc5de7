"""The server of a contract → where and in which layout a dataset's files arrive.

Belongs here: `servers[0]`: path, format, encoding, delimiter and what else tells how to read a
file. Does not belong here: the settings of a source that must be fetched (`source_reader`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality import source_reader
from quality.contract import Column
from quality.custom_properties import custom_properties
from quality.source import Source
from quality.yaml_lines import Location, Refuse

ENCODINGS = (
    "utf-8", "gb18030", "gbk", "gb2312", "big5", "utf-16", "utf-16le", "utf-16be",
)  # fmt: skip
FORMATS = (
    "csv", "tsv", "fixed", "xlsx", "xlsm", "xls", "ods", "json", "geojson", "ndjson", "xml",
    "html", "parquet",
)  # fmt: skip
HEADER_ROWS = (0, 1, 2)
_WRITTEN_HERE = {"format": "csv", "encoding": "utf-8", "delimiter": ","}
"""What Yishu writes itself when it fetches rows: see `pipelines.fetch`."""


@dataclass(frozen=True)
class Server:
    """How a dataset's files arrive, as `Contract` keeps it; None is left to the evidence."""

    file_pattern: str
    file_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_rows: int | None = None
    widths: tuple[int, ...] = ()
    record: str | None = None
    source: Source | None = None
    """Where the data are fetched from; None where the files arrive by themselves."""


def read_server(
    data: dict[str, Any], place: tuple[str, str], columns: list[Column], refuse: Refuse
) -> Server:
    """Read the one server of a document; every problem goes to `refuse`.

    Args:
        data: the whole document.
        place: department and dataset.
        columns: of the dataset, which a source may name.
        refuse: takes location, rule and message of a problem.
    """
    servers = data.get("servers") or []
    if len(servers) != 1:
        refuse(("servers",), "server", "name exactly one server: where the files arrive")
        return Server("")
    server, where = servers[0], ("servers", 0)
    if server.get("type") not in source_reader.TYPES:
        message = f"type must be one of {', '.join(source_reader.TYPES)}"
        refuse((*where, "type"), "server", message)
    source = None
    if source_reader.is_elsewhere(server):
        source = source_reader.read_source(server, where, columns, refuse)
    found = _with_pattern(server, where, place, refuse)
    custom = {name: value for name, (value, _) in custom_properties(found, where).items()}
    return Server(
        file_pattern=Path(str(found.get("path", ""))).name,
        file_format=found.get("format"),
        encoding=found.get("encoding"),
        delimiter=found.get("delimiter"),
        sheet=custom.get("sheet"),
        header_rows=custom.get("headerRows"),
        widths=tuple(custom["widths"]) if _are_widths(custom.get("widths")) else (),
        record=custom.get("record"),
        source=source,
    )


def _with_pattern(
    server: dict[str, Any], where: Location, place: tuple[str, str], refuse: Refuse
) -> dict[str, Any]:
    """The server with the path that its files have in landing."""
    department, dataset = place
    if source_reader.is_written_here(server):
        return {**server, **_WRITTEN_HERE, "path": f"{dataset}_*.csv"}
    _check_layout(server, where, refuse)
    if source_reader.is_elsewhere(server):
        ending = Path(str(server.get("path") or server.get("location"))).suffix
        return {**server, "path": f"{dataset}_*{ending}"}
    expected = f"landing/{department}/{dataset}_*."
    if not str(server.get("path", "")).startswith(expected):
        message = f"path must start with {expected} so that the name gives dataset and date"
        refuse((*where, "path"), "server", message)
    return server


def _check_layout(server: dict[str, Any], where: Location, refuse: Refuse) -> None:
    """What is left out is found by evidence; what is said must be something we know."""
    for key, known in (("format", FORMATS), ("encoding", ENCODINGS)):
        if server.get(key) is not None and server[key] not in known:
            message = f"{key} must be one of {', '.join(known)}; without it the file shows it"
            refuse((*where, key), "server", message)
    delimiter = server.get("delimiter")
    if delimiter is not None and (
        not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'
    ):
        refuse((*where, "delimiter"), "server", "delimiter must be a single character")
    custom = custom_properties(server, where)
    for name, (is_known, expected) in _LAYOUT_CHECKS.items():
        if name in custom and not is_known(custom[name][0]):
            refuse(custom[name][1], "server", f"{name} must be {expected}")
    if server.get("format") == "fixed" and "widths" not in custom:
        message = "a fixed-width file needs customProperties widths: [6, 18, …]"
        refuse((*where, "format"), "server", message)


def _are_widths(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(type(width) is int and width > 0 for width in value)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_header_rows(value: Any) -> bool:
    return type(value) is int and value in HEADER_ROWS


_LAYOUT_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "sheet": (_is_text, "the name of a sheet"),
    "record": (_is_text, "the name of an element or key"),
    "headerRows": (_is_header_rows, "0, 1 or 2"),
    "widths": (_are_widths, "a list of whole numbers above 0"),
}
