"""`yishu source fetch`: one dataset's source, now, so that a person sees whether it works."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from pipelines.fetch.error import FetchError
from pipelines.fetch.fetch import fetch
from pipelines.home import Home, sources_folder
from pipelines.partitions import TIMEZONE
from pipelines.resources import City, NightRunningError
from quality.catalogue import read_catalogue
from quality.contract import Contract


def run(dataset: str, day: str | None, again: bool, console: Console) -> int:
    """Fetch into landing and say what landed; returns the exit code."""
    city = City(Home.from_environment().create(), read_catalogue(sources_folder()))
    contract = _contract(city, dataset)
    business_date = _date(day)
    try:
        with city.exclusive():
            landed = fetch(city.home, contract, business_date, again=again)
    except (FetchError, NightRunningError) as error:
        console.print(f"[red]{contract.name}[/red] {error}", highlight=False, soft_wrap=True)
        return 1
    for path in landed:
        console.print(f"{path} ({path.stat().st_size:,} bytes)", highlight=False, soft_wrap=True)
    if not landed:
        console.print(
            f"{contract.name}: nothing new for {business_date}; a delivery of that date, or of a "
            "later one, is loaded or waits in landing (--again fetches rows all the same)",
            highlight=False,
        )
    return 0


def _contract(city: City, dataset: str) -> Contract:
    contract = city.catalogue.by_name.get(dataset)
    if contract is None:
        raise typer.BadParameter(f"no usable contract {dataset!r}; yishu source list shows all")
    if contract.source is None:
        raise typer.BadParameter(
            f"{dataset}: its files arrive in landing by themselves; see docs/sources.md"
        )
    return contract


def _date(text: str | None) -> date:
    if text is None:
        return (datetime.now(ZoneInfo(TIMEZONE)) - timedelta(days=1)).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date; write YYYY-MM-DD") from error
