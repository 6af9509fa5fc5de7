"""A delivered file → the members that hold data, each as a stream.

Belongs here: gzip and zip, and the bounds on what they may unpack to. Does not belong here: what
is in a member (`sniff`), or workbooks, which are zip archives too but files of their own.

Nothing is ever unpacked to a path that an archive names. A member that must lie on the disk goes
to a temporary file under a name of ours.
"""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from pipelines.ingest import limits
from pipelines.ingest.findings import Findings
from pipelines.ingest.refusal import RefusedError

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_WORKBOOK_PARTS = ("[Content_Types].xml", "xl/workbook.xml", "xl/workbook.bin", "content.xml")
_NO_DATA = ("Thumbs.db", "desktop.ini", ".DS_Store")
_NO_DATA_ENDINGS = (".doc", ".docx", ".wps", ".pdf", ".jpg", ".jpeg", ".png", ".md", ".sha256",
                    ".md5", ".sm3", ".ofd")  # fmt: skip
_NAME_CHARACTERS = 80


@dataclass(frozen=True)
class Member:
    """One file of data; `open` gives it from its beginning, each time anew.

    `name` is None for the delivered file itself; else the last part of the member's name.
    """

    open: Callable[[], BinaryIO]
    name: str | None = None
    path: Path | None = None
    """Where it lies on the disk as it is."""

    def head(self, size: int = limits.HEAD_BYTES) -> bytes:
        """Its first bytes."""
        with self.open() as stream:
            return read_up_to(stream, size)

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A path to read it from while the block lasts."""
        if self.path is not None:
            yield self.path
            return
        with tempfile.NamedTemporaryFile(prefix="yishu-member-") as file:
            with self.open() as stream:
                left = limits.SPOOLED_BYTES
                while block := stream.read(1 << 20):
                    left -= len(block)
                    if left < 0:
                        raise _too_large("解压后的单个文件", limits.SPOOLED_BYTES)
                    file.write(block)
            file.flush()
            yield Path(file.name)


def read_up_to(stream: BinaryIO, size: int) -> bytes:
    """The next bytes of a stream, fewer only at its end."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def members(path: Path, findings: Findings) -> list[Member]:
    """The files of data in a delivered file: itself, or what an archive holds.

    Raises:
        RefusedError: empty, damaged, encrypted or beyond the limits.
    """
    size = path.stat().st_size
    if size == 0:
        raise RefusedError("empty_file", "文件为空（0 字节），请重新导出后报送。")
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_GZIP):
        findings.container = "gzip"
        return [Member(lambda: _gzip(path, size))]
    if start in _ZIP:
        found = _zip_members(path, size, findings)
        if found is not None:
            return found
    return [Member(lambda: cast(BinaryIO, path.open("rb")), path=path)]


def _too_large(what: str, limit: int) -> RefusedError:
    size = f"{limit >> 30} GB" if limit >> 30 else f"{limit >> 20} MB"
    return RefusedError("too_large", f"{what}超过上限 {size}，请拆分后报送。")


class _Bounded(io.RawIOBase):
    """What a compressed stream gives, counted against the limits; damage is a refusal."""

    def __init__(self, source: BinaryIO, packed: int) -> None:
        self._source = source
        self._packed = max(packed, 1)
        self._read = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            block = self._source.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            message = "压缩文件已损坏或没有传完，请重新压缩后报送。"
            raise RefusedError("unreadable_file", message) from error
        self._read += len(block)
        if self._read > limits.EXPANDED_BYTES:
            raise _too_large("压缩文件解压后", limits.EXPANDED_BYTES)
        ratio = self._read / self._packed
        if self._read > limits.EXPANSION_FREE_BYTES and ratio > limits.EXPANSION_RATIO:
            message = (
                f"压缩比超过 {limits.EXPANSION_RATIO} 倍，疑为压缩炸弹，未予解压，"
                "请直接报送原文件。"
            )
            raise RefusedError("expansion_ratio", message)
        return block

    def readinto(self, target: Any) -> int:
        block = self.read(len(target))
        target[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._source.close()
        super().close()


def _gzip(path: Path, size: int) -> BinaryIO:
    return cast(BinaryIO, _Bounded(cast(BinaryIO, gzip.open(path, "rb")), size))


def _zip_members(path: Path, size: int, findings: Findings) -> list[Member] | None:
    """The members that may hold data; None where the archive is a workbook, or is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
        return None
    names = {entry.filename for entry in entries}
    if names & set(_WORKBOOK_PARTS):
        return None
    findings.container = "zip"
    if len(entries) > limits.MEMBERS:
        message = f"压缩包内有 {len(entries)} 个文件，超过上限 {limits.MEMBERS} 个，请分开报送。"
        raise RefusedError("too_many_members", message)
    if sum(entry.file_size for entry in entries) > limits.EXPANDED_BYTES:
        raise _too_large("压缩包解压后", limits.EXPANDED_BYTES)
    found = []
    for entry in entries:
        name = member_name(entry)
        reason = _why_not(entry, name)
        if reason is None:
            found.append(_zip_member(path, entry, name, size))
        elif reason:
            findings.skip(f"压缩包内「{name}」：{reason}")
    if not found:
        raise RefusedError("empty_file", "压缩包内没有数据文件，请重新打包后报送。")
    return found


def _why_not(entry: zipfile.ZipInfo, name: str) -> str | None:
    """Why a member holds no data; None where it may; empty where that is not worth a word."""
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    # Not entry.is_dir(), which has no answer for a member without a name.
    is_folder = entry.filename.endswith("/")
    if is_folder or "__MACOSX" in parts or name in _NO_DATA or name.startswith("._"):
        return ""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "是链接，不是文件，未读取。"
    if name.lower().endswith(_NO_DATA_ENDINGS):
        return "不是数据文件，未读取。"
    if entry.file_size == 0:
        return "为空（0 字节）。"
    if entry.flag_bits & 0x1:
        raise RefusedError("encrypted", f"压缩包内「{name}」已加密，请去掉密码后报送。")
    return None


def member_name(entry: zipfile.ZipInfo) -> str:
    """The last part of a member's name, as its writer saw it, fit to be shown.

    Windows writes names in GBK without saying so; Python then reads them as cp437.
    """
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            raw = b""
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding) if raw else name
                break
            except UnicodeDecodeError:
                continue
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    shown = "".join(character if character.isprintable() else "�" for character in last)
    return shown[-_NAME_CHARACTERS:]


def _zip_member(path: Path, entry: zipfile.ZipInfo, name: str, size: int) -> Member:
    def open_member() -> BinaryIO:
        try:
            archive = zipfile.ZipFile(path)
            stream = _Entry(archive, entry)
        except (zipfile.BadZipFile, RuntimeError, ValueError, OSError) as error:
            message = f"压缩包内「{name}」已损坏、已加密或压缩方式不受支持，请重新压缩后报送。"
            raise RefusedError("unreadable_file", message) from error
        return cast(BinaryIO, _Bounded(cast(BinaryIO, stream), min(entry.compress_size, size)))

    return Member(open_member, name)


class _Entry(io.RawIOBase):
    """A member's stream, which closes its archive."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        self._archive = archive
        try:
            self._stream = archive.open(entry)
        except BaseException:
            archive.close()
            raise

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()
        self._archive.close()
        super().close()
