"""Files of an unknown dataset → its contract and its staging model, written.

Belongs here: the steps of a draft, in their order. Does not belong here: the steps themselves.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.dbt_scaffold import staging_paths, write_staging
from pipelines.ingest.layout import Layout
from pipelines.onboarding import agreements, keys, propose, totals, write
from pipelines.onboarding.headers import Header
from pipelines.onboarding.keys import Key
from pipelines.onboarding.propose import ColumnDraft
from pipelines.onboarding.rehearse import Rehearsal, rehearse
from pipelines.onboarding.sample import DraftError, Sample, take
from pipelines.onboarding.totals import Total
from pipelines.onboarding.write import Identity
from quality.contract import Contract
from quality.contract_reader import read_contract
from quality.pandera_schemas import RAGGED

_IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]*$")
_VALUE_AS_HEADER = re.compile(
    r"[0-9]{7}|^[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}|^-?[0-9]+\.[0-9]+$"
)
"""In a header: a number or date that no column is called by, so that the file has no header."""


@dataclass(frozen=True)
class Draft:
    """A contract that passes the lint, and what is known about it."""

    contract: Contract
    """Its `path` is where the draft was tried; see `save`."""
    text: str
    identity: Identity
    columns: tuple[ColumnDraft, ...]
    key: Key
    sample: Sample
    rehearsal: Rehearsal
    totals: tuple[Total, ...]
    """Rules that a row is the sum of others."""
    looks: tuple[str, ...]
    """What a person should look at, besides what the columns say."""


def draft(files: Sequence[Path], identity: Identity, declared: Layout | None = None) -> Draft:
    """Profile the files and propose a contract; writes nothing.

    Raises:
        DraftError: no contract can be drafted; the message says what to do.
        RefusedError: the door refuses a file.
    """
    _check(identity)
    sample = take(files, declared)
    looks = _looks(sample)
    sound = sample.rows.filter(~sample.rows[RAGGED])
    columns = propose.columns(sound, sample.headers)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / identity.relative_path
        place.parent.mkdir()

        def tried(
            drafts: Sequence[ColumnDraft], sums: Sequence[Total] = ()
        ) -> tuple[Contract, str]:
            text = _text(identity, drafts, sample, sums)
            place.write_text(text, encoding="utf-8")
            return read_contract(place), text

        contract, _ = tried(columns)
        rehearsal = rehearse(sample.rows, contract)
        doubtful = rehearsal.doubtful(contract)
        if doubtful:
            columns = [
                propose.as_text(column, doubtful[column.name])
                if column.name in doubtful
                else column
                for column in columns
            ]
            contract, _ = tried(columns)
            rehearsal = rehearse(sample.rows, contract)
        agreeing = agreements.find(rehearsal.accepted, columns)
        if agreeing != columns:
            columns = agreeing
            contract, _ = tried(columns)
            rehearsal = rehearse(sample.rows, contract)
        names, kinds = [column.name for column in columns], [column.kind for column in columns]
        key = keys.find(
            rehearsal.accepted,
            names,
            kinds,
            [Header(column.header) for column in columns],
            is_whole=sample.is_whole,
        )
        order = {position: number for number, position in enumerate(key.positions, start=1)}
        columns = [
            replace(column, key_position=order.get(position))
            for position, column in enumerate(columns)
        ]
        levels = [column.level for column in columns]
        sums = totals.find(rehearsal.accepted, names, kinds, levels, key)
        contract, text = tried(columns, sums)
    looks += _hardly_missing(columns)
    return Draft(
        contract, text, identity, tuple(columns), key, sample, rehearsal, tuple(sums), tuple(looks)
    )


def save(drafted: Draft, sources: Path, project: Path) -> list[Path]:
    """Write the contract below `sources` and its staging model into the dbt project.

    Raises:
        DraftError: one of them is there; what people keep is never overwritten.
    """
    path = sources / drafted.identity.relative_path
    for other in (path, *staging_paths(drafted.contract, project)):
        if other.exists():
            raise DraftError(f"{other} is there already; remove it or choose another --dataset")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(drafted.text, encoding="utf-8")
    partial.replace(path)
    return [path, *write_staging(read_contract(path), project)]


def _check(identity: Identity) -> None:
    for option, name in (("department", identity.department), ("dataset", identity.dataset)):
        if not _IDENTIFIER.match(name):
            raise DraftError(f"--{option} {name!r} must be lower-case letters, digits, _")
    if re.search(r"_\d{8}($|_)", identity.dataset):
        raise DraftError(f"--dataset {identity.dataset!r} must not end in a date: files do")


def _looks(sample: Sample) -> list[str]:
    """What the reading itself leaves open.

    Raises:
        DraftError: the header is a row of values; they would stand in the contract.
    """
    looks: list[str] = []
    for path, found in zip(sample.files, sample.findings, strict=True):
        if found.header_rows and any(map(_VALUE_AS_HEADER.search, found.headers)):
            raise DraftError(
                f"{path.name} seems to have no header; name its columns with --headers 甲,乙,丙"
            )
        looks += [
            f"{path.name}: {what} is a guess"
            for what, sureness in found.certainty.items()
            if sureness == "guess"
        ]
        looks += [f"{path.name}: {note}" for note in found.skipped]
        if found.total_rows:
            looks.append(f"{path.name}: {found.total_rows} rows of sums are left out")
        if found.note_rows:
            looks.append(f"{path.name}: {found.note_rows} signatures and notes are left out")
        if found.repeated_headers:
            looks.append(f"{path.name}: {found.repeated_headers} repeated headers are left out")
    if any((sample.texts(header) == header).any() for header in sample.headers):
        looks.append("a header stands among its own values: does the file have a header?")
    unnamed = sum(header == "" for header in sample.left_out)
    repeated = [header for header in sample.left_out if header]
    if unnamed:
        looks.append("a column without a header is left out: it has no name to be agreed on")
    if repeated:
        named = ", ".join(repeated)
        looks.append(f"left out, for they stand twice or cannot be named: {named}")
    if 0 < sample.rows.height < propose.FEWEST_ROWS:
        looks.append("few rows: nothing is required but the key, whatever the sample shows")
    if not sample.is_whole:
        looks.append("not every row was seen: required, lists and key are as good as the sample")
    return looks


def _hardly_missing(columns: Sequence[ColumnDraft]) -> list[str]:
    named = [f"{column.name} ({column.lacking})" for column in columns if column.lacking]
    return ["hardly ever missing, perhaps required: " + ", ".join(named)] if named else []


def _text(
    identity: Identity, columns: Sequence[ColumnDraft], sample: Sample, sums: Sequence[Total]
) -> str:
    server = write.server(identity, sample.files, sample.findings)
    if server.get("encoding") == "utf-8" and _is_ascii(sample):
        # Bytes that every encoding shares say nothing about the next delivery.
        del server["encoding"]
    ignored = [header for header in sample.left_out if header]
    remarks = (
        f"Drafted from {sample.rows.height} rows of {len(sample.files)} file(s) by "
        "`yishu source draft`.",
        "What each column rests on stands under `evidence`; a person confirms it.",
    )
    return write.text(write.document(identity, columns, server, ignored, sums), remarks)


def _is_ascii(sample: Sample) -> bool:
    if not all(header.isascii() for header in sample.headers):
        return False
    return not any(
        sample.texts(header).str.contains(r"[^\x00-\x7f]").any() for header in sample.headers
    )
