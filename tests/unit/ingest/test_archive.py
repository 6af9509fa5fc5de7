"""The archive: what was delivered lies under its own hash, however it was copied."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines.ingest import archive

BLOCK = 256 << 10


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, 5 * BLOCK + 7])
def test_both_hashes_are_of_the_whole_file(tmp_path: Path, size: int) -> None:
    """SM3 follows the copying: it must neither stop at a block's end nor miss the last bytes."""
    content = bytes(range(251)) * (size // 251 + 1)
    path = tmp_path / "a.csv"
    path.write_bytes(content[:size])
    with archive.receiving(tmp_path / "archive") as receive:
        copy = receive(path)
        original = copy.keep()
    assert copy.sha256 == hashlib.sha256(content[:size]).hexdigest()
    assert original.sm3 == hashlib.new("sm3", content[:size]).hexdigest()
    assert (original.size, original.path.read_bytes()) == (size, content[:size])
    assert original.path == archive.place(tmp_path / "archive", original.sm3, "a.csv")


def test_several_files_wait_for_their_turn_and_what_is_not_kept_goes(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.csv" for name in "abc"]
    for number, path in enumerate(paths):
        path.write_bytes(b"x" * (2 * BLOCK + number))
    with archive.receiving(tmp_path / "archive") as receive:
        copies = [receive(path) for path in paths]
        kept = copies[1].keep()
    assert kept.sm3 == hashlib.new("sm3", paths[1].read_bytes()).hexdigest()
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == [kept.path]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that breaks off")
def test_a_file_that_cannot_be_read_ends_in_an_error_not_in_waiting(tmp_path: Path) -> None:
    """The thread that hashes would wait for blocks that never come."""
    with (
        archive.receiving(tmp_path / "archive") as receive,
        pytest.raises(OSError, match="Errno 5"),
    ):
        receive(Path("/proc/self/mem"))
