"""A short bounded run of the fuzzer in every test run; the long one is `tests.fuzz.run`."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

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
    assert outcome.count("loaded") > FILES // 10, "mutations so strong that nothing loads"
    assert outcome.count("refused") > FILES // 10, "mutations so weak that all loads"


def test_every_rare_mutation_goes_through(tmp_path: Path) -> None:
    """Bombs and odd archives are rare in a short run; each must be met at least once."""
    sound = {seed.name: seed for seed in seeds.seeds(tmp_path)}
    for mutation in mutations.RARE:
        for name in ("utf-8", "zip", "xml", "xlsx"):
            data = mutation(Random(7), sound[name].content)  # noqa: S311
            one(tmp_path / f"{mutation.__name__}_{name}", sound[name], data)


REGRESSIONS = sorted((Path(__file__).parent / "regressions").iterdir())


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_broke_the_door_is_loaded_or_refused(path: Path, tmp_path: Path) -> None:
    """Files kept by the long run; the name says which sound file they were, and what broke."""
    sound = {seed.name.replace(" ", "_"): seed for seed in seeds.seeds(tmp_path)}
    seed = sound[path.stem.partition("__")[0]]
    assert one(tmp_path / "home", seed, path.read_bytes()).partition(":")[0] in {
        "loaded", "refused",
    }  # fmt: skip
