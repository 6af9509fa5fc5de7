"""Dagster's own SQLite storage, with its connections kept open.

Belongs here: how a home's runs and events are stored. Does not belong here: what they say.

Dagster opens a connection for every event, twice for an asset's, and closes it again: each time
SQLAlchemy compiles the statement anew, and SQLite, left by its last connection, folds its log
back into the file and waits for the disk. A night writes some three hundred events. The files are
the same as those of the storage that Dagster ships; either reads what the other has written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as db
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData


def _engine(url: str) -> db.Engine:
    """One connection, which stays; a commit waits for the disk only where the log is folded back.

    In SQLite's words: a write-ahead log with `synchronous = normal`. A power cut may cost the
    newest events of a run, which a rerun writes again, and cannot damage the file.
    """
    engine = db.create_engine(
        url,
        poolclass=db.QueuePool,
        pool_size=1,
        max_overflow=-1,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @db.event.listens_for(engine, "connect")
    def _set(connection: object, _: object) -> None:
        connection.execute("pragma synchronous = normal")  # type: ignore[attr-defined]

    return engine


class KeptRunStorage(SqliteRunStorage):
    """The table of runs."""

    _engine: db.Engine | None = None

    @contextmanager
    def connect(self) -> Iterator[db.Connection]:
        """A transaction on the connection that is kept."""
        if self._engine is None:
            self._engine = _engine(self._conn_string)
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


class KeptEventLogStorage(SqliteEventLogStorage):
    """The index over all runs, and the file of the run that was last asked for."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, db.Engine] = {}
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        with self._db_lock:
            engine = self._kept(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection
            if shard != INDEX_SHARD_NAME:
                # Who watches a run watches its file, and that changes only when the log is folded.
                with suppress(FileNotFoundError):
                    os.utime(self.path_for_shard(shard))

    def _kept(self, shard: str) -> db.Engine:
        if shard not in self._engines:
            for other in [name for name in self._engines if name != INDEX_SHARD_NAME]:
                if shard != INDEX_SHARD_NAME:
                    self._engines.pop(other).dispose()
            self._engines[shard] = _engine(self.conn_string_for_shard(shard))
        return self._engines[shard]

    def wipe(self) -> None:
        """Forget all events; the files of the runs go."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        self._close()

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


class KeptSqliteStorage(DagsterSqliteStorage):
    """What `dagster.yaml` names; `base_dir` is the folder that holds `history` and `schedules`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        history = Path(base_dir) / "history"
        self._run_storage = KeptRunStorage.from_local(f"{history}/")
        self._event_log_storage = KeptEventLogStorage(f"{history / 'runs'}/")

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> KeptSqliteStorage:
        """As Dagster makes it from the file."""
        return cls.from_local(inst_data=inst_data, **config_value)
