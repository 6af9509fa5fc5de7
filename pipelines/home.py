"""Where things lie: the folders of one Yishu home and of the project itself.

Belongs here: paths, and nothing that reads or writes them but `Home.create`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Home:
    """The data of one city: what arrived, what was made of it, what goes out."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """`YISHU_HOME`, or `./data` below the project."""
        return cls(Path(os.environ.get("YISHU_HOME") or PROJECT / "data").resolve())

    @property
    def landing(self) -> Path:
        """`landing/<department>/<dataset>_<YYYYMMDD>[_n].<ext>`: what arrived, as it arrived."""
        return self.root / "landing"

    @property
    def archive(self) -> Path:
        """`archive/<sm3 prefix>/<sm3>.<ext>`: every original, never changed."""
        return self.root / "archive"

    @property
    def raw(self) -> Path:
        """`raw/<department>/<dataset>/business_date=…/<delivery_id>.parquet` and its receipt."""
        return self.root / "raw"

    @property
    def quarantine(self) -> Path:
        """As `raw`: the rows that were refused, with line, original text and reasons."""
        return self.root / "quarantine"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that the night writes; analysts never open it."""
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """`published/<version>/marts.duckdb`, and the link `current`."""
        return self.root / "published"

    @property
    def outbox(self) -> Path:
        """`outbox/<department>/`: what goes home to the departments."""
        return self.root / "outbox"

    @property
    def data_docs(self) -> Path:
        """Great Expectations' static site, for data engineers (`yishu docs`)."""
        return self.root / "data_docs"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"

    @property
    def dbt_target(self) -> Path:
        """dbt's manifest, compiled SQL and logs."""
        return self.root / "dbt"

    @property
    def sample_truth(self) -> Path:
        """The truth about the sample city; only `yishu evaluate` and the tests read it."""
        return self.root / "sample_truth"

    @property
    def token_key(self) -> Path:
        """The key of the SM3 tokens; made once, readable by the owner alone."""
        return self.root / "secrets" / "token.key"

    @property
    def lock(self) -> Path:
        """Held while a night runs, so that there is one writer."""
        return self.root / ".night.lock"

    def create(self) -> Home:
        """Make the folders that must be there before a night; returns itself."""
        for folder in (self.landing, self.archive, self.raw, self.quarantine, self.published,
                       self.outbox, self.dagster, self.dbt_target):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
        return self


def sources_folder() -> Path:
    """The contracts' folder: `YISHU_SOURCES`, or the project's own."""
    return Path(os.environ.get("YISHU_SOURCES") or PROJECT / "pipelines" / "sources").resolve()


def dbt_project_folder() -> Path:
    """The dbt project: `YISHU_DBT_PROJECT`, or the project's own."""
    return Path(os.environ.get("YISHU_DBT_PROJECT") or PROJECT / "dbt_project").resolve()


def file_date(business_date: date) -> str:
    """A business date as it stands in file names."""
    return business_date.strftime("%Y%m%d")
