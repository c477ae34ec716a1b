# SPDX-License-Identifier: MIT
"""Messages of Xen's protocol (xen/io/xs_wire.h) as bytes. No input or output happens here."""
from __future__ import annotations

import struct
from enum import IntEnum
from typing import List, NamedTuple, Tuple

HEADER = struct.Struct("=IIII")  # type, request, transaction, length: the machine's own byte order
PAYLOAD_MAX = 4096
PATH_MAX = 3072


class Op(IntEnum):
    CONTROL = 0
    DIRECTORY = 1
    READ = 2
    GET_PERMS = 3
    WATCH = 4
    UNWATCH = 5
    TRANSACTION_START = 6
    TRANSACTION_END = 7
    GET_DOMAIN_PATH = 10
    WRITE = 11
    MKDIR = 12
    RM = 13
    SET_PERMS = 14
    WATCH_EVENT = 15
    ERROR = 16
    DIRECTORY_PART = 22


#: Requests that must not be done twice.
CHANGES = frozenset((Op.WRITE, Op.MKDIR, Op.RM, Op.SET_PERMS))


class Message(NamedTuple):
    op: int
    request: int
    transaction: int
    payload: bytes

    def pack(self) -> bytes:
        return HEADER.pack(self.op, self.request, self.transaction, len(self.payload)) + self.payload


def unpack_header(data: bytes) -> Tuple[int, int, int, int]:
    """(op, request, transaction, length of what follows); ValueError for a length no daemon may send."""
    op, request, transaction, length = HEADER.unpack(data)
    if length > PAYLOAD_MAX:
        raise ValueError(f"a message of {length} bytes")
    return op, request, transaction, length


def strings(payload: bytes) -> List[str]:
    """The NUL-terminated strings of a payload."""
    return [s.decode("utf-8", "surrogateescape") for s in payload.split(b"\0")[:-1]]


def joined(*words: str) -> bytes:
    """Words, each ended by a NUL. ValueError if one has a NUL."""
    if any("\0" in w for w in words):
        raise ValueError("a NUL byte in a word for the store")
    return b"".join(w.encode("utf-8", "surrogateescape") + b"\0" for w in words)
