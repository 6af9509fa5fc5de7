"""Dagster's own SQLite storage, with its connections kept open.

Belongs here: how a home's runs and events are stored. Does not belong here: what they say.

Dagster opens a connection for every event, twice for an asset's, and closes it again: each time
SQLAlchemy compiles the statement anew, and SQLite, left by its last connection, folds its log
back into the file and waits for the disk. A night writes some three hundred events. The files are
the same as those of the storage that Dagster ships; either reads what the other has written.

The three classes made other here are not part of Dagster's public interface: a new minor version of
it is taken up once `tests/integration/test_dagster_storage.py` passes with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

_PATIENCE = 30
"""Seconds to wait for another process that writes."""


def _kept_open(url: str) -> db.Engine:
    """Its connection stays; a commit waits for the disk only where the log is folded back.

    In SQLite's words: a write-ahead log with `synchronous = normal`. A power cut may cost the
    newest events of a run, which a rerun writes again, and cannot damage the file.
    """
    engine = db.create_engine(
        url, pool_size=1, max_overflow=-1, connect_args={"timeout": _PATIENCE}
    )

    @db.event.listens_for(engine, "connect")
    def _set(connection: Any, _: object) -> None:
        connection.execute("pragma synchronous = normal")

    return engine


class KeptRunStorage(SqliteRunStorage):
    """The table of runs."""

    @cached_property
    def _engine(self) -> db.Engine:
        return _kept_open(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[db.Connection]:
        """A transaction on the connection that is kept."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()
        self._engine.dispose()


class KeptEventLogStorage(SqliteEventLogStorage):
    """The index over all runs, and the file of the run that was last asked for."""

    @cached_property
    def _engines(self) -> dict[str, db.Engine]:
        return {}

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        with self._db_lock:
            if shard not in self._engines:
                if shard != INDEX_SHARD_NAME:
                    self._close_runs()
                self._engines[shard] = _kept_open(self.conn_string_for_shard(shard))
            engine = self._engines[shard]
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store it, and touch the run's file: who watches the run watches that, and SQLite changes
        it only when the log is folded back."""
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    def wipe(self) -> None:
        """Forget all events; the files of the runs go."""
        with self._db_lock:
            self._close_runs()
        super().wipe()

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        with self._db_lock:
            self._close_runs()
            if INDEX_SHARD_NAME in self._engines:
                self._engines.pop(INDEX_SHARD_NAME).dispose()

    def _close_runs(self) -> None:
        for shard in self._engines.keys() - {INDEX_SHARD_NAME}:
            self._engines.pop(shard).dispose()


class KeptSqliteStorage(DagsterSqliteStorage):
    """What `dagster.yaml` names; `base_dir` is the folder that holds `history` and `schedules`."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        super().__init__(base_dir, inst_data)
        history = Path(base_dir) / "history"
        self._run_storage = KeptRunStorage.from_local(f"{history}/")
        self._event_log_storage = KeptEventLogStorage(f"{history / 'runs'}/")

    @classmethod
    def from_config_value(
        cls, inst_data: Any, config_value: Mapping[str, Any]
    ) -> KeptSqliteStorage:
        """As Dagster makes it from the file."""
        return cls.from_local(inst_data=inst_data, **config_value)
