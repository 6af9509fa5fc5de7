"""Files in a folder or on an SFTP server: each comes once, whole, and from the right host."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import asyncssh
import pytest

from pipelines.fetch import fetch
from pipelines.fetch.error import FetchError
from pipelines.home import Home
from pipelines.ingest import store
from quality.contract import Contract
from tests.integration.fetch.conftest import FetchNight, free_port

DAY = date(2026, 3, 5)
COLUMNS = [{"name": "number", "physicalName": "编号", "required": True, "primaryKey": True}]
SETTLED = 3 * 86_400.0


def put(folder: Path, name: str, content: str = "编号\nA1\nA2\n", age: float = SETTLED) -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    os.utime(path, (time.time() - age, time.time() - age))
    return path


class SftpServer:
    """A real SFTP server on loopback, in a thread of its own, which shows one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.cuts = 0
        """How many of the next reads end with the connection cut."""
        self._ready, self._stop = Event(), Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def known_hosts(self) -> str:
        public = self.key.export_public_key().decode()
        return f"[127.0.0.1]:{self.port} {public}"

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the SFTP server did not start"

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    async def _serve(self) -> None:
        outer = self

        class Login(asyncssh.SSHServer):
            def begin_auth(self, _: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("water", "right")

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                return username == "water" and key == outer.user_key.convert_to_public()

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
                super().__init__(channel, chroot=str(outer.folder).encode())

            def read(self, file_obj: Any, offset: int, size: int) -> bytes:
                if outer.cuts:
                    outer.cuts -= 1
                    self.channel.get_connection().abort()
                return super().read(file_obj, offset, size)

        async with asyncssh.listen(
            "127.0.0.1", 0, server_factory=Login, server_host_keys=[self.key], sftp_factory=Files
        ) as server:
            self.port = server.get_port()
            self._ready.set()
            while not self._stop.is_set():
                await asyncio.sleep(0.05)


@pytest.fixture
def outgoing(tmp_path: Path) -> Path:
    folder = tmp_path / "exchange" / "outgoing"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def sftp(outgoing: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    monkeypatch.setenv("WATER_SFTP_USER", "water")
    monkeypatch.setenv("WATER_SFTP_PASSWORD", "right")
    server = SftpServer(outgoing.parent)
    server.start()
    known_hosts = home.root / "secrets" / "known_hosts"
    known_hosts.parent.mkdir()
    known_hosts.write_text(server.known_hosts())
    yield server
    server.stop()


@pytest.fixture
def folder_source(make_contract: Callable[..., Contract], outgoing: Path) -> Contract:
    return make_contract(COLUMNS, server={"path": f"{outgoing}/meter_*.csv"})


def sftp_source(
    make_contract: Callable[..., Contract], server: SftpServer, **custom: Any
) -> Contract:
    settings = {"credentials": "WATER_SFTP", **custom}
    location = f"sftp://127.0.0.1:{server.port}/outgoing/meter_*.csv"
    properties = [{"property": k, "value": v} for k, v in settings.items()]
    return make_contract(
        COLUMNS, server={"type": "sftp", "path": None, "location": location,
                         "customProperties": properties},
    )  # fmt: skip


@pytest.fixture(params=["folder", "sftp"])
def source(request: pytest.FixtureRequest, make_contract: Callable[..., Contract]) -> Contract:
    """The same files by both ways."""
    if request.param == "folder":
        return request.getfixturevalue("folder_source")
    return sftp_source(make_contract, request.getfixturevalue("sftp"))


class TestBothWays:
    def test_a_file_comes_once(
        self, home: Home, source: Contract, outgoing: Path, fetch_night: FetchNight
    ) -> None:
        """The file stays with the department; the next night must not load it again."""
        put(outgoing, "meter_20260305.csv", age=0.5 * 86_400)
        (receipt,) = fetch_night(home, source, DAY)
        assert (receipt.status, receipt.rows_read) == ("loaded", 2)
        assert receipt.file_name == "meter_20260305.csv"
        assert fetch_night(home, source, DAY) == []
        assert fetch_night(home, source, DAY + timedelta(days=1)) == []
        assert (outgoing / "meter_20260305.csv").exists()

    def test_a_corrected_file_of_the_same_size_is_noticed(
        self, home: Home, source: Contract, outgoing: Path, fetch_night: FetchNight
    ) -> None:
        """Size and date alone would take a corrected digit for the old file."""
        put(outgoing, "meter_20260305.csv")
        fetch_night(home, source, DAY)
        put(outgoing, "meter_20260305.csv", "编号\nA1\nA3\n", age=120)
        (receipt,) = fetch_night(home, source, DAY)
        assert (receipt.status, receipt.sequence) == ("loaded", 2)

    def test_a_refused_file_is_not_refused_every_night(
        self, home: Home, source: Contract, outgoing: Path, fetch_night: FetchNight
    ) -> None:
        put(outgoing, "meter_20260305.csv", "号码\nA1\n", age=120)
        (receipt,) = fetch_night(home, source, DAY)
        assert receipt.status == "refused"
        assert fetch_night(home, source, DAY + timedelta(days=1)) == []

    def test_unfinished_unsettled_and_foreign_files_wait(
        self, home: Home, source: Contract, outgoing: Path
    ) -> None:
        """A file taken while it is written is a delivery cut off half-way."""
        put(outgoing, "meter_20260301.csv", age=5)
        put(outgoing, "meter_20260302.csv.part")
        put(outgoing, ".meter_20260303.csv")
        put(outgoing, "pipe_20260304.csv")
        put(outgoing, "meter_20260306.csv")
        (outgoing / "meter_20260304.csv").mkdir()
        secret = put(outgoing.parent, "secret.csv")
        (outgoing / "meter_20260228.csv").symlink_to(secret)
        assert fetch.fetch(home, source, DAY) == []
        assert fetch.fetch(home, source, DAY + timedelta(days=1)) == [
            home.landing / "water" / "meter_20260306.csv"
        ]

    def test_names_give_date_and_number(self, home: Home, source: Contract, outgoing: Path) -> None:
        put(outgoing, "meter_2026-03-04.csv")
        put(outgoing, "meter_of_20260303_2.csv")
        path = put(outgoing, "meter_all.csv")
        changed = datetime.fromtimestamp(path.stat().st_mtime, ZoneInfo("Asia/Shanghai"))
        names = [path.name for path in fetch.fetch(home, source, changed.date())]
        assert sorted(names) == sorted(
            ["meter_20260304.csv", "meter_20260303_2.csv", f"meter_{changed:%Y%m%d}.csv"]
        )

    def test_two_files_of_one_day_are_not_mixed_up(
        self, home: Home, source: Contract, outgoing: Path
    ) -> None:
        put(outgoing, "meter_a_20260305.csv")
        put(outgoing, "meter_b_20260305.csv", "编号\nB1\n")
        with pytest.raises(FetchError, match="ambiguous_files"):
            fetch.fetch(home, source, DAY)
        assert not list(home.landing.glob("*/*"))

    def test_a_missing_folder_is_told_by_the_ledger(
        self, home: Home, source: Contract, outgoing: Path, fetch_night: FetchNight
    ) -> None:
        """An unmounted share must not look like a department that sent nothing."""
        outgoing.rmdir()
        assert fetch_night(home, source, DAY) == []
        (receipt,) = store.read_receipts(home.raw, "water", "meter")
        assert (receipt.status, (receipt.reason or "")[:9]) == ("refused", "no_folder")


class TestSftp:
    def test_a_host_that_is_not_known_gets_no_password(
        self, home: Home, sftp: SftpServer, make_contract: Any, outgoing: Path
    ) -> None:
        """Whoever answers in the server's name must not be handed its password."""
        put(outgoing, "meter_20260305.csv")
        stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        known_hosts = home.root / "secrets" / "known_hosts"
        for text in (f"[127.0.0.1]:{sftp.port} {stranger}", ""):
            known_hosts.write_text(text)
            with pytest.raises(FetchError, match="unknown_host_key"):
                fetch.fetch(home, sftp_source(make_contract, sftp), DAY)
            assert known_hosts.read_text() == text, "no key may be added by itself"
        known_hosts.unlink()
        with pytest.raises(FetchError, match="unknown_host_key"):
            fetch.fetch(home, sftp_source(make_contract, sftp), DAY)

    def test_a_wrong_password_is_not_told(
        self, home: Home, sftp: SftpServer, make_contract: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WATER_SFTP_PASSWORD", "Geheim#42")
        with pytest.raises(FetchError, match="access_denied") as caught:
            fetch.fetch(home, sftp_source(make_contract, sftp), DAY)
        assert "Geheim" not in str(caught.value)

    def test_a_key_serves_instead_of_a_password(
        self,
        home: Home,
        sftp: SftpServer,
        make_contract: Any,
        outgoing: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        key = home.root / "secrets" / "water.key"
        sftp.user_key.write_private_key(str(key))
        monkeypatch.delenv("WATER_SFTP_PASSWORD")
        monkeypatch.setenv("WATER_SFTP_KEY_FILE", str(key))
        put(outgoing, "meter_20260305.csv")
        assert len(fetch.fetch(home, sftp_source(make_contract, sftp), DAY)) == 1

    def test_a_cut_connection_leaves_no_half_file(
        self, home: Home, sftp: SftpServer, make_contract: Any, outgoing: Path
    ) -> None:
        content = "编号\n" + "".join(f"A{n}\n" for n in range(300_000))
        put(outgoing, "meter_20260305.csv", content)
        sftp.cuts = 1
        (path,) = fetch.fetch(home, sftp_source(make_contract, sftp), DAY)
        assert path.read_text(encoding="utf-8") == content
        path.unlink()
        sftp.cuts = 10_000
        with pytest.raises(FetchError, match="connection_lost"):
            fetch.fetch(home, sftp_source(make_contract, sftp), DAY)
        assert not list(home.landing.glob("*/*"))

    def test_nobody_listens(self, home: Home, sftp: SftpServer, make_contract: Any) -> None:
        sftp.port = free_port()
        with pytest.raises(FetchError, match="connection_refused"):
            fetch.fetch(home, sftp_source(make_contract, sftp), DAY)
