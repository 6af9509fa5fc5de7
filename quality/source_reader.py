"""`servers[0]` of a contract → the settings of a source that is not a file in landing.

Belongs here: the types `postgres`, `mysql`, `api`, `sftp`, and `local` with an absolute path;
every problem goes to the contract's reader, with its place. Does not belong here: fetching.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quality.contract import Column
from quality.source import ApiSource, DatabaseSource, FileSource, Source
from quality.yaml_lines import Location, Refuse

DATABASES = {"postgres": 5432, "mysql": 3306}
"""Type of a database server → its usual port."""
TYPES = ("local", *DATABASES, "api", "sftp")
_ENVIRONMENT = re.compile(r"^[A-Z][A-Z0-9_]*$")
_SELECT = re.compile(r"^\s*(select|with)\b", re.IGNORECASE)
_GROWING = ("integer", "date", "timestamp")
_SECRETS = ("user", "username", "password", "secret", "token", "key", "apikey", "privatekey")

_DATABASE = {
    "query": str, "credentials": str, "incrementalBy": str, "timeoutSeconds": float,
    "timezone": str, "tls": ("disable", "prefer", "require", "verify-full"),
}  # fmt: skip
_API = {
    "records": str, "total": str, "paging": ("none", "start", "page", "cursor"), "pageSize": int,
    "firstPage": int, "startParameter": str, "pageParameter": str, "sizeParameter": str,
    "cursorParameter": str, "nextCursor": str, "parameters": dict,
    "authentication": ("none", "bearer", "basic", "signature"), "credentials": str,
    "signatureHeaders": list, "requestsPerSecond": float, "timeoutSeconds": float,
    "patienceSeconds": float,
}  # fmt: skip
_FILES = {"credentials": str, "knownHosts": str, "settleSeconds": float, "timeoutSeconds": float,
          "timezone": str}  # fmt: skip


def is_elsewhere(server: Mapping[str, Any]) -> bool:
    """Whether the data must be fetched, rather than arrive in landing by itself."""
    kind = server.get("type", "local")
    return kind in TYPES[1:] or (kind == "local" and str(server.get("path", "")).startswith("/"))


def is_written_here(server: Mapping[str, Any]) -> bool:
    """Whether the fetch makes the file itself, of rows that it is given."""
    return server.get("type") in (*DATABASES, "api")


def read_source(
    server: Mapping[str, Any], where: Location, columns: list[Column], refuse: Refuse
) -> Source | None:
    """The source that one server describes; None where something is wrong with it.

    Args:
        server: `servers[0]` as plain data.
        where: its place in the document.
        columns: of the contract; `incrementalBy` names one of them.
        refuse: told of each problem: place, rule, message.
    """
    reader = _SourceReader(server, where, refuse)
    kind = str(server.get("type", "local"))
    if kind in DATABASES:
        source: Source = reader.database(kind, columns)
    elif kind == "api":
        source = reader.api()
    else:
        source = reader.files(kind)
    return None if reader.refused else source


class _SourceReader:
    """Reads one server; remembers whether anything was refused."""

    def __init__(self, server: Mapping[str, Any], where: Location, refuse: Refuse) -> None:
        self.server = server
        self.where = where
        self.refused = False
        self._refuse = refuse

    def refuse(self, place: Location, message: str) -> None:
        self.refused = True
        self._refuse((*self.where, *place), "server", message)

    def database(self, kind: str, columns: list[Column]) -> DatabaseSource:
        own = self._settings(_DATABASE, only=True)
        for name in ("host", "database"):
            if not self.server.get(name):
                self.refuse((name,), f"a server of type {kind} needs {name}")
        query = str(own.get("query", "")).strip().rstrip(";").rstrip()
        if not _SELECT.match(query) or ";" in query:
            self.refuse((), "customProperties needs query: one select, without a semicolon")
        growing = own.get("incremental_by")
        if growing is not None and not any(
            column.name == growing and column.logical_type in _GROWING for column in columns
        ):
            self.refuse(
                (), f"incrementalBy must name a column of type {', '.join(_GROWING)} (its `name`)"
            )
        self._credentials(own)
        return DatabaseSource(
            kind=kind,
            host=str(self.server.get("host")),
            port=self._port(self.server.get("port"), DATABASES[kind]),
            database=str(self.server.get("database")),
            schema=self.server.get("schema"),
            **{"credentials": "", **own, "query": query},
        )

    def api(self) -> ApiSource:
        own = self._settings(_API, only=True)
        location = str(self.server.get("location", ""))
        parts = urlsplit(location)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            self.refuse(("location",), "location must be an http(s) address, without a user in it")
        if own.get("authentication", "none") != "none":
            self._credentials(own)
        headers = own.get("signature_headers")
        if headers is not None and len(headers) != 4:
            message = "signatureHeaders lists four names: client id, timestamp, nonce, signature"
            self.refuse((), message)
        return ApiSource(location=location, **own)

    def files(self, kind: str) -> FileSource:
        own = self._settings(_FILES, only=False)
        if kind == "local":
            path = PurePosixPath(str(self.server.get("path")))
            host, port, kind = None, 22, "folder"
        else:
            parts = urlsplit(str(self.server.get("location", "")))
            if parts.scheme != "sftp" or not parts.hostname or parts.username:
                message = "location must be sftp://host/folder/pattern, without a user in it"
                self.refuse(("location",), message)
            path, host = PurePosixPath(parts.path or "/"), parts.hostname
            port = self._port(_port_of(parts.netloc), 22)
            self._credentials(own)
        if not path.name or "*" in str(path.parent):
            self.refuse((), "the path must end in a file name or pattern, such as resident_*.csv")
        return FileSource(
            kind=kind, folder=str(path.parent), pattern=path.name, host=host, port=port, **own
        )

    def _settings(self, known: Mapping[str, Any], *, only: bool) -> dict[str, Any]:
        """The custom properties that `known` lists, by the names of the source's fields."""
        found: dict[str, Any] = {}
        for position, item in enumerate(self.server.get("customProperties") or []):
            name, value = str(item.get("property")), item.get("value")
            place: Location = ("customProperties", position)
            if name.lower().replace("_", "") in _SECRETS:
                message = (
                    f"{name} must not stand in a contract; set credentials to the prefix of "
                    "environment variables"
                )
                self.refuse(place, message)
            elif name in known:
                found[_snake(name)] = self._value(name, value, known[name], place)
            elif only:
                self.refuse(place, f"{name!r} is unknown here; there are {', '.join(known)}")
        if "timezone" in found:
            try:
                ZoneInfo(str(found["timezone"]))
            except (ZoneInfoNotFoundError, ValueError):
                self.refuse((), "timezone must be a name such as Asia/Shanghai")
        return found

    def _value(self, name: str, value: Any, kind: Any, place: Location) -> Any:
        if isinstance(kind, tuple):
            if value not in kind:
                self.refuse(place, f"{name} must be one of {', '.join(kind)}")
            return value
        if kind in (int, float):
            if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
                self.refuse(place, f"{name} must be a number that is not negative")
                return 1
            if kind is float and value == 0 and name != "settleSeconds":
                self.refuse(place, f"{name} must be more than 0")
            return kind(value)
        if not isinstance(value, kind):
            self.refuse(place, f"{name} must be a {kind.__name__}")
            return kind()
        if kind is dict:
            return {str(key): str(item) for key, item in value.items()}
        return tuple(str(item) for item in value) if kind is list else value

    def _credentials(self, own: Mapping[str, Any]) -> None:
        if not _ENVIRONMENT.match(str(own.get("credentials", ""))):
            message = (
                "customProperties needs credentials: the prefix of the environment variables "
                "that hold them, such as LINYI_TAX_DB"
            )
            self.refuse((), message)

    def _port(self, value: Any, usual: int) -> int:
        text = str(usual if value is None else value)
        if not text.isdecimal() or not 0 < int(text) < 65536:
            self.refuse(("port",), "port must be a number between 1 and 65535")
            return usual
        return int(text)


def _port_of(netloc: str) -> str | None:
    return netloc.rsplit(":", 1)[1] if re.search(r":[^\]]*$", netloc) else None


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
