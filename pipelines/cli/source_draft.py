"""`yishu source draft FILE…`: an unknown file → a contract and a staging model.

Belongs here: arguments, the table that tells, landing the files. Does not belong here: the
draft itself (`pipelines.onboarding`).

No value of a row is shown. A list of answers is counted here; the contract holds it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.home import Home, dbt_project_folder, file_date, sources_folder
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from pipelines.onboarding import draft as drafts
from pipelines.onboarding.draft import Draft
from pipelines.onboarding.propose import ColumnDraft
from pipelines.onboarding.sample import DraftError
from pipelines.onboarding.write import Identity
from quality.catalogue import read_catalogue

__all__ = ["DraftError", "day", "layout", "run"]

_COLOURS = {"high": "green", "medium": "yellow", "low": "red"}


def run(
    files: Sequence[Path],
    department: str,
    dataset: str,
    console: Console,
    *,
    department_name: str | None = None,
    title: str | None = None,
    out: Path | None = None,
    land: date | None = None,
    declared: Layout | None = None,
) -> int:
    """Draft, write, tell; 0 drafted, 1 the door refuses a file.

    Raises:
        DraftError: no contract can be drafted; the message says what to do.
    """
    sources = out or sources_folder()
    project = dbt_project_folder() if sources.resolve() == sources_folder() else sources
    name = _department_name(department, department_name, sources)
    identity = Identity(department, name, dataset, title or _title(files, dataset))
    targets = _landing(files, identity, land)
    try:
        drafted = drafts.draft(files, identity, declared)
    except RefusedError as refusal:
        console.print(f"refused: {escape(str(refusal))}", highlight=False, soft_wrap=True)
        return 1
    written = drafts.save(drafted, sources, project)
    _tell(drafted, console)
    if identity.title == dataset:
        _look(console, f"name is {dataset!r}: give the Chinese title with --title")
    if name == department:
        _look(console, f"team.name is {name!r}: give the Chinese name with --department-name")
    for path in written:
        console.print(escape(f"wrote {path}"), highlight=False, soft_wrap=True)
    for file, target in targets:
        _copy(file, target)
        console.print(escape(f"landed {target}"), highlight=False, soft_wrap=True)
    if project != sources:
        console.print("next: yishu nightly", highlight=False)
    return 0


def layout(sheet: str | None, headers: str | None) -> Layout:
    """The layout that the command line declares."""
    if not headers:
        return Layout(sheet=sheet)
    names = tuple(name.strip() for name in re.split("[,，]", headers))
    return Layout(sheet=sheet, headers=names, header_rows=0)


def day(text: str | None) -> date | None:
    """A date of the command line.

    Raises:
        DraftError: it is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DraftError(f"--land {text!r} is not a date; write YYYY-MM-DD") from error


def _department_name(department: str, given: str | None, sources: Path) -> str:
    """The name that the department has in other contracts, the one given, or its code."""
    known = read_catalogue(sources).departments.get(department) if sources.is_dir() else None
    if known and known != department:
        if given and given != known:
            raise DraftError(f"{department} is called {known} in other contracts; use that name")
        return known
    return given or department


def _title(files: Sequence[Path], dataset: str) -> str:
    """The file's own Chinese name, without date and number; else the dataset's."""
    stem = files[0].name.split(".")[0] if files else ""
    bare = re.sub(r"[\s_\-()（）0-9]+$", "", stem)
    return bare if re.search(r"[\u4e00-\u9fff]", bare) else dataset


def _landing(
    files: Sequence[Path], identity: Identity, day: date | None
) -> list[tuple[Path, Path]]:
    """Where each file goes, if it is to be landed.

    Raises:
        DraftError: another file lies there.
    """
    if day is None:
        return []
    folder = Home.from_environment().landing / identity.department
    targets = []
    for number, file in enumerate(files, start=1):
        part = f"_{number}" if len(files) > 1 else ""
        ending = "".join(file.suffixes[-2:] if file.suffix in (".gz", ".zip") else [file.suffix])
        target = folder / f"{identity.dataset}_{file_date(day)}{part}{ending}"
        if target.exists():
            raise DraftError(f"{target} is there already; give another date to --land")
        targets.append((file, target))
    return targets


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    shutil.copyfile(file, partial)
    partial.replace(target)


# -- telling -----------------------------------------------------------------------------


def _tell(drafted: Draft, console: Console) -> None:
    sample = drafted.sample
    rows = f"{sample.rows.height:,} of {sample.rows_read:,} rows read"
    if not sample.is_whole and sample.rows.height == sample.rows_read:
        rows += ", and there are more"
    names = ", ".join(path.name for path in sample.files)
    console.print(f"[bold]{escape(names)}[/bold]: {rows}", highlight=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    # Folded, never cut: a name is what a person came to read.
    for title in ("column", "name"):
        table.add_column(title, overflow="fold")
    for title in ("type", "level", "sure"):
        table.add_column(title, no_wrap=True)
    table.add_column("rule", overflow="fold")
    for column in drafted.columns:
        colour = _COLOURS[column.sureness]
        table.add_row(
            escape(column.header), _name(column), column.kind.physical, column.level,
            f"[{colour}]{column.sureness}[/{colour}]", escape(_rules(column)),
        )  # fmt: skip
    console.print(table)
    keyed = ", ".join(drafted.contract.key) or "none"
    sureness = f" ({drafted.key.sureness})" if drafted.contract.key else ""
    console.print(f"key: {keyed}{sureness}", highlight=False)
    for total in drafted.totals:
        console.print(
            f"rule: {total.measure} of one {total.part} is the sum of the others "
            f"(held in {total.groups} of {total.groups} groups)",
            highlight=False,
        )
    for column in drafted.columns:
        if column.looks:
            _look(console, f"{column.name}: " + "; ".join(column.looks))
    for look in (drafted.key.look, *drafted.looks):
        if look:
            _look(console, look)
    _tell_rehearsal(drafted, console)


def _name(column: ColumnDraft) -> str:
    return f"{column.name} *" if column.key_position else column.name


def _rules(column: ColumnDraft) -> str:
    kind = column.kind
    said = ["required"] if column.required or column.key_position else []
    if kind.parse:
        said.append(f"parse {kind.parse}")
    if kind.domain:
        said.append(f"one of {len(kind.domain)}" + ("" if kind.is_agreed else " (warning)"))
    if column.missing:
        said.append("missing spelled")
    said += [
        rule.suffix.replace("_", " ") + (" (warning)" if rule.severity == "warning" else "")
        for rule in kind.rules
    ]
    return ", ".join(said)


def _tell_rehearsal(drafted: Draft, console: Console) -> None:
    """What the drafted rules would do with the very rows they were drafted from."""
    found = drafted.rehearsal
    rows = found.accepted.height + found.refused_rows
    console.print(
        f"of these {rows:,} rows the door would accept {found.accepted.height:,} "
        f"and quarantine {found.refused_rows:,}",
        highlight=False,
    )
    for verb, counts in (("quarantines", found.refused), ("flags", found.flagged)):
        for rule, count in counts.items():
            console.print(f"  {rule} {verb} {count:,}", highlight=False)


def _look(console: Console, text: str) -> None:
    console.print(escape(f"look at: {text}"), highlight=False, soft_wrap=True)
