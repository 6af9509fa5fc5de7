"""What happens to files on their way: each mutation takes sound bytes and gives unsound ones.

All chance comes from the generator that is handed in, so that a number names a file for ever.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from random import Random

Mutation = Callable[[Random, bytes], bytes]

_SOUND_VALUES = ("JZ0000000003", "11010519491231002X", "王小明", "沂河路7号", "371302",
                 "13900001234", "2026-01-05", "2027-01-05", "公民身份号码", "签发日期")  # fmt: skip
"""Values and headers of the sound files."""
_ODD_VALUES = (
    "", " ", "　", "-", "—", "NULL", "\\N", "#N/A", "无", "3.71302E+17", "371302199001011000",
    "'371302", "３７１３０２", "1e400", "-0", "9" * 400, "2026年13月45日", "44197", "1900-02-29",
    "0000-00-00", "99999-12-31", "壹万贰仟", "1,234.50元", "12.5%", "王*明", "临沂市***路",
    "\u202e倒", "a\u0301", "\ufeff", "\x7f", "{}", "[1, 2]", "true", "=1+1", "^.*$", "*",
    "公民身份号码", "Ω" * 300,
)  # fmt: skip
"""What people and programs write where a value should stand."""


def flip_bytes(chance: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(chance: Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def cut_the_front(chance: Random, data: bytes) -> bytes:
    return data[chance.randrange(len(data) + 1) :]


def insert_noise(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.randint(1, 64)) + data[at:]


def repeat_a_part(chance: Random, data: bytes) -> bytes:
    start = chance.randrange(len(data) + 1)
    part = data[start : start + chance.randint(1, 400)]
    return data[:start] + part * chance.randint(2, 5) + data[start:]


def drop_a_part(chance: Random, data: bytes) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + chance.randint(1, 200) :]


def swap_two_parts(chance: Random, data: bytes) -> bytes:
    a, b, c = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def another_encoding_in_the_middle(chance: Random, data: bytes) -> bytes:
    text = chance.choice(["临沂市兰山区", "蒙陰縣", "Ωmega", "锟斤拷", "\ud7ff", "👨‍👩‍👧"])
    encoding = chance.choice(["gb18030", "big5", "utf-16-le", "utf-8", "utf-16-be"])
    at = chance.randrange(len(data) + 1)
    return data[:at] + text.encode(encoding, errors="ignore") + data[at:]


def special_characters(chance: Random, data: bytes) -> bytes:
    piece = chance.choice(
        [b'"', b"'", b'""', b"\\", b"\x00", b"\r", b"\n", b"\r\n", b"\t", b",", b"|", b";", b"\x1a",
         b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x85", b"\xe2\x80\xa8", b"<", b">", b"&",
         b"{", b"]", b"]]>", b"<!--"]
    )  # fmt: skip
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + piece + data[at:]
    return data


def ragged_rows(chance: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        lines[at] = lines[at][: len(lines[at]) // 2] + b"," * chance.randint(0, 20)
    return b"\n".join(lines)


def other_line_ends(chance: Random, data: bytes) -> bytes:
    return data.replace(b"\r\n", chance.choice([b"\n", b"\r", b"\n\r", b"\x0b", b"\r\r\n"]))


def a_formula(chance: Random, data: bytes) -> bytes:
    formula = chance.choice([b"=cmd|' /C calc'!A0", b"=HYPERLINK(1)", b"@SUM(1+1)", b"+1-1"])
    at = chance.randrange(len(data) + 1)
    return data[:at] + formula + data[at:]


def a_huge_field(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice([b"9", "沂".encode(), b'"', b"\n", b","]) * 40_000 + data[at:]


def ten_thousand_columns(chance: Random, data: bytes) -> bytes:
    ends = data.find(b"\n")
    names = b",".join(b"c%d" % i for i in range(10_000))
    return data[:ends].rstrip(b"\r") + b"," + names + data[ends:] if ends > 0 else data + names


def entity_bomb(_: Random, data: bytes) -> bytes:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{entities}]>'.encode()
    start = data.find(b"<rows")
    return head + (data[start:] if start >= 0 else b"<rows><row>&l9;</row></rows>")


def outside_entity(_: Random, data: bytes) -> bytes:
    head = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    start = data.find(b"<rows")
    return head + (data[start:] if start >= 0 else b"<rows><row>&x;</row></rows>")


def zip_bomb(chance: Random, _: bytes) -> bytes:
    return _zipped([("residence_permit.csv", bytes(chance.choice([1, 20]) << 20))])


def many_members(chance: Random, data: bytes) -> bytes:
    return _zipped([(f"part_{i}.csv", data[:200]) for i in range(chance.choice([2, 50, 3_000]))])


def odd_member_names(chance: Random, data: bytes) -> bytes:
    name = chance.choice(
        ["../../etc/passwd", "/etc/shadow", "a" * 5_000, "C:\\x.csv", ".", "a/../b.csv", "\x00.csv",
         "居住证.csv", "con", "x.csv/"]
    )  # fmt: skip
    return _zipped([(name, data)])


def a_zip_in_a_zip(_: Random, data: bytes) -> bytes:
    for _unused in range(4):
        data = _zipped([("inner.zip", data)])
    return data


def a_gzip_bomb(_: Random, __: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(bytes(16 << 20)) + packer.flush()


def another_format(chance: Random, data: bytes) -> bytes:
    head = chance.choice([b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
                          b"%PDF-1.4", b"<html>", b"{", b"[", b"SQLite format 3\x00"])  # fmt: skip
    return head + data[chance.randrange(len(data) + 1) :]


def an_odd_value(chance: Random, data: bytes) -> bytes:
    """One sound value replaced by an odd one, so that the file's syntax stays whole."""
    sound = chance.choice(_SOUND_VALUES)
    odd = chance.choice(_ODD_VALUES)
    for encoding in ("utf-8", "gb18030", "utf-16-le"):
        wanted = sound.encode(encoding)
        places = [match.start() for match in re.finditer(re.escape(wanted), data)]
        if places:
            at = chance.choice(places)
            return data[:at] + odd.encode(encoding, "replace") + data[at + len(wanted) :]
    return data


