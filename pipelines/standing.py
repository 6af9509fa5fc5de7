"""Which stages of a night stand: what each was last built from, kept beside what it built.

Belongs here: the fingerprint of a night's inputs, and the table `meta.stage` that says which
stages were built from them. Does not belong here: the stages.

What follows the door is a function of the deliveries in force, the contracts, the code, the token
key and the business date. The first stage writes their fingerprint with the warehouse itself; a
later one stands if it was finished under the same. Whoever builds a stage forgets it and all that
are built from it before the first change, and notes it after the last: a crash in between leads to
work done again, never to a wrong result.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from pipelines import engine
from pipelines.home import PROJECT, Home, dbt_project_folder
from pipelines.tokens import read_key

WAREHOUSE, MODELS, RULES, SCORES = "warehouse", "models", "rules", "scores"
ORDERS, CAMPAIGNS = "orders", "campaigns"
OUTBOX, BULLETIN, PUBLISHED = "outbox", "bulletin", "published"

_BUILT_FROM: dict[str, tuple[str, ...]] = {
    WAREHOUSE: (),
    MODELS: (WAREHOUSE,),
    RULES: (MODELS,),
    SCORES: (RULES,),
    ORDERS: (SCORES,),
    CAMPAIGNS: (ORDERS,),
    OUTBOX: (ORDERS,),
    BULLETIN: (ORDERS, CAMPAIGNS),
    PUBLISHED: (OUTBOX, BULLETIN),
}
STAGES = tuple(_BUILT_FROM)
"""The stages, each after those that it is built from."""

_SM3 = hashlib.new("sm3")
"""To be copied: a new one takes half a millisecond, for there is no constructor of its own."""
_PACKAGES = ("pipelines", "quality", "scenarios")
_NOT_CODE = ("target", "logs", "__pycache__")


def code_fingerprint(home: Home) -> str:
    """SM3 of all that decides what is made of the same deliveries, but the contracts.

    That is the code with its templates, weights, rules, code tables and campaigns, the dbt project,
    the versions of the libraries and the token key. A change that touches no result (a command)
    counts as well: it costs one whole night.
    """
    key = hashlib.new("sm3", read_key(home.token_key)).hexdigest()
    folders = (*(PROJECT / name for name in _PACKAGES), dbt_project_folder())
    return combined([key, _installed(), *(part for f in folders for part in folder_parts(f))])


def folder_parts(folder: Path) -> Iterator[str]:
    """Name and content of every file below a folder, but the hidden and those that are made."""
    for path in _files(folder):
        yield str(path.relative_to(folder))
        digest = _SM3.copy()
        digest.update(path.read_bytes())
        yield digest.hexdigest()


def file_fingerprint(path: Path) -> str:
    """What tells a file from another of its name without reading it; empty where there is none."""
    if not path.exists():
        return ""
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def combined(parts: Iterable[str]) -> str:
    """One fingerprint of several texts, in their order."""
    digest = _SM3.copy()
    for part in parts:
        digest.update(f"{len(part)}:{part}\n".encode())
    return digest.hexdigest()


def stands(home: Home, stage: str) -> bool:
    """Whether a stage was finished from what the warehouse now holds."""
    return made(home, stage) is not None


def made(home: Home, stage: str) -> str | None:
    """What a stage that stands says it made; None where it does not stand."""
    if not home.warehouse.exists():
        return None
    with engine.connect(home) as connection:
        _create(connection)
        found = connection.execute(
            "select made from meta.stage where stage = ? and fingerprint = "
            "(select fingerprint from meta.stage where stage = ?)",
            [stage, WAREHOUSE],
        ).fetchone()
    return None if found is None else str(found[0])


def begin(home: Home, stage: str) -> None:
    """Forget a stage and those after it, before the first change."""
    with engine.connect(home) as connection:
        forget(connection, stage)


def finish(home: Home, stage: str, made: str = "") -> None:
    """Note that a stage was built from what the warehouse now holds, after the last change."""
    with engine.connect(home) as connection:
        fingerprint = recorded(connection)
        if fingerprint is not None:
            note(connection, stage, fingerprint, made)


def recorded(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Fingerprint of the inputs of which the warehouse stands; None before the first night."""
    _create(connection)
    found = connection.execute(
        "select fingerprint from meta.stage where stage = ?", [WAREHOUSE]
    ).fetchone()
    return None if found is None else str(found[0])


def forget(connection: duckdb.DuckDBPyConnection, stage: str) -> None:
    """Forget a stage and those that are built from it."""
    _create(connection)
    later = {stage}
    for other, sources in _BUILT_FROM.items():
        if later.intersection(sources):
            later.add(other)
    connection.execute("delete from meta.stage where list_contains(?, stage)", [sorted(later)])


def note(
    connection: duckdb.DuckDBPyConnection, stage: str, fingerprint: str, made: str = ""
) -> None:
    """Note what a stage was built from, and what it made."""
    forget(connection, stage)
    connection.execute("insert into meta.stage values (?, ?, ?)", [stage, fingerprint, made])


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists meta")
    connection.execute(
        "create table if not exists meta.stage (stage varchar, fingerprint varchar, made varchar)"
    )


def _installed() -> str:
    """Name and version of every library here: any of them may change a result.

    The folders' names say both (PEP 376, PEP 427); reading each one's metadata takes half a second.
    """
    names = {path.name for place in sys.path for path in Path(place).glob("*.dist-info")}
    return "\n".join(sorted(names))


def _files(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_CODE]
        found += [Path(place) / name for name in names if not name.startswith(".")]
    return sorted(found)
