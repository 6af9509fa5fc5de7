"""What a file is, by its content: format and encoding.

Belongs here: evidence in the first bytes. Does not belong here: delimiter and quotes
(`delimited`), the header (`header`). The name of a file is never evidence.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from pipelines.ingest import limits
from pipelines.ingest.container import Member
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
_UNREADABLE = {
    b"%PDF": "PDF 文件", b"Rar!": "RAR 压缩包", b"7z\xbc\xaf": "7z 压缩包",
    b"\x89PNG": "图片", b"\xff\xd8\xff": "图片", b"{\\rt": "RTF 文档", b"SQLi": "SQLite 数据库",
    b"BZh": "bzip2 压缩包", b"\xfd7zX": "xz 压缩包", b"\x28\xb5\x2f\xfd": "zstd 压缩包",
}  # fmt: skip
_MARKUP = re.compile(
    rb"^\s*(?:<!--.*?-->\s*)*(?:(?P<html><!doctype\s+html|<html|<table|<head|<body|<meta|<style|<div)"
    rb"|(?P<xml><\?xml|<!DOCTYPE|<[A-Za-z_\x80-\xff][\w:.\x80-\xff-]*[\s/>]))",
    re.IGNORECASE | re.DOTALL,
)
_FREQUENT = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形"
    "相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五"
    "果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回"
    "则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花"
    "市县镇乡街村号名称姓身份证码址类型状态注册登记企业统信用代有限责任公司日备编缴费税种额元户籍居住男女民族电话联系单位邮政财务医院"
    "國會時來們個產後過說發對於業電資統員實應當點體從關間數與開還問題證號縣區鎮鄉街稱類狀態註冊登記企業統責繳費稅種額戶籍聯繫單位財務"
)
"""The characters that most text of offices is made of, simplified and traditional."""
_GUESSED = ("utf-8", "gb18030", "big5", "utf-16le", "utf-16be")
_SURE_SCORE = 0.6
_GARBLED = frozenset("�") | frozenset(map(chr, range(0xE000, 0xF900)))
_CONTROL = frozenset(map(chr, (*range(1, 9), 11, 12, *range(14, 32), *range(0x7F, 0xA0))))


@dataclass(frozen=True)
class Encoding:
    """An encoding, and how sure it is."""

    name: str
    certainty: str
    mark: int = 0
    """Bytes of the byte order mark."""


def python_codec(encoding: str) -> str:
    """GBK and GB2312 are read as GB18030, which holds both."""
    return "gb18030" if encoding in ("gbk", "gb2312") else encoding


def file_format(head: bytes, layout: Layout) -> tuple[str, str]:
    """Which reader reads this, and how sure that is.

    Signatures and markup decide against the layout; a text that only could be something else
    does not.

    Raises:
        RefusedError: a kind of file that holds no table.
    """
    for start, kind in _UNREADABLE.items():
        if head.startswith(start):
            message = f"文件是{kind}，不是数据表，请导出为 CSV 或 XLSX 后报送。"
            raise RefusedError("unreadable_file", message)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        return "workbook", "sure"
    if head.startswith(b"PAR1"):
        return "parquet", "sure"
    text = _leading_text(head)
    markup = _MARKUP.match(text)
    if markup:
        is_html = bool(markup["html"]) or bool(re.search(rb"<html[\s>]", text[:4096], re.I))
        return ("html" if is_html else "xml"), "sure"
    declared = layout.file_format
    if declared in ("json", "ndjson", "geojson") or (declared is None and text[:1] in (b"{", b"[")):
        return _json_format(text), "sure"
    if declared == "fixed" or (declared is None and layout.widths):
        return "fixed", "declared"
    return "csv", "declared" if declared == "csv" else "likely"


def _leading_text(head: bytes) -> bytes:
    """The beginning as ASCII-compatible bytes, without mark and leading space."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace").encode().lstrip()
    if head[:64].count(0) > 16:
        encoding = "utf-16le" if head[1:64:2].count(0) > head[:64:2].count(0) else "utf-16be"
        return head.decode(encoding, "replace").encode().lstrip()
    return head.lstrip()


