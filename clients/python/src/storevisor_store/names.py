# SPDX-License-Identifier: MIT
"""Names of any characters as names of the store, which have letters, digits and - _ @ only: what else there is becomes
@XX (xs(1), Paths)."""
from __future__ import annotations

import string
from typing import Optional

_PLAIN = frozenset((string.ascii_letters + string.digits + "-_@").encode())
_DIGITS = b"0123456789abcdef"


def _code_at(rest: bytes, first: bool) -> int:
    """The byte that an @ before @rest begins the code of, or -1: it is just an @. @first: it begins the name."""
    if len(rest) < 2 or rest[0] not in _DIGITS or rest[1] not in _DIGITS:
        return -1
    byte = int(rest[:2], 16)
    if byte == 0:
        return 0 if first and len(rest) == 2 else -1
    if byte == 0x40:
        return -1 if _code_at(rest[2:], first) < 0 else byte
    return -1 if byte in _PLAIN else byte


def encode(name: str) -> str:
    """The store's name for any @name without NUL; decode() gives it back."""
    raw = name.encode("utf-8")
    if b"\0" in raw:
        raise ValueError("a NUL byte in a name")
    if not raw:
        return "@00"
    out = []
    for i, byte in enumerate(raw):
        is_code = byte not in _PLAIN or (byte == 0x40 and _code_at(raw[i + 1:], i == 0) >= 0)
        out.append(f"@{byte:02x}" if is_code else chr(byte))
    return "".join(out)


def decode(name: str) -> Optional[str]:
    """What the store's @name stands for; None: no text, it is known by its own name only."""
    raw, out, i = name.encode("ascii", "replace"), bytearray(), 0
    while i < len(raw):
        byte = _code_at(raw[i + 1:], i == 0) if raw[i] == 0x40 else -1
        if byte > 0:
            out.append(byte)
        elif byte < 0:
            out.append(raw[i])
        i += 3 if byte >= 0 else 1
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        return None


def join(*names: str) -> str:
    """The absolute path of these names, each encoded."""
    return "/" + "/".join(encode(n) for n in names)
