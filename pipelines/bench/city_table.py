"""The city benchmark as Markdown: one block a size, then what holds between two sizes.

Belongs here: figures into tables. Does not belong here: making the figures (`city`).
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from pipelines.bench.city import CHANGE_RATE, Measured
from pipelines.bench.city_run import STAGES
from pipelines.bench.meter import Usage, total
from pipelines.bench.sampler import ENGINES

_ALL = "**all**"
_TITLES = {
    "sample": "making the city (two nights)",
    "night": "first night",
    "again": "the same night again",
    "changed": "a night with {changed:.1%} changed rows",
    "baseline": "hand-written script, no checks",
    "pandas": "the checks on pandas and GX",
}


def table(cities: list[Measured]) -> str:
    """All cities that have figures, smallest first, and the growth between neighbours."""
    known = sorted((city for city in cities if city.steps), key=lambda city: city.residents)
    parts = [_city(city) for city in known]
    parts += [_growth(small, large) for small, large in pairwise(known)]
    return "\n".join(part for part in parts if part)


def first_night(city: Measured) -> dict[str, Usage]:
    """The first night's stages: of the whole night, or of its stages one by one."""
    if "night" in city.steps:
        return city.steps["night"]
    if not all(stage in city.steps for stage in STAGES):
        return {}
    # each stage had a process of its own: what it took to start is the stage's
    return {stage: total(list(city.steps[stage].values())) for stage in STAGES}


def _city(city: Measured) -> str:
    days = sorted(set(city.measured_on.values()))
    lines = [
        f"### {city.residents:,} residents",
        "",
        f"{city.rows:,} rows, {city.raw_mb:,.0f} MB of text; {city.machine}; {days[-1]}.",
        "",
        "| | s | CPU s | peak MB | read MB | written MB | of the script |",
        "|---|---|---|---|---|---|---|",
    ]
    script = _whole(city, "baseline")
    changed = city.changed_rows / city.rows if city.rows else CHANGE_RATE
    for step, title in _TITLES.items():
        stages = first_night(city) if step == "night" else city.steps.get(step, {})
        if not stages:
            continue
        compared = script if step not in ("sample", "baseline") else None
        lines.append(
            _row(f"**{title.format(changed=changed)}**", total(list(stages.values())), compared)
        )
        if step in ("night", "baseline", "changed"):
            lines += [_row(f"– {stage}", usage, None) for stage, usage in stages.items()]
    lines += _ratios(city)
    lines += [f"\n{step}: {why}" for step, why in city.failed.items()]
    return "\n".join([*lines, *_profile(city)]) + "\n"


def _row(title: str, usage: Usage, script: Usage | None) -> str:
    ratio = (
        f"{usage.seconds / script.seconds:.2f} (CPU {usage.cpu_seconds / script.cpu_seconds:.2f})"
        if script
        else ""
    )
    read, written = (
        "–" if value is None else f"{value:,.0f}" for value in (usage.read_mb, usage.written_mb)
    )
    return (
        f"| {title} | {usage.seconds:.1f} | {usage.cpu_seconds:.1f} | {usage.peak_mb:,.0f} "
        f"| {read} | {written} | {ratio} |"
    )


def _whole(city: Measured, step: str) -> Usage | None:
    stages = first_night(city) if step == "night" else city.steps.get(step)
    return total(list(stages.values())) if stages else None


def _ratios(city: Measured) -> list[str]:
    lines = []
    night, changed, pandas = (_whole(city, step) for step in ("night", "changed", "pandas"))
    if night and changed:
        lines.append(
            f"The changed night is {changed.seconds / night.seconds:.0%} of the first one "
            f"(processor {changed.cpu_seconds / night.cpu_seconds:.0%})."
        )
    if night and pandas and city.pandas:
        lines.append(
            f"pandas and GX ran {city.pandas['rules']} expectations and left "
            f"{city.pandas['rules_left_out']} rules out."
        )
    if city.published_mb and city.raw_mb:
        share = city.published_mb / city.raw_mb
        lines.append(f"Published: {city.published_mb:,.0f} MB, {share:.2f} of the text.")
    return ["", *lines] if lines else []


def _profile(city: Measured) -> list[str]:
    """Stage by side: where the seconds of the first night went, and those of the processor."""
    if not city.profile:
        return []
    spent: dict[tuple[str, str], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for entry in city.profile:
        for stage in (entry["stage"], _ALL):
            for side in (entry["side"], _ALL):
                seconds, cpu = spent[stage, side]
                spent[stage, side] = seconds + entry["seconds"], cpu + entry["cpu_seconds"]
    stages = [*dict.fromkeys(entry["stage"] for entry in city.profile), _ALL]
    sides = sorted({side for _, side in spent}, key=lambda side: -spent[_ALL, side][0])
    sides = [*(side for side in sides if side != _ALL), _ALL]
    lines = [
        "", "Where the seconds of a first night go, those of the processor in brackets (`engines`",
        "holds the project's own code too):", "",
        f"| stage | {' | '.join(sides)} |", "|---" * (len(sides) + 1) + "|",
    ]  # fmt: skip
    for stage in stages:
        cells = ["{:.1f} ({:.1f})".format(*spent[stage, side]) for side in sides]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    outside, cpu = (
        whole - inside
        for whole, inside in zip(spent[_ALL, _ALL], spent[_ALL, ENGINES], strict=True)
    )
    return [*lines, "", f"Outside the engines: {outside:.1f} s, {cpu:.1f} s of the processor."]


def _growth(small: Measured, large: Measured) -> str:
    before, after = _whole(small, "night"), _whole(large, "night")
    if not before or not after:
        return ""
    return (
        f"From {small.residents:,} to {large.residents:,} residents "
        f"({large.rows / small.rows:.1f} times the rows) the first night takes "
        f"{after.seconds / before.seconds:.1f} times as long, "
        f"{after.cpu_seconds / before.cpu_seconds:.1f} times the processor.\n"
    )
