"""Where a benchmarked city lies on disk. Nothing else belongs here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.home import Home, file_date


@dataclass(frozen=True)
class Places:
    """The folder of one city: its home, its deliveries once more, and what was measured."""

    folder: Path

    @property
    def home(self) -> Home:
        """The home in which its nights run."""
        return Home(self.folder / "home")

    def deliveries(self, business_date: date) -> Path:
        """What arrives on a night, below one folder a department, for those who read it again."""
        return self.folder / "deliveries" / file_date(business_date)

    @property
    def work(self) -> Path:
        """For what a baseline writes."""
        return self.folder / "work"

    @property
    def state(self) -> Path:
        """What has been measured so far, as JSON."""
        return self.folder / "measured.json"

    @property
    def profile(self) -> Path:
        """Where the seconds of a night went, as JSON."""
        return self.folder / "profile.json"
