"""Where a dataset comes from when its department does not put files into landing.

Belongs here: the settings of a database, an API, a folder or an SFTP server, as the contract
states them. Does not belong here: reading them from YAML (`source_reader`), or fetching
(`pipelines.fetch`).

No setting holds a secret: `credentials` names environment variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TIMEZONE = "Asia/Shanghai"
"""The zone in which times without one are meant, unless the contract says otherwise."""


@dataclass(frozen=True)
class DatabaseSource:
    """One declared query on PostgreSQL or MySQL."""

    kind: str
    """`postgres` or `mysql`."""
    host: str
    port: int
    database: str
    query: str
    """One `select` that gives a column for each header; `{business_date}` is the date."""
    credentials: str
    """Prefix of the environment variables `…_USER` and `…_PASSWORD`."""
    schema: str | None = None
    incremental_by: str | None = None
    """Name of the integer, date or timestamp column that grows with each change."""
    timeout_seconds: float = 600
    """How long the query may run, and how long the server may be silent."""
    timezone: str = TIMEZONE
    tls: str = "prefer"
    """`disable`, `prefer`, `require` or `verify-full`."""


@dataclass(frozen=True)
class ApiSource:
    """An HTTP API that answers JSON, page by page."""

    location: str
    records: str = ""
    """Path of the list of records in the answer, such as `data.rows`; empty: the answer itself."""
    total: str | None = None
    """Path of the number of all records, where the API states it."""
    paging: str = "none"
    """`start` (offset and size), `page` (number and size), `cursor` or `none`."""
    page_size: int = 500
    first_page: int = 1
    start_parameter: str = "start"
    page_parameter: str = "page"
    size_parameter: str = "size"
    cursor_parameter: str = "cursor"
    next_cursor: str = "next"
    """Path of the next cursor in the answer."""
    parameters: dict[str, str] = field(default_factory=dict, hash=False)
    """Further query parameters; `{business_date}` is the date."""
    authentication: str = "none"
    """`none`, `bearer` (`…_TOKEN`), `basic` (`…_USER`, `…_PASSWORD`) or `signature` (`…_ID`,
    `…_SECRET`)."""
    credentials: str | None = None
    signature_headers: tuple[str, str, str, str] = (
        "X-Client-Id", "X-Timestamp", "X-Nonce", "X-Signature",
    )  # fmt: skip
    """Names of the headers with client id, millisecond timestamp, nonce and signature."""
    requests_per_second: float = 5
    timeout_seconds: float = 30
    """How long one answer may take."""
    patience_seconds: float = 600
    """How long all failed requests and the waiting after them may take together."""


@dataclass(frozen=True)
class FileSource:
    """A folder of this machine, or of an SFTP server, that a department writes into."""

    kind: str
    """`folder` or `sftp`."""
    folder: str
    pattern: str
    """Glob of the file names in the folder."""
    host: str | None = None
    port: int = 22
    credentials: str | None = None
    """Prefix of `…_USER` and `…_PASSWORD` or `…_KEY_FILE`."""
    known_hosts: str = "secrets/known_hosts"
    """File of the host keys that are trusted; a relative path starts at the home."""
    settle_seconds: float = 60
    """A file that changed more recently may still be on its way and waits."""
    timeout_seconds: float = 600
    timezone: str = TIMEZONE


Source = DatabaseSource | ApiSource | FileSource
