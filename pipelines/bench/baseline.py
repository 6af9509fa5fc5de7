"""The shortest honest script for the same marts (`baseline.sql`), and what it needs before it.

Belongs here: making text that DuckDB reads of the departments' files, and running the script.
Does not belong here: any check; that is the point of a baseline.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from datetime import date
from pathlib import Path
from string import Template

import duckdb
import python_calamine

from pipelines.bench.machine import PROJECT_SOURCES
from pipelines.bench.meter import Marks
from pipelines.bench.places import Places
from pipelines.home import dbt_project_folder, sources_folder
from quality.catalogue import read_catalogue

DATABASE = "marts.duckdb"
_BLOCK = 1 << 20


def run(marks: Marks, places: Places, business_date: date) -> None:
    """Build the baseline's marts from one night's deliveries, in `places.work`."""
    marks.set("to text")
    shutil.rmtree(places.work, ignore_errors=True)
    texts = places.work / "landing"
    to_text(places.deliveries(business_date), texts)
    marks.set("script")
    build(places.work / DATABASE, texts, business_date)


def build(database: Path, texts: Path, business_date: date) -> None:
    """Run the script on text files, into a new database."""
    seeds = dbt_project_folder() / "seeds" / "scenario"
    script = (PROJECT_SOURCES / "baseline.sql").read_text(encoding="utf-8")
    with duckdb.connect(database) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(
            Template(script).substitute(landing=texts, seeds=seeds, date=business_date)
        )


def to_text(deliveries: Path, texts: Path) -> None:
    """CSV in UTF-8 as it is (a link), GB18030 through iconv, workbooks through calamine."""
    for contract in read_catalogue(sources_folder()).contracts:
        folder = texts / contract.department
        for path in sorted((deliveries / contract.department).glob(f"{contract.dataset}_2*")):
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{path.stem}.csv"
            if path.suffix == ".xlsx":
                _sheet_to_text(path, target)
            elif contract.encoding == "gb18030":
                _transcode(path, target)
            else:
                target.symlink_to(path.resolve())


def _transcode(source: Path, target: Path) -> None:
    """With the system's iconv where there is one: three times as fast, and what people use."""
    if program := shutil.which("iconv"):
        with source.open("rb") as reader, target.open("wb") as writer:
            subprocess.run(  # noqa: S603
                [program, "-f", "GB18030", "-t", "UTF-8"], stdin=reader, stdout=writer, check=True
            )
        return
    with source.open(encoding="gb18030") as reader, target.open("w", encoding="utf-8") as writer:
        shutil.copyfileobj(reader, writer, _BLOCK)


def _sheet_to_text(source: Path, target: Path) -> None:
    sheet = python_calamine.CalamineWorkbook.from_path(source).get_sheet_by_index(0)
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(sheet.iter_rows())
