# SPDX-License-Identifier: MIT
"""What can be asked about nodes, of the store as of a transaction. Values are bytes; str is UTF-8."""
from __future__ import annotations

import asyncio
import errno
from typing import Awaitable, Callable, List, Optional, Tuple, Union

from . import document, long_value
from .document import Node
from .errors import Conflict, NotFound, ProtocolError, StoreError
from .wire import Op, joined, strings

_PARTS_AT_ONCE = 32
_LISTINGS_MAX = 1000
Value = Union[str, bytes]
_KINDS = frozenset(b"%d" % kind for kind in document.Kind)
Body = Callable[["Nodes"], Awaitable[bytes]]


class Nodes:
    """Methods raise StoreError; its errno is the store's."""

    async def _ask(self, op: Op, payload: bytes, path: str) -> bytes:
        raise NotImplementedError

    async def _at_once(self, what: "Body") -> bytes:
        """Runs @what in one transaction: this one, or one of its own."""
        raise NotImplementedError

    def _transaction_id(self) -> int:
        return 0

    # ---- reading ----

    async def read(self, path: str) -> bytes:
        """The value, also a long one."""
        value = await self._ask(Op.READ, joined(path), path)
        if long_value.mark_at(path, value):
            return await self._at_once(lambda nodes: nodes._read_long(path))
        return value

    async def _read_long(self, path: str) -> bytes:
        value, whole = await self._value_and_whole(path)
        return value if whole is None else whole

    async def _value_and_whole(self, path: str) -> Tuple[bytes, Optional[bytes]]:
        """What the node has, and what it is the mark of; None: of nothing, or the parts are not those."""
        value = await self._ask(Op.READ, joined(path), path)
        mark = long_value.mark_at(path, value)
        parts = await self._read_parts(path, mark) if mark else None
        return value, long_value.join(mark, parts) if mark and parts is not None else None

    async def _read_parts(self, path: str, mark: long_value.Mark) -> Optional[List[bytes]]:
        """None: one is missing. Anybody may write a mark: the first part is read before the others are asked for."""
        parts: List[bytes] = []
        size = long_value.part_size(path)
        while len(parts) < mark.nr_parts:
            most = min(_PARTS_AT_ONCE if parts else 1, mark.nr_parts - len(parts))
            paths = [long_value.part_path(path, len(parts) + i) for i in range(most)]
            got = await asyncio.gather(*(self._ask(Op.READ, joined(p), p) for p in paths), return_exceptions=True)
            for part in got:
                if isinstance(part, Conflict) or isinstance(part, BaseException) and not isinstance(part, StoreError):
                    raise part
                if isinstance(part, BaseException) or len(part) != min(size, mark.length - len(parts) * size):
                    return None
                parts.append(part)
        return parts

    async def read_text(self, path: str) -> str:
        """The value as text. UnicodeDecodeError: it is none."""
        return (await self.read(path)).decode("utf-8")

    async def exists(self, path: str) -> bool:
        try:
            await self._ask(Op.READ, joined(path), path)
        except NotFound:
            return False
        return True

    async def list(self, path: str) -> List[str]:
        """Names of the children, as the store has them (names.decode()), sorted."""
        return sorted(n for n in await self._names(path) if not long_value.is_part(n))

    async def _names(self, path: str) -> List[str]:
        try:
            return strings(await self._ask(Op.DIRECTORY, joined(path), path))
        except StoreError as error:
            if error.errno != errno.E2BIG:
                raise
        for _ in range(_LISTINGS_MAX):
            names = await self._names_in_parts(path)
            if names is not None:
                return names
        raise Conflict(errno.EAGAIN, "the children change faster than they can be listed", path)

    async def _names_in_parts(self, path: str) -> Optional[List[str]]:
        """None: the set changed meanwhile."""
        gen, got = None, b""
        while True:
            part = await self._ask(Op.DIRECTORY_PART, joined(path, str(len(got))), path)
            head, nul, rest = part.partition(b"\0")
            if not nul:
                raise ProtocolError("a part of a list without a generation", path)
            if gen not in (None, head):
                return None
            gen = head
            if rest in (b"", b"\0") or rest.endswith(b"\0\0"):
                return strings(got + (rest[:-1] if rest else b""))
            got += rest

    async def perms(self, path: str) -> List[str]:
        """["n0", "r5", ...]"""
        return strings(await self._ask(Op.GET_PERMS, joined(path), path))

    async def tree(self, path: str) -> Node:
        """The node and all below, of one moment."""
        found: List[Node] = []

        async def body(nodes: "Nodes") -> bytes:
            found[:] = [await nodes._tree(path)]
            return b""

        await self._at_once(body)
        return found[0]

    async def _tree(self, path: str) -> Node:
        node = Node()
        try:
            value, kind = await self._value_and_kind(path)
            node.value, node.kind = value, kind
        except StoreError as error:
            if isinstance(error, (Conflict, NotFound)):
                raise
            node.value = None
        names = await self.list(path)
        base = "" if path == "/" else path
        below = await asyncio.gather(*(self._tree(f"{base}/{n}") for n in names))
        node.children = dict(zip(names, below))
        return node

    async def _value_and_kind(self, path: str) -> Tuple[bytes, document.Kind]:
        kind = document.Kind.TEXT
        if await self._knows_kinds():
            answer = await self._ask(Op.CONTROL, joined("json", str(self._transaction_id()), path), path)
            if answer[:1] not in _KINDS:
                raise ProtocolError("a kind that does not exist", path)
            kind, value = document.Kind(int(answer[:1])), answer[1:]
            if not long_value.mark_at(path, value):
                return value, kind
        return await self.read(path), kind

    async def _knows_kinds(self) -> bool:
        raise NotImplementedError

    # ---- changing ----

    async def write(self, path: str, value: Value) -> None:
        """Sets the value, of at most long_value.VALUE_MAX bytes; makes the node and those on the way."""
        data = value.encode("utf-8") if isinstance(value, str) else value
        mark = None
        try:
            mark = long_value.mark_at(path, await self._ask(Op.READ, joined(path), path))
        except StoreError as error:
            if error.errno not in (errno.ENOENT, errno.EACCES):
                raise
        in_parts = long_value.is_needed(path, data)
        if not mark and not in_parts:
            try:
                await self._ask(Op.WRITE, joined(path) + data, path)
                return
            except StoreError as error:
                # a daemon with a limit of its own for a value (oxenstored: 2048 bytes)
                in_parts = error.errno == errno.E2BIG and len(data) > long_value.PART_MAX
                if not in_parts:
                    raise
        await self._at_once(lambda nodes: nodes._write_long(path, data, in_parts))

    async def _write_long(self, path: str, data: bytes, in_parts: bool) -> bytes:
        parts = long_value.split(path, data) if in_parts else []
        try:
            await self._ask(Op.WRITE, joined(path) + (long_value.mark_for(data, len(parts)) if parts else data), path)
        except StoreError as error:
            if error.errno != errno.E2BIG or parts or len(data) <= long_value.PART_MAX:
                raise
            return await self._write_long(path, data, True)
        for i, part in enumerate(parts):
            await self._ask(Op.WRITE, joined(long_value.part_path(path, i)) + part, path)
        # whichever are there: also those whose mark was written over
        for name in await self._names(path):
            i = long_value.part_number(name)
            if i is not None and i >= len(parts):
                await self._ask(Op.RM, joined(f"{path if path != '/' else ''}/{name}"), path)
        return b""

    async def mkdir(self, path: str) -> None:
        """Makes the node, empty; one that is there stays as it is."""
        await self._ask(Op.MKDIR, joined(path), path)

    async def rm(self, path: str) -> None:
        """Removes the node and all below. NotFound: it is not there."""
        await self._ask(Op.READ, joined(path), path)
        await self._ask(Op.RM, joined(path), path)

    async def set_perms(self, path: str, *perms: str) -> None:
        """The first names owner and others' rights ("n0"), each further one a domain's ("r5")."""
        await self._at_once(lambda nodes: nodes._set_perms(path, *perms))

    async def _set_perms(self, path: str, *perms: str) -> bytes:
        mark = long_value.mark_at(path, await self._ask(Op.READ, joined(path), path))
        paths = [path] + [long_value.part_path(path, i) for i in range(mark.nr_parts if mark else 0)]
        for p in paths:
            await self._ask(Op.SET_PERMS, joined(p, *perms), p)
        return b""

    # ---- documents ----

    async def export_document(self, path: str = "/") -> document.Json:
        """What is below @path as a document (xs export --relative)."""
        return document.of_tree(await self.tree(path))

    async def import_document(self, doc: document.Json, path: str = "/") -> None:
        """Writes a document below @path in one transaction; what it does not name stays, but a list is replaced."""
        wants = document.wants(doc, path)

        async def body(nodes: "Nodes") -> bytes:
            for want in wants:
                await nodes._make_true(want)
            return b""

        await self._at_once(body)

    async def _make_true(self, want: document.Want) -> None:
        if want.replaces:
            for name in await self._children_if_any(want.path):
                base = "" if want.path == "/" else want.path
                await self._ask(Op.RM, joined(f"{base}/{name}"), want.path)
        if want.value is None:
            await self.mkdir(want.path)
        else:
            await self.write(want.path, want.value)
        if want.perms is not None:
            await self.set_perms(want.path, *want.perms)
        if want.kind is not None and await self._knows_kinds():
            await self._ask(Op.CONTROL, joined("json", str(self._transaction_id()), want.path,
                                               str(int(want.kind))), want.path)

    async def _children_if_any(self, path: str) -> List[str]:
        try:
            return await self._names(path)
        except NotFound:
            return []
