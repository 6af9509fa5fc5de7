"""A short bounded run of the fuzzer in every test run; the long one is `tests.fuzz.run`."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.fuzz import mutations, seeds
from tests.fuzz.run import one, run

FILES = 240


def test_sound_files_of_every_format_load(tmp_path: Path) -> None:
    """A seed that is refused unmutated would make the fuzzing of its format worthless."""
    refused = {}
    for seed in seeds.seeds(tmp_path):
        status = one(tmp_path / seed.name.replace(" ", "_"), seed, seed.content)
        if status != "loaded":
            refused[seed.name] = status
    assert refused == {}


def test_mutated_files_are_loaded_or_refused_and_never_crash_the_door() -> None:
    outcome = run(range(FILES), seed=20260630)
    assert outcome.broken == []
    assert outcome.files == FILES
    assert outcome.statuses["loaded"] > FILES // 10, "mutations so strong that nothing loads"
    assert outcome.statuses["refused"] > FILES // 10, "mutations so weak that all loads"


def test_every_rare_mutation_goes_through(tmp_path: Path) -> None:
    """Bombs and odd archives are rare in a short run; each must be met at least once."""
    sound = {seed.name: seed for seed in seeds.seeds(tmp_path)}
    for mutation in mutations.RARE:
        for name in ("utf-8", "zip", "xml", "xlsx"):
            data = mutation(Random(7), sound[name].content)  # noqa: S311
            one(tmp_path / f"{mutation.__name__}_{name}", sound[name], data)
