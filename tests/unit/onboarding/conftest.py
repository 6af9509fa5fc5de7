"""A draft of a made-up file, and the same file at the door."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.ingest import door
from pipelines.ingest.arrive import arrivals
from pipelines.ingest.store import Receipt
from pipelines.onboarding import draft as drafts
from pipelines.onboarding import evidence, kinds
from pipelines.onboarding.draft import Draft
from pipelines.onboarding.headers import Header
from pipelines.onboarding.kind import Kind
from pipelines.onboarding.sample import FILE
from pipelines.onboarding.write import Identity
from quality.contract_reader import read_contract

IDENTITY = Identity("water", "临沂市水务局", "meter", "水表")
NIGHT = date(2026, 6, 30)


def csv_text(columns: Mapping[str, Sequence[str]]) -> str:
    """A CSV of the columns, all of one length."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def kind_of() -> Callable[[str, Sequence[str]], Kind]:
    """`kind_of(header, texts)` → what such a column holds."""

    def decide(header: str, texts: Sequence[str]) -> Kind:
        files = pl.Series(FILE, [0] * len(texts), dtype=pl.Int32)
        rows = pl.DataFrame([pl.Series(header, list(texts), dtype=pl.String), files])
        (found,) = evidence.gather(rows, [header])
        return kinds.decide(Header(header), found)

    return decide


@pytest.fixture(scope="session")
def draft_of() -> Callable[..., Draft]:
    """`draft_of(folder, columns)` → the draft of a CSV file with these columns."""

    def run(folder: Path, columns: Mapping[str, Sequence[str]], name: str = "样本.csv") -> Draft:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_text(csv_text(columns), encoding="utf-8")
        return drafts.draft([path], IDENTITY)

    return run


@pytest.fixture(scope="session")
def load() -> Callable[[Draft, Path], Receipt]:
    """`load(draft, folder)` → the receipt of the door for the very files it was drafted from."""

    def run(drafted: Draft, folder: Path) -> Receipt:
        sources = folder / "sources"
        contract_path, *_ = drafts.save(drafted, sources, folder / "project")
        contract = read_contract(contract_path)
        home = Home(folder / "home").create()
        (source,) = drafted.sample.files
        landing = home.landing / contract.department
        landing.mkdir(parents=True, exist_ok=True)
        (landing / f"{contract.dataset}_20260630{source.suffix}").write_bytes(source.read_bytes())
        arrived = arrivals(home.landing, frozenset({contract.name}))
        (receipt,) = door.take_up(home, contract, arrived, NIGHT)
        return receipt

    return run
