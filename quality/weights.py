"""Reads `weights.yaml`: what counts how much in scores.

Belongs here: the typed weights and their checks. Does not belong here: the arithmetic
(`scoring`); deadlines (`work_orders.policy`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quality.contract import DIMENSIONS
from quality.indicators import read_indicators

DEFAULT_WEIGHTS = Path(__file__).with_name("weights.yaml")


class WeightsError(ValueError):
    """The weights cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True)
class Weights:
    """The weights of one city."""

    dimensions: Mapping[str, float]
    indicators: Mapping[str, float]
    """Code of a sub-indicator → its weight in its dimension; what is not here does not count."""
    severities: Mapping[str, float]
    datasets: Mapping[str, float]
    default_dataset_weight: float
    engines: tuple[str, ...]
    scored_rules: tuple[str, ...]
    """Rules that count though their engine does not."""
    unscored_rules: tuple[str, ...]
    grades: tuple[tuple[str, float], ...]
    """Grade and its lowest score, best first; the last starts at 0."""

    def counts(self, engine: str, rule_id: str) -> bool:
        """Whether the results of a rule count towards scores."""
        is_scored = engine in self.engines or rule_id in self.scored_rules
        return is_scored and rule_id not in self.unscored_rules

    def of_dimension(self, dimension: str) -> float:
        """Weight of all sub-indicators of a dimension that count."""
        known = read_indicators()
        own = [w for code, w in self.indicators.items() if known[code].dimension == dimension]
        return sum(own)

    def of_dataset(self, department: str, dataset: str) -> float:
        """Weight of one dataset in its department and in the city."""
        return self.datasets.get(f"{department}/{dataset}", self.default_dataset_weight)

    def grade(self, score: float | None) -> str | None:
        """The grade of a score; what was not assessed has none."""
        if score is None:
            return None
        return next(grade for grade, lowest in self.grades if score >= lowest)


def read_weights(path: Path = DEFAULT_WEIGHTS) -> Weights:
    """Read and check the weights.

    Raises:
        WeightsError: a key is missing or a number makes no sense.
    """
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        weights = Weights(
            dimensions={name: float(data["dimensions"][name]) for name in DIMENSIONS},
            indicators={code: float(w) for code, w in data["indicators"].items()},
            severities={name: float(data["severities"][name]) for name in ("error", "warning")},
            datasets={str(k): float(v) for k, v in (data["datasets"] or {}).items()},
            default_dataset_weight=float(data["default_dataset_weight"]),
            engines=tuple(data["engines"]),
            scored_rules=tuple(data["scored_rules"]),
            unscored_rules=tuple(data["unscored_rules"]),
            grades=tuple((str(item["grade"]), float(item["from"])) for item in data["grades"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: {error}: compare with {DEFAULT_WEIGHTS}") from error
    unknown = weights.indicators.keys() - read_indicators().keys()
    if unknown:
        named = ", ".join(sorted(map(str, unknown)))
        raise WeightsError(f"{path}: indicators: {named} is no sub-indicator; write it as '0201'")
    numbers = [*weights.dimensions.values(), *weights.indicators.values(),
               *weights.severities.values(),
               *weights.datasets.values(), weights.default_dataset_weight]  # fmt: skip
    if min(numbers) <= 0:
        raise WeightsError(f"{path}: every weight must be above 0")
    lowest = [bound for _, bound in weights.grades]
    if lowest != sorted(lowest, reverse=True) or not lowest or lowest[-1] != 0:
        raise WeightsError(f"{path}: grades must go from the best to the one that starts at 0")
    return weights