def inside_the_archive(chance: Random, data: bytes) -> bytes:
    """One member of a zip, a workbook or a gzip mutated, and packed again without a fault."""
    mutation = chance.choice(COMMON)
    if data[:2] == b"\x1f\x8b":
        try:
            return gzip.compress(mutation(chance, gzip.decompress(data)), mtime=0)
        except (OSError, EOFError, zlib.error):
            return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, KeyError,
            IndexError, NotImplementedError):  # fmt: skip
        return data  # another mutation has been here
    if members:
        place = chance.randrange(len(members))
        members[place] = (members[place][0], mutation(chance, members[place][1]))
    return _zipped(members)


def _zipped(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


COMMON: tuple[Mutation, ...] = (
    flip_bytes, cut, cut_the_front, insert_noise, repeat_a_part, drop_a_part, swap_two_parts,
    another_encoding_in_the_middle, special_characters, ragged_rows, other_line_ends, a_formula,
    an_odd_value, an_odd_value, an_odd_value,
)  # fmt: skip
RARE: tuple[Mutation, ...] = (
    a_huge_field, ten_thousand_columns, entity_bomb, outside_entity, zip_bomb, many_members,
    odd_member_names, a_zip_in_a_zip, a_gzip_bomb, another_format,
)  # fmt: skip


def mutate(chance: Random, data: bytes) -> tuple[bytes, list[str]]:
    """One to three mutations, a costly one now and then; gives their names too."""
    chosen = [chance.choice(COMMON) for _ in range(chance.randint(1, 3))]
    if data[:2] in (b"PK", b"\x1f\x8b") and chance.random() < 0.7:
        chosen = [inside_the_archive] * len(chosen)
    if chance.random() < 0.03:
        chosen = [chance.choice(RARE), *chosen[: chance.randint(0, 1)]]
    for mutation in chosen:
        data = mutation(chance, data)
    return data, [mutation.__name__ for mutation in chosen]
