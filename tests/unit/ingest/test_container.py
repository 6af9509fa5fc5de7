"""Archives: what is taken out of them, and what they may not do."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from pipelines.ingest import container, limits, parse
from pipelines.ingest.findings import Findings
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError
from tests.unit.ingest import corpus

CSV = "编号,名称\n1,沂河\n".encode()


def refusal(path: Path) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        list(parse.read(path, Layout(), Findings()))
    return refused.value


def rows(path: Path, findings: Findings | None = None) -> int:
    return sum(frame.height for frame in parse.read(path, Layout(), findings or Findings()))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXPANSION_FREE_BYTES", 1 << 20)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_a_zip_bomb_is_refused_before_it_goes_off(tmp_path: Path, kind: str) -> None:
    bomb = b"a,b\n" + b"0" * (64 << 20)
    path = tmp_path / "x.csv"
    if kind == "gzip":
        path.write_bytes(gzip.compress(bomb))
    else:
        corpus.zipped(path, {"x.csv": bomb})
    assert refusal(path).rule == "expansion_ratio"


@pytest.mark.usefixtures("small")
def test_a_size_that_an_archive_lies_about_does_not_help_it(tmp_path: Path) -> None:
    """The directory says 10 bytes; what comes out is counted, not what is said."""
    path = corpus.zipped(tmp_path / "x.zip", {"x.csv": b"a,b\n" + b"0" * (64 << 20)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    assert refusal(path).rule in ("unreadable_file", "expansion_ratio", "wrong_header")


def test_all_that_an_archive_unpacks_to_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXPANDED_BYTES", 1000)
    path = corpus.zipped(tmp_path / "x.zip", {f"{i}.csv": CSV * 20 for i in range(10)})
    assert refusal(path).rule == "too_large"


def test_the_number_of_members_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 3)
    path = corpus.zipped(tmp_path / "x.zip", {f"{i}.csv": CSV for i in range(4)})
    assert refusal(path).rule == "too_many_members"


@pytest.mark.parametrize(
    "name",
    [
        "../../../tmp/逃.csv",
        "/etc/x.csv",
        "C:\\Windows\\x.csv",
        "a/../../x.csv",
        "\u202excel.csv",
        "n\rm.csv",
    ],
)
def test_a_path_in_a_members_name_leads_nowhere(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members are read as streams; their names are only shown, and only the last part."""
    monkeypatch.chdir(tmp_path)
    path = corpus.zipped(tmp_path / "x.zip", {name: CSV})
    before = sorted(tmp_path.rglob("*"))
    findings = Findings()
    assert rows(path, findings) == 1
    assert sorted(tmp_path.rglob("*")) == before
    shown = findings.parts[0].member or ""
    assert not set(shown) & set("/\\\r\n\u202e")
    assert ".." not in shown


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("x.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("y.csv", CSV)
    findings = Findings()
    assert rows(path, findings) == 1
    assert "链接" in findings.skipped[0]


def test_what_a_mac_or_windows_adds_is_no_data(tmp_path: Path) -> None:
    members = {"x/": b"", "x/数据.csv": CSV, "__MACOSX/x/._数据.csv": b"\0\5", "Thumbs.db": b"x"}
    findings = Findings()
    assert rows(corpus.zipped(tmp_path / "x.zip", members), findings) == 1
    assert findings.skipped == []
    assert findings.parts[0].member == "数据.csv"


def test_a_members_name_in_gbk_is_shown_as_it_was_meant(tmp_path: Path) -> None:
    path = corpus.zipped(tmp_path / "x.zip", {"居民信息.csv": CSV}, "gbk")
    findings = Findings()
    assert rows(path, findings) == 1
    assert findings.parts[0].member == "居民信息.csv"


def test_an_encrypted_member_is_named_as_such(tmp_path: Path) -> None:
    path = corpus.zipped(tmp_path / "x.zip", {"x.csv": CSV})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + offset] |= 1
    path.write_bytes(data)
    assert refusal(path).rule == "encrypted"


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path, kind: str, cut: float) -> None:
    path = tmp_path / "x"
    body = corpus.csv_text([("a", "b"), *((str(i), str(i * 7919)) for i in range(50_000))]).encode()
    if kind == "gzip":
        path.write_bytes(gzip.compress(body))
    else:
        corpus.zipped(path, {"x.csv": body})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    assert refusal(path).rule == "unreadable_file"


@pytest.mark.parametrize(
    "members", [{}, {"x/": b""}, {"说明.pdf": b"%PDF"}, {"x.csv": b""}], ids=str
)
def test_an_archive_without_data_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    assert refusal(corpus.zipped(tmp_path / "x.zip", members)).rule == "empty_file"


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    inner = corpus.zipped(tmp_path / "y.zip", {"x.csv": CSV}).read_bytes()
    path = corpus.zipped(tmp_path / "x.zip", {"y.zip": inner})
    assert refusal(path).rule == "unreadable_file"


def test_a_member_on_the_disk_is_bounded_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = corpus.zipped(tmp_path / "x.zip", {"x.csv": CSV})
    (member,) = container.members(path, Findings())
    with member.on_disk() as place:
        assert place.read_bytes() == CSV
        assert "x.csv" not in str(place)
    assert not place.exists()
    monkeypatch.setattr(limits, "SPOOLED_BYTES", 5)
    with pytest.raises(RefusedError, match="too_large"), member.on_disk():
        pass
