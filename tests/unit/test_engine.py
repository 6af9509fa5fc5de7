"""DuckDB's settings: a limit that follows the machine, and one that a person may set."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import engine
from pipelines.home import Home

GIB = 2**30


def test_the_limit_follows_the_memory_and_ends_at_five_gib() -> None:
    assert engine.memory_limit(8 * GIB) == int(3.2 * GIB)
    assert engine.memory_limit(24 * GIB) == engine.memory_limit(512 * GIB) == 5 * GIB


@pytest.mark.parametrize(("told", "expected"), [("1073741824", GIB), ("max", None), (None, None)])
def test_a_container_has_the_memory_of_its_group(
    told: str | None, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a night in a container would be killed where it could have spilled."""
    group = tmp_path / "memory.max"
    monkeypatch.setattr(engine, "_CONTROL_GROUP", group)
    machine = engine.memory()
    if told is not None:
        group.write_text(f"{told}\n")
    assert engine.memory() == (expected or machine)


def test_a_person_may_set_the_limit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YISHU_MEMORY_LIMIT", "300MiB")
    with engine.connect(home) as connection:
        assert connection.execute("select current_setting('memory_limit')").fetchone() == (
            "300.0 MiB",
        )
