"""The server's half of MySQL's wire protocol, as far as one query needs it.

Not MySQL: it parses no SQL. It checks the password as MySQL does (`mysql_native_password`),
answers what a test put in, and notes every statement. What a real server makes of the SQL is
tested where YISHU_TEST_MYSQL names one.
"""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

_CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000
_SALT = b"abcdefgh" + b"ijklmnopqrst"
UTF8, BINARY = 45, 63
STRING, BLOB, DECIMAL, DATETIME = 253, 252, 246, 12


@dataclass
class Server:
    """`columns`: (name, type, charset); `rows`: texts as the server sends them."""

    columns: list[tuple[str, int, int]]
    rows: list[tuple[bytes | None, ...]]
    password: str = "right"  # noqa: S105
    version: str = "8.4.3"
    error: tuple[int, str] | None = None
    """Answer to the query, instead of rows."""
    cut_after: int | None = None
    """Rows after which the connection breaks."""
    statements: list[str] = field(default_factory=list)
    port: int = 0

    def start(self) -> Callable[[], None]:
        """Listen on a free loopback port; returns what stops it."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        thread = Thread(target=self._accept, args=[listener], daemon=True)
        thread.start()

        def stop() -> None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(5)

        return stop

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                try:
                    _Session(self, connection).run()
                except (ConnectionError, EOFError, TimeoutError):
                    continue


class _Session:
    def __init__(self, server: Server, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.sequence = 0

    def run(self) -> None:
        self.send(
            b"\x0a" + self.server.version.encode() + b"\0" + struct.pack("<I", 7) + _SALT[:8]
            + b"\0" + struct.pack("<H", _CAPABILITIES & 0xFFFF) + bytes([UTF8])
            + struct.pack("<HH", 2, _CAPABILITIES >> 16) + bytes([len(_SALT) + 1]) + bytes(10)
            + _SALT[8:] + b"\0mysql_native_password\0"
        )  # fmt: skip
        answer = self.receive()[32:]
        _, rest = answer.split(b"\0", 1)
        given = rest[1 : 1 + rest[0]]
        once = hashlib.sha1(self.server.password.encode()).digest()  # noqa: S324
        mask = hashlib.sha1(_SALT + hashlib.sha1(once).digest()).digest()  # noqa: S324
        if given != bytes(a ^ b for a, b in zip(once, mask, strict=True)):
            self.fail(1045, "Access denied for user 'clerk'@'localhost' (using password: YES)")
            return
        self.ok()
        while True:
            self.sequence = 0
            command = self.receive()
            if command[:1] == b"\x01":
                return
            statement = command[1:].decode()
            self.server.statements.append(statement)
            if not statement.startswith("select"):
                self.ok()
            elif statement.endswith("limit 0"):
                self.result([])
            elif self.server.error:
                self.fail(*self.server.error)
            else:
                self.result(self.server.rows)

    def result(self, rows: list[tuple[bytes | None, ...]]) -> None:
        self.send(bytes([len(self.server.columns)]))
        for name, kind, charset in self.server.columns:
            text = _text(b"def") + _text(b"") * 3 + _text(name.encode()) * 2
            self.send(text + struct.pack("<BHIBHBH", 12, charset, 1024, kind, 0, 0, 0))
        self.send(b"\xfe\0\0\2\0")
        for count, row in enumerate(rows):
            if count == self.server.cut_after:
                raise EOFError
            self.send(b"".join(b"\xfb" if value is None else _text(value) for value in row))
        self.send(b"\xfe\0\0\2\0")

    def ok(self) -> None:
        self.send(b"\0\0\0\2\0\0\0")

    def fail(self, number: int, message: str) -> None:
        self.send(b"\xff" + struct.pack("<H", number) + b"#HY000" + message.encode())

    def send(self, payload: bytes) -> None:
        self.sequence = (self.sequence + 1) % 256
        header = struct.pack("<I", len(payload))[:3] + bytes([self.sequence - 1 & 0xFF])
        self.connection.sendall(header + payload)

    def receive(self) -> bytes:
        header = self._exactly(4)
        self.sequence = header[3] + 1
        return self._exactly(int.from_bytes(header[:3], "little"))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.connection.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data


def _text(value: bytes) -> bytes:
    length = len(value)
    return (bytes([length]) if length < 251 else b"\xfc" + struct.pack("<H", length)) + value
