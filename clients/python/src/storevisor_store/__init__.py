# SPDX-License-Identifier: MIT
"""Client of xenstored, Storevisor's and Xen's, on the wire: see README.md."""
from .aio import AsyncStore, AsyncTransaction, AsyncWatch, Event
from .document import Json, Kind, Node
from .errors import Conflict, ConnectionLost, NotFound, OutcomeUnknown, PermissionDenied, ProtocolError, StoreError
from .sync import Store, Transaction, Watch

__all__ = ["AsyncStore", "AsyncTransaction", "AsyncWatch", "Conflict", "ConnectionLost", "Event", "Json", "Kind", "Node",
           "NotFound", "OutcomeUnknown", "PermissionDenied", "ProtocolError", "Store", "StoreError", "Transaction", "Watch"]
