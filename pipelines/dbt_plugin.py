"""What DuckDB must know before dbt's models run: the SQL function `sm3_token`.

Belongs here: registering it on the connection that dbt-duckdb opens (profiles.yml names this
module). Does not belong here: the key and the hash (`tokens`).

A plain scalar function: on 300,000 resident numbers a vectorised Arrow function took the same
time or longer, because the hash itself is the work.
"""

from __future__ import annotations

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from pipelines.home import Home
from pipelines.tokens import read_key, tokenizer

FUNCTION = "sm3_token"


def register(connection: DuckDBPyConnection, key: bytes) -> None:
    """Make `sm3_token(varchar) -> varchar` known to a connection; null stays null."""
    connection.create_function(FUNCTION, tokenizer(key), ["VARCHAR"], "VARCHAR")


class Plugin(BasePlugin):
    """The name that dbt-duckdb looks for."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Register the function with the key of the home that the night works on."""
        register(conn, read_key(Home.from_environment().token_key))
