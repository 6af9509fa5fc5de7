"""Makes the benchmark's city as a measured program: `MARKS RESIDENTS SEED DATE CHANGE_RATE`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from pipelines import sample_city
from pipelines.bench.meter import Marks
from pipelines.home import Home, sources_folder
from quality.catalogue import read_catalogue


def main() -> None:
    """Two nights of deliveries in `YISHU_HOME`, the second with the change rate that is given."""
    path, residents, seed, first_date, change_rate = sys.argv[1:]
    marks = Marks(Path(path))
    marks.set("sample")
    sample_city.build(
        Home.from_environment(),
        read_catalogue(sources_folder()),
        residents=int(residents),
        seed=int(seed),
        first_date=date.fromisoformat(first_date),
        nights=2,
        change_rate=float(change_rate),
    )
    marks.set("end")


if __name__ == "__main__":
    main()
