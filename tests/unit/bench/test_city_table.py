"""What is kept of a measured city, and how it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.bench import city
from pipelines.bench.city import Measured
from pipelines.bench.city_table import first_night, table
from pipelines.bench.meter import Usage
from pipelines.bench.places import Places


def usage(seconds: float, cpu: float | None = None) -> Usage:
    return Usage(seconds, cpu or seconds, 100.0 * seconds, 10.0, None)


def measured(residents: int, factor: float) -> Measured:
    return Measured(
        residents, "2 cores", rows=residents * 10, raw_mb=100.0 * factor,
        changed_rows=residents // 10, published_mb=30.0 * factor,
        steps={
            "night": {"ingest": usage(6 * factor), "models": usage(4 * factor)},
            "changed": {"ingest": usage(1 * factor)},
            "baseline": {"script": usage(5 * factor, 4 * factor)},
        },
        measured_on={"night": "2026-11-25"},
        profile=[
            {"stage": "ingest", "side": "engines", "seconds": 4.0, "cpu_seconds": 3.0},
            {"stage": "ingest", "side": "dagster", "seconds": 1.5, "cpu_seconds": 0.5},
            {"stage": "models", "side": "imports", "seconds": 0.5, "cpu_seconds": 0.5},
        ],
    )  # fmt: skip


def test_the_table_compares_with_the_script_and_between_sizes():
    """Prevents: a ratio against the wrong step, or growth between cities that are no neighbours."""
    text = table([measured(1_000_000, 10.0), measured(100_000, 1.0)])
    assert text.index("### 100,000 residents") < text.index("### 1,000,000 residents")
    assert "| **first night** | 10.0 | 10.0 | 600 | 20 | – | 2.00 (CPU 2.50) |" in text
    assert "| **a night with 1.0% changed rows** | 1.0 |" in text
    assert "The changed night is 10% of the first one (processor 10%)." in text
    assert "Published: 30 MB, 0.30 of the text." in text
    assert "Outside the engines: 2.0 s, 1.0 s of the processor." in text
    assert "(10.0 times the rows) the first night takes 10.0 times as long" in text


def test_a_night_in_stages_counts_what_each_stage_takes_to_start():
    """Prevents: a night that looks faster because it was measured in five commands."""
    whole = Measured(1, steps={s: {"start-up": usage(2), s: usage(3)} for s in city.STAGES})
    assert [found.seconds for found in first_night(whole).values()] == [5] * len(city.STAGES)
    del whole.steps["publish"]
    assert first_night(whole) == {}


def test_what_one_command_measured_the_next_one_knows(tmp_path: Path):
    """Prevents: a full-size run that forgets its first stages."""
    places = Places(tmp_path)
    measured(100_000, 1.0).write(places)
    assert Measured.read(places, 100_000) == measured(100_000, 1.0)


def test_a_step_without_its_city_says_what_to_do(tmp_path: Path):
    """Prevents: a night over an empty home that is shown as the fastest of all."""
    with pytest.raises(FileNotFoundError, match="--only sample"):
        city.run(tmp_path, 1000, ["night"], lambda _: None)
