"""`yishu source reload DATASET`: what was loaded under an older contract, loaded anew.

Belongs here: telling what changed, delivery by delivery. Does not belong here: the loading
(`pipelines.ingest.reload`).
"""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pipelines.home import Home, sources_folder
from pipelines.ingest.reload import Reloaded, reload
from pipelines.resources import City, NightRunningError
from quality.catalogue import read_catalogue


class ArgumentError(Exception):
    """An argument that cannot be; the message says what can."""


def run(dataset: str, console: Console) -> int:
    """Load anew and tell; 0 all loaded, 1 a delivery stayed as it was.

    Raises:
        ArgumentError: no usable contract of that name.
    """
    city = City(Home.from_environment().create(), read_catalogue(sources_folder()))
    contract = city.catalogue.by_name.get(dataset)
    if contract is None:
        raise ArgumentError(f"no usable contract {dataset!r}; yishu source list shows all")
    try:
        with city.exclusive():
            done = list(reload(city.home, contract))
    except NightRunningError as error:
        console.print(f"[red]{contract.name}[/red] {escape(str(error))}", soft_wrap=True)
        return 1
    if not done:
        console.print(f"{contract.name}: no delivery is loaded; there is nothing to load anew")
        return 0
    _tell(done, console)
    refused = [item for item in done if item.refusal]
    for item in refused:
        said = f"{item.before.file_name}: stays as it was: {item.refusal}"
        console.print(escape(said), highlight=False, soft_wrap=True)
    console.print(f"{len(done) - len(refused)} of {len(done)} deliveries loaded anew")
    if len(refused) < len(done):
        console.print("next: yishu nightly", highlight=False)
    return 1 if refused else 0


def _tell(done: list[Reloaded], console: Console) -> None:
    table = Table(
        Column("file", overflow="fold"),
        "date",
        "contract",
        "accepted",
        "quarantined",
        box=SIMPLE_HEAD,
    )
    for item in done:
        before, after = item.before, item.after
        table.add_row(
            escape(before.file_name), str(before.business_date),
            _change(before.contract_version, after.contract_version),
            _change(before.rows_accepted, after.rows_accepted),
            _change(before.rows_quarantined, after.rows_quarantined),
        )  # fmt: skip
    console.print(table)


def _change(before: object, after: object) -> str:
    return f"{before}" if before == after else f"{before} → {after}"
