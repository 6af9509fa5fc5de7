"""The quality loop on the smallest simulation that shows every kind of incident but slow drift."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.evaluation_quality import Outcome, Simulation, simulate
from pipelines.home import sources_folder
from quality.catalogue import read_catalogue

WARM_NIGHTS = 14


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    plan = Simulation(
        residents=1_500,
        seed=11,
        first_date=date(2026, 3, 2),
        nights=WARM_NIGHTS + 5,
        warm_nights=WARM_NIGHTS,
    )
    folder: Path = tmp_path_factory.mktemp("simulation")
    return simulate(folder, read_catalogue(sources_folder()), plan, lambda _: None)


@pytest.mark.slow
def test_each_fault_has_one_order_that_its_correction_closes(outcome: Outcome) -> None:
    """A rule that is not recognised, an order too many or one that never closes would go unseen."""
    assert not outcome.score.misses
    assert not [figure for figure in outcome.figures if figure.is_missed]


@pytest.mark.slow
def test_there_was_something_to_find(outcome: Outcome) -> None:
    """Figures over nothing would be perfect."""
    planted = {kind: count for kind, count, *_ in outcome.score.by_kind}
    assert len(planted) == 12
    assert planted["row_defect"] >= 10
