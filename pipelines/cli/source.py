"""`yishu source …`: contracts, seen and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipelines.home import dbt_project_folder, sources_folder
from quality.catalogue import read_catalogue

app = typer.Typer(help="Contracts: what each dataset promises.", no_args_is_help=True)
console = Console()


@app.command()
def check() -> None:
    """Lint every contract and compare it with its staging model; exit code 1 on a problem."""
    from pipelines.dbt_scaffold import differences

    catalogue = read_catalogue(sources_folder())
    lines = [str(problem) for problem in catalogue.problems]
    for contract in catalogue.contracts:
        lines += differences(contract, dbt_project_folder())
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"{len(catalogue.contracts)} contracts usable, {len(lines)} problems")
    raise typer.Exit(1 if lines else 0)


@app.command(name="list")
def list_sources() -> None:
    """Every dataset with its department, delivery and number of rules."""
    catalogue = read_catalogue(sources_folder())
    table = Table("dataset", "department", "title", "delivery", "columns", "rules", box=SIMPLE_HEAD)
    for contract in catalogue.contracts:
        table.add_row(
            contract.name, contract.department_name, contract.title, contract.delivery,
            str(len(contract.columns)), str(len(contract.rules)),
        )  # fmt: skip
    console.print(table)


@app.command()
def stage(
    dataset: Annotated[str, typer.Argument(help="department/dataset of a contract.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Write it anew; what you changed in it goes.")
    ] = False,
) -> None:
    """Write the staging model of a contract: its SQL and YAML in the dbt project."""
    from pipelines.dbt_scaffold import write_staging

    catalogue = read_catalogue(sources_folder())
    contract = catalogue.by_name.get(dataset)
    if contract is None:
        for problem in catalogue.problems:
            console.print(str(problem), highlight=False, soft_wrap=True)
        raise typer.BadParameter(f"no usable contract {dataset!r}; yishu source list shows all")
    try:
        written = write_staging(contract, dbt_project_folder(), replace=replace)
    except FileExistsError as error:
        raise typer.BadParameter(
            f"{error}; yishu source check says where it differs from the contract, --replace "
            "writes it anew and drops what you changed in it"
        ) from error
    for path in written:
        console.print(f"wrote {path}", soft_wrap=True)


@app.command()
def draft(
    files: Annotated[list[Path], typer.Argument(help="One or more files of one dataset.")],
    department: Annotated[str, typer.Option(help="Code of the department: market_regulation.")],
    dataset: Annotated[str, typer.Option(help="Name of the dataset: enterprise.")],
    department_name: Annotated[str | None, typer.Option(help="Chinese name.")] = None,
    title: Annotated[str | None, typer.Option(help="Chinese title of the dataset.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write here, not into the project.")] = None,
    land: Annotated[str | None, typer.Option(help="Land the files too: YYYY-MM-DD.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    headers: Annotated[str | None, typer.Option(help="Of files without a header: 甲,乙")] = None,
) -> None:
    """Profile files of a new dataset and write its contract and its staging model.

    It says how sure it is of each column. Exit code 1 where a file is refused.
    """
    from pipelines.cli import source_draft

    try:
        code = source_draft.run(
            files, department, dataset, console, department_name=department_name, title=title,
            out=out, land=source_draft.day(land), declared=source_draft.layout(sheet, headers),
        )  # fmt: skip
    except source_draft.DraftError as error:
        raise typer.BadParameter(str(error)) from error
    raise typer.Exit(code)


@app.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="department/dataset of a contract.")],
    date: Annotated[str | None, typer.Option(help="Business date, YYYY-MM-DD.")] = None,
    again: Annotated[bool, typer.Option(help="Although the date is loaded already.")] = False,
) -> None:
    """Fetch a dataset from its database, API, folder or SFTP server into landing.

    Without --date, yesterday, which is the date of the next night. Exit code 1 where the source
    could not be fetched.
    """
    from pipelines.cli.fetch import run

    raise typer.Exit(run(dataset, date, again, console))


@app.command()
def reload(
    dataset: Annotated[str, typer.Argument(help="department/dataset of a contract.")],
) -> None:
    """Load all deliveries of a dataset anew from the archive, under the contract of today.

    For a contract that changed the type of a column, or names one that it did not name before.
    Exit code 1 where a delivery is refused now and so stays as it was.
    """
    from pipelines.cli import source_reload

    try:
        code = source_reload.run(dataset, console)
    except source_reload.ArgumentError as error:
        raise typer.BadParameter(str(error)) from error
    raise typer.Exit(code)


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="Any file, as a department sent it.")],
    to: Annotated[Path | None, typer.Option(help="Write the rows: out.csv or out.parquet.")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="csv, xlsx, json …")] = None,
    encoding: Annotated[str | None, typer.Option(help="utf-8, gb18030, utf-16, big5 …")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="A single character.")] = None,
    widths: Annotated[str | None, typer.Option(help="Of a fixed-width file: 6,18,10.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The finding as JSON.")] = False,
) -> None:
    """Show what the door makes of a file, without a contract and without loading it.

    What is not given is found by evidence. Exit code 1 where the file is refused.
    """
    from pipelines.cli import source_read

    try:
        declared = source_read.layout(file_format, encoding, sheet, delimiter, widths)
        code = source_read.run(file, to, declared, console, as_json=as_json)
    except source_read.ArgumentError as error:
        raise typer.BadParameter(str(error)) from error
    raise typer.Exit(code)
