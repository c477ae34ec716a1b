# SPDX-License-Identifier: MIT
"""What the store says no with. Each is an OSError: errno is the store's, filename the path."""
from __future__ import annotations

import errno
import os
from typing import Optional


class StoreError(OSError):
    """The store refused, for the reason in errno."""


class NotFound(StoreError):
    """ENOENT: there is no such node."""


class PermissionDenied(StoreError):
    """EACCES, EPERM, EROFS."""


class Conflict(StoreError):
    """EAGAIN: somebody else changed what the transaction used. It was not committed."""


class ConnectionLost(StoreError):
    """EIO: no daemon within the patience, or one that does not speak the protocol (__cause__); ECANCELED: closed; ENOTCONN:
    not opened, or by another process. What was asked has not been done."""


class ProtocolError(StoreError):
    """EPROTO: the daemon said what is not of the protocol."""

    def __init__(self, text: str, path: Optional[str] = None) -> None:
        super().__init__(errno.EPROTO, f"the daemon sent {text}", path)


class NotSupported(StoreError):
    """EOPNOTSUPP: only Storevisor's daemon has this."""

    def __init__(self, path: Optional[str] = None) -> None:
        super().__init__(errno.EOPNOTSUPP, "this daemon binds keys to nothing: Storevisor's does", path)


class Lost(StoreError):
    """ESTALE: somebody else may have what was held."""

    def __init__(self, path: Optional[str] = None) -> None:
        super().__init__(errno.ESTALE, "lost: somebody else may have it", path)


class OutcomeUnknown(ConnectionLost):
    """EIO: the connection broke while a change was on its way, and nobody can say what became of it."""


_KINDS = {"ENOENT": NotFound, "EACCES": PermissionDenied, "EPERM": PermissionDenied, "EROFS": PermissionDenied,
          "EAGAIN": Conflict}


def error_of(name: str, path: Optional[str] = None) -> StoreError:
    """The exception for an error's name on the wire ("ENOENT"); unknown names are EIO."""
    number = getattr(errno, name, None)
    if not isinstance(number, int):  # whatever else the module has: its name is anybody's text
        number = errno.EIO
    return _KINDS.get(name, StoreError)(number, os.strerror(number), path)
