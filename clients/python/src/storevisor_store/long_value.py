# SPDX-License-Identifier: MIT
"""Values that do not fit into a message: a mark, and the parts as children (docs/decisions/0032-long-values.md)."""
from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

from .wire import PAYLOAD_MAX

VALUE_MAX = 1 << 20
PATH_MAX = 3064
PART_MAX = 2000
PART_MIN = 1020  # of a path of PATH_MAX
_NAME_MAX = 11  # "/@ff1048575"
_MARK = re.compile(rb"@long:([1-9][0-9]*):([1-9][0-9]*):([0-9a-f]{8})\Z")
_PART = re.compile(r"@ff(0|[1-9][0-9]*)\Z")


class Mark(NamedTuple):
    length: int
    nr_parts: int
    crc: int


def _crc_table() -> List[int]:
    table = []
    for c in range(256):
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
        table.append(c)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def mark_of(value: bytes) -> Optional[Mark]:
    """What @value, anybody's, says if it is written as a mark, of no more parts than its bytes have at any path."""
    found = _MARK.match(value)
    if not found:
        return None
    mark = Mark(int(found[1]), int(found[2]), int(found[3], 16))
    return mark if mark.length <= VALUE_MAX and mark.nr_parts <= mark.length // PART_MIN + 1 else None


def part_size(path: str) -> int:
    return min(PAYLOAD_MAX - len(path) - _NAME_MAX - 1, PART_MAX)


def mark_at(path: str, value: bytes) -> Optional[Mark]:
    """The same at @path: of just as many parts as its bytes have there."""
    mark = mark_of(value)
    if not mark or len(path) > PATH_MAX:
        return None
    return mark if mark.nr_parts == -(-mark.length // part_size(path)) else None


def part_number(name: str) -> Optional[int]:
    """Of what part @name is the name; None: of none."""
    found = _PART.match(name)
    return int(found[1]) if found and int(found[1]) <= VALUE_MAX else None


def is_part(name: str) -> bool:
    return part_number(name) is not None


def part_path(path: str, i: int) -> str:
    return f"{path if path != '/' else ''}/@ff{i}"


def is_needed(path: str, value: bytes) -> bool:
    return len(path) + 1 + len(value) > PAYLOAD_MAX or mark_of(value) is not None


def split(path: str, value: bytes) -> List[bytes]:
    """The parts of @value, which needs them. ValueError: it, or the path, is too long."""
    if len(value) > VALUE_MAX:
        raise ValueError(f"a value of {len(value)} bytes: at most {VALUE_MAX} are allowed")
    if len(path) > PATH_MAX:
        raise ValueError(f"a long value at a path of {len(path)} bytes: at most {PATH_MAX} are allowed")
    size = part_size(path)
    return [value[at:at + size] for at in range(0, len(value), size)]


def mark_for(value: bytes, nr_parts: int) -> bytes:
    return b"@long:%d:%d:%08x" % (len(value), nr_parts, crc32c(value))


def join(mark: Mark, parts: List[bytes]) -> Optional[bytes]:
    """The whole, or None: these are not the parts of that mark."""
    whole = b"".join(parts)
    return whole if len(whole) == mark.length and crc32c(whole) == mark.crc else None
