"""Improvement campaigns: declared in YAML, measured by the scores of each night.

Belongs here: reading `campaign_plans/*.yaml`, the progress as a pure function, and its table.
Does not belong here: the scores themselves (`scoring`); showing the progress (`feedback`).

A campaign that cannot be read stops no night: it is named among the problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import yaml

from quality.contract import DIMENSIONS
from quality.results import replace_night
from quality.scoring import OVERALL, mean
from quality.weights import Weights

DEFAULT_PLANS = Path(__file__).with_name("campaign_plans")

NOT_STARTED, NO_BASELINE, NOT_ASSESSED = "not_started", "no_baseline", "not_assessed"
RUNNING, REACHED, MISSED = "running", "reached", "missed"
STATUSES = {
    NOT_STARTED: "未开始",
    NO_BASELINE: "基线日无得分",
    NOT_ASSESSED: "今日无得分",
    RUNNING: "进行中",
    REACHED: "已达标",
    MISSED: "到期未达标",
}
"""Status → Chinese name. A campaign that reached its target and fell back is running again."""

ScoreKey = tuple[str, str]
"""Dataset as `department/dataset`, and dimension."""


@dataclass(frozen=True)
class Campaign:
    """One declared campaign."""

    campaign: str
    """Name of its file, without the ending."""
    name: str
    datasets: tuple[str, ...]
    """As `department/dataset`."""
    dimension: str
    baseline: date
    target: float
    until: date
    owner: str


@dataclass(frozen=True)
class CampaignProgress:
    """One row of `quality.campaign_progress`: where a campaign stood on one night."""

    business_date: date
    campaign: str
    name: str
    owner: str
    dimension: str
    datasets: int
    datasets_scored: int
    """Of them, those with a score on this night."""
    baseline: date
    until: date
    baseline_score: float | None
    score: float | None
    target: float
    progress: float | None
    """Share of the way from the baseline to the target, 0 to 1."""
    open_orders: int
    """Open orders on its datasets, of its dimension."""
    status: str


@dataclass(frozen=True)
class Plans:
    """The usable campaigns, and what is wrong with the others."""

    campaigns: tuple[Campaign, ...]
    problems: tuple[str, ...]


def read_plans(folder: Path = DEFAULT_PLANS, known: Iterable[str] = ()) -> Plans:
    """Read every campaign of a folder, in the order of their names.

    Args:
        folder: with one YAML file a campaign; it may be missing.
        known: `department/dataset` of the catalogue; empty where that does not matter.
    """
    campaigns, problems = [], []
    datasets = frozenset(known)
    for path in sorted(folder.glob("*.yaml")):
        try:
            campaigns.append(_campaign(path, datasets))
        except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            problems.append(f"{path.name}: {error}: compare with the example in docs/feedback.md")
    return Plans(tuple(campaigns), tuple(problems))


def _campaign(path: Path, known: frozenset[str]) -> Campaign:
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    campaign = Campaign(
        path.stem, str(data["name"]), tuple(map(str, data["datasets"])), str(data["dimension"]),
        data["baseline"], float(data["target"]), data["until"], str(data["owner"]),
    )  # fmt: skip
    if campaign.dimension not in (*DIMENSIONS, OVERALL):
        raise ValueError(f"dimension must be one of {', '.join((*DIMENSIONS, OVERALL))}")
    if not isinstance(campaign.baseline, date) or not isinstance(campaign.until, date):
        raise ValueError("baseline and until must be dates; write 2026-06-30")
    if campaign.until <= campaign.baseline:
        raise ValueError("until must be later than baseline")
    if not 0 < campaign.target <= 100:
        raise ValueError("target must be a score above 0, at most 100")
    unknown = [name for name in campaign.datasets if known and name not in known]
    if unknown or not campaign.datasets:
        raise ValueError(f"datasets: no such dataset: {', '.join(unknown) or 'none is named'}")
    return campaign


def measure(
    campaign: Campaign,
    business_date: date,
    scores: Mapping[date, Mapping[ScoreKey, float]],
    weights: Weights,
    open_orders: int = 0,
) -> CampaignProgress:
    """Where the campaign stands.

    Args:
        campaign: the plan.
        business_date: the night.
        scores: of the baseline's night and of this one: what was assessed.
        weights: give each dataset's weight.
        open_orders: on its datasets, of its dimension.
    """
    before, _ = _average(campaign, scores.get(campaign.baseline, {}), weights)
    now, scored = _average(campaign, scores.get(business_date, {}), weights)
    return CampaignProgress(
        business_date=business_date,
        campaign=campaign.campaign,
        name=campaign.name,
        owner=campaign.owner,
        dimension=campaign.dimension,
        datasets=len(campaign.datasets),
        datasets_scored=scored,
        baseline=campaign.baseline,
        until=campaign.until,
        baseline_score=before,
        score=now,
        target=campaign.target,
        progress=_progress(before, now, campaign.target),
        open_orders=open_orders,
        status=_status(campaign, business_date, before, now),
    )


def _average(
    campaign: Campaign, scores: Mapping[ScoreKey, float], weights: Weights
) -> tuple[float | None, int]:
    found = [
        (scores[name, campaign.dimension], weights.of_dataset(*name.split("/", 1)))
        for name in campaign.datasets
        if (name, campaign.dimension) in scores
    ]
    return mean(found)[0], len(found)


def _progress(before: float | None, now: float | None, target: float) -> float | None:
    if before is None or now is None:
        return None
    if now >= target:
        return 1.0
    if before >= target:
        return 0.0  # it began above the target and has fallen below it
    return max(0.0, (now - before) / (target - before))


def _status(
    campaign: Campaign, business_date: date, before: float | None, now: float | None
) -> str:
    if business_date < campaign.baseline:
        return NOT_STARTED
    if before is None:
        return NO_BASELINE
    if now is None:
        return NOT_ASSESSED
    if now >= campaign.target:
        return REACHED
    return MISSED if business_date > campaign.until else RUNNING


PROGRESS_TABLE = """
create schema if not exists quality;
create table if not exists quality.campaign_progress (
    business_date date not null, campaign varchar not null, name varchar not null,
    owner varchar not null, dimension varchar not null, datasets bigint not null,
    datasets_scored bigint not null, baseline date not null, until date not null,
    baseline_score double, score double, target double not null, progress double,
    open_orders bigint not null, status varchar not null
)
"""
_COLUMNS = [field.name for field in fields(CampaignProgress)]


def measure_all(
    connection: duckdb.DuckDBPyConnection,
    campaigns: Sequence[Campaign],
    business_date: date,
    weights: Weights,
) -> list[CampaignProgress]:
    """Measure every campaign and write the night's rows of `quality.campaign_progress`.

    Needs `quality.dataset_score` and `quality.work_order`.
    """
    found = [
        measure(
            campaign,
            business_date,
            _scores(connection, {campaign.baseline, business_date}),
            weights,
            _open_orders(connection, campaign),
        )
        for campaign in campaigns
    ]
    connection.execute(PROGRESS_TABLE)
    rows = [asdict(progress) for progress in found]
    replace_night(connection, "quality.campaign_progress", business_date, _COLUMNS, rows)
    return found


def read_progress(
    connection: duckdb.DuckDBPyConnection, business_date: date
) -> list[CampaignProgress]:
    """The rows of one night."""
    rows = connection.execute(
        f"select {', '.join(_COLUMNS)} from quality.campaign_progress where business_date = ? "
        "order by until, campaign",
        [business_date],
    ).fetchall()
    return [CampaignProgress(*row) for row in rows]


def _scores(
    connection: duckdb.DuckDBPyConnection, nights: set[date]
) -> dict[date, dict[ScoreKey, float]]:
    rows = connection.execute(
        "select business_date, department || '/' || dataset, dimension, score "
        "from quality.dataset_score where score is not null and list_contains(?, business_date)",
        [sorted(nights)],
    ).fetchall()
    found: dict[date, dict[ScoreKey, float]] = {}
    for night, name, dimension, score in rows:
        found.setdefault(night, {})[name, dimension] = score
    return found


def _open_orders(connection: duckdb.DuckDBPyConnection, campaign: Campaign) -> int:
    row = connection.execute(
        "select count(*) from quality.work_order where state = 'open' "
        "and list_contains(?, department || '/' || dataset) and ? in ('overall', dimension)",
        [list(campaign.datasets), campaign.dimension],
    ).fetchone()
    return int(row[0]) if row else 0
