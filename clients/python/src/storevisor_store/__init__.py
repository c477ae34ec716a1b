# SPDX-License-Identifier: MIT
"""Client of xenstored, Storevisor's and Xen's, on the wire: see README.md."""
from .aio import AsyncStore, AsyncTransaction, AsyncWatch, Event
from .document import Json, Kind, Node
from .errors import (Conflict, ConnectionLost, Lost, NotFound, NotSupported, OutcomeUnknown, PermissionDenied, ProtocolError,
                     StoreError)
from .hold import AsyncHold
from .sync import Hold, Store, Transaction, Watch

__all__ = ["AsyncHold", "AsyncStore", "AsyncTransaction", "AsyncWatch", "Conflict", "ConnectionLost", "Event", "Hold", "Json",
           "Kind", "Lost", "Node", "NotFound", "NotSupported", "OutcomeUnknown", "PermissionDenied", "ProtocolError", "Store", "StoreError", "Transaction", "Watch"]