def _json_format(text: bytes) -> str:
    if text[:1] != b"{":
        return "json"
    lines = [line for line in text[: 64 << 10].splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[1].lstrip()[:1] == b"{":
        return "ndjson"
    return "geojson" if b'"FeatureCollection"' in text else "json"


def encoding(member: Member, head: bytes, layout: Layout) -> Encoding:
    """The encoding of a text: its mark, what is declared, else what reads best."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Encoding(name, "sure", len(mark))
    declared = layout.encoding
    if declared == "utf-16":
        return Encoding(_best(head, ("utf-16le", "utf-16be"), layout)[0], "declared")
    if declared is not None:
        return Encoding(declared, "declared")
    sample = head if not _is_plain(head) else head + _first_beyond_ascii(member)
    if _is_plain(sample):
        return Encoding("utf-8", "sure")
    return Encoding(*_best(sample, _GUESSED, layout))


def _is_plain(data: bytes) -> bool:
    return data.isascii() and data[:4096].count(0) * 4 < min(len(data), 4096)


def _first_beyond_ascii(member: Member) -> bytes:
    """What lies around the first byte that is not ASCII, behind the head."""
    size = limits.HEAD_BYTES
    with member.open() as stream:
        before = b""
        while block := stream.read(size):
            if not block.isascii():
                window = before + block + stream.read(size)
                first = len(window) - len(window.lstrip(bytes(range(128))))
                line = window.rfind(b"\n", 0, first) + 1
                return window[line : line + size]
            before = block
    return b""


def _best(sample: bytes, candidates: tuple[str, ...], layout: Layout) -> tuple[str, str]:
    """The encoding in which a sample reads best, and how sure that is."""
    scores = sorted(((_score(sample, name, layout), name) for name in candidates), reverse=True)
    (best, name), (second, _) = scores[0], scores[1]
    if best >= _SURE_SCORE and best - second > 0.15:
        return name, "sure"
    return name, "likely" if best - second > 0.1 else "guess"


def _score(sample: bytes, name: str, layout: Layout) -> float:
    """0 to 2: how much of a sample's text beyond ASCII is what people write."""
    if (
        name.startswith("utf-16")
        and sample.count(b"\x00") * 50 < len(sample)
        and (b"\n\x00" not in sample and b"\x00\n" not in sample)
    ):
        return -1.0
    text = sample.decode(name, errors="replace")
    if len(text) > 1 and len(text) < len(sample):
        text = text[:-1]  # the last character of the sample may be cut
    found = 1.0 if layout.headers and all(header in text for header in layout.headers) else 0.0
    beyond = [character for character in text if character > "\x7f"]
    controls = sum(map(_CONTROL.__contains__, text)) + text.count("\x00")
    if not beyond:
        return found + 0.5 - min(controls / max(len(text), 1) * 4, 1.5)
    garbled = sum(map(_GARBLED.__contains__, beyond)) + controls
    usual = sum(map(_is_usual, beyond))
    frequent = sum(map(_FREQUENT.__contains__, beyond))
    if name == "utf-8" and garbled * 20 < len(beyond):
        return found + 1.0  # hardly anything but UTF-8 is valid UTF-8
    size = len(beyond)
    return found + (0.5 * usual + 0.5 * frequent - 3.0 * garbled) / size


def _is_usual(character: str) -> bool:
    """A Chinese character of GB 2312 level 1, punctuation or a full-width form."""
    if "\u4e00" <= character <= "\u9fff":
        try:
            return character.encode("gb2312")[0] < 0xD8
        except UnicodeEncodeError:
            try:
                return character.encode("big5")[0] < 0xC7
            except UnicodeEncodeError:
                return False
    return (
        "\u3000" <= character <= "\u303f"
        or "\uff00" <= character <= "\uffee"
        or character in "·—“”‘’…℃×"
    )


def is_text(head: bytes, found: Encoding) -> bool:
    """Whether the beginning reads as text; a few odd characters do not make it none."""
    sample = head[: 16 << 10]
    text = sample.decode(python_codec(found.name), errors="replace")
    odd = sum(map(_CONTROL.__contains__, text)) + text.count("\x00") + text.count("\ufffd")
    return odd <= 4 + len(text) // 10
