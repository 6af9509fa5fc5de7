"""The SQLAlchemy dialect through which Great Expectations speaks to DuckDB.

Belongs here: everything that knows duckdb-engine, so that one module changes when GX has a
DuckDB data source of its own.
Does not belong here: suites and results (`suites`, `runner`).

GX closes its connection before it fetches; duckdb-engine's cursor is then empty. The dialect
`duckdb.buffered` fetches every row as soon as a statement has run. Hence what GX asks for must
be small: counts and aggregates, never the failing rows themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import duckdb_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGExecutionContext_psycopg2
from sqlalchemy.engine import URL
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

DIALECT = "duckdb.buffered"


class _BufferedContext(PGExecutionContext_psycopg2):
    def post_exec(self) -> None:
        super().post_exec()  # type: ignore[no-untyped-call]
        if self.cursor.description:
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(self.cursor)


class BufferedDialect(duckdb_engine.Dialect):
    """duckdb-engine's dialect whose results outlive the connection."""

    execution_ctx_cls = _BufferedContext
    supports_statement_cache = False

    def connect(self, *_: Any, **cparams: Any) -> Any:
        """With the settings alone: duckdb-engine adds its name to them, and DuckDB lets nobody
        open a file that is open in this process with other settings."""
        connection = duckdb.connect(cparams["database"], config=cparams["url_config"])
        return duckdb_engine.ConnectionWrapper(connection)


registry.register(DIALECT, __name__, BufferedDialect.__name__)


def connection_url(warehouse: Path, settings: Mapping[str, str]) -> str:
    """The URL of a DuckDB file; `settings` are DuckDB's (`memory_limit`, `threads`).

    Nobody else may hold the file open with other settings in this process.
    """
    url = URL.create(DIALECT.replace(".", "+"), database=str(warehouse), query=dict(settings))
    return url.render_as_string(hide_password=False)
