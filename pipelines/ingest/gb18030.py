"""GB18030 (and with it GBK and GB2312) → UTF-8.

Belongs here: one decoding, fast where the system's `iconv` function allows and the same
everywhere. Does not belong here: blocks (`decode`).

Python's codec follows the standard of 2000, in which 25 characters (龴 𠂇 and their like, which
occur in names) lie in the private use area; since 2005 and 2022 they have places of their own.
Both ways lead to these. The system's function takes half the time and lets go of the interpreter,
but stops at a byte that is none; such a block is decoded by Python's codec, which puts U+FFFD
there.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np

from pipelines.ingest.room import Room

_MOVED = {
    0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE790: 0xFE13, 0xE791: 0xFE14,
    0xE792: 0xFE15, 0xE793: 0xFE16, 0xE794: 0xFE17, 0xE795: 0xFE18, 0xE796: 0xFE19,
    0xE7C7: 0x1E3F, 0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE81E: 0x9FB4,
    0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE831: 0x215D7, 0xE832: 0x9FB8,
    0xE83B: 0x2298F, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE855: 0x241FE, 0xE864: 0x9FBB,
}  # fmt: skip
"""Place of a character in GB18030-2000 → in the editions since."""
_MOVED_UTF8 = [(chr(old).encode(), chr(new).encode()) for old, new in _MOVED.items()]
_PRIVATE = b"\xee"
_BLANKS = b"    "
_GROWTH = 2
"""UTF-8 bytes to GB18030 bytes: 3 to 2 at most, 4 to 4, 1 to 1."""


def to_utf8(block: bytes) -> bytes:
    """A block of whole characters as UTF-8; a byte that is none becomes U+FFFD."""
    room = Room()
    append_utf8(memoryview(block), room)
    return bytes(room.view(room.size))


def append_utf8(block: memoryview, room: Room) -> None:
    """Put a block of whole characters as UTF-8 behind what is in a room; as `to_utf8`."""
    library = _library()
    start = room.size
    count = _by_system(block, room.behind(len(block) * _GROWTH + 16), library) if library else None
    if count is None:
        room.append(_moved(_by_python(bytes(block))))
        return
    room.taken(count)
    if room.data.find(_PRIVATE, start, room.size) >= 0:
        text = _moved(bytes(room.view(room.size)[start:]))
        room.size = start
        room.append(text)


def _by_python(block: bytes) -> bytes:
    """With blanks behind it, so that half a character at the end does not take a line end along."""
    return (block + _BLANKS).decode("gb18030", errors="replace").encode()[: -len(_BLANKS)]


def _moved(text: bytes) -> bytes:
    if _PRIVATE in text:
        for old, new in _MOVED_UTF8:
            text = text.replace(old, new)
    return text


def _by_system(block: memoryview, target: np.ndarray, library: ctypes.CDLL) -> int | None:
    """Write the block as UTF-8 to the target; how many bytes it takes, None where a byte is none.

    Args:
        block: whole characters.
        target: bytes (uint8), at least `_GROWTH` times as many and 16 more.
        library: from `_library`.
    """
    descriptor = library.iconv_open(b"UTF-8", b"GB18030")
    if descriptor in (None, ctypes.c_void_p(-1).value):
        return None
    try:
        source = np.frombuffer(block, dtype=np.uint8)
        start = ctypes.c_void_p(source.ctypes.data)
        left = ctypes.c_size_t(len(source))
        place = ctypes.c_void_p(target.ctypes.data)
        room = ctypes.c_size_t(len(target))
        result = library.iconv(
            descriptor, ctypes.byref(start), ctypes.byref(left), ctypes.byref(place),
            ctypes.byref(room),
        )  # fmt: skip
        return None if result != 0 or left.value else len(target) - room.value
    finally:
        library.iconv_close(descriptor)


@cache
def _library() -> ctypes.CDLL | None:
    """The C library, where it has `iconv` (POSIX) and reads every double byte as we do."""
    try:
        library = ctypes.CDLL(None)
        library.iconv_open.restype = ctypes.c_void_p
        library.iconv_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        library.iconv_close.argtypes = [ctypes.c_void_p]
        library.iconv.restype = ctypes.c_size_t
        library.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
    except (OSError, AttributeError, TypeError):
        return None
    pairs = (bytes((lead, trail)) for lead in range(0x81, 0xFF) for trail in range(0x40, 0xFF))
    known = b"".join(pair for pair in pairs if pair[1] != 0x7F and _is_character(pair))
    target = np.empty(len(known) * _GROWTH + 16, dtype=np.uint8)
    count = _by_system(memoryview(known), target, library)
    read = b"" if count is None else target[:count].tobytes()
    same = _moved(read) == _moved(known.decode("gb18030").encode())
    stops = _by_system(memoryview(b"\xff"), target, library) is None
    return library if same and stops else None


def _is_character(pair: bytes) -> bool:
    try:
        pair.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True
