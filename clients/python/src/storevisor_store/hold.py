# SPDX-License-Identifier: MIT
"""A key that one of several has at a time, and that goes with who has it: locks, leaders. As cli/xs/hold.c does it, so
that programs and `xs lock --lease`, `xs elect` contend for the same key."""
from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING, AsyncContextManager, Optional

from .errors import Lost, NotFound, NotSupported, StoreError
from .wire import Op, joined

if TYPE_CHECKING:
    from .aio import AsyncStore, AsyncTransaction

TTL_MIN, TTL_MAX = 0.1, 86400.0
NAME_MAX = 200
_ANSWER = 10.0  # seconds for a daemon to answer where there is no time to wait for the key, or not any more
_SESSION = 20.0  # what the daemon gives a client whose connection was lost


def milliseconds(ttl: Optional[float]) -> "list[str]":
    """The last word of a bind; none: as long as this client is there."""
    if ttl is None:
        return []
    if not TTL_MIN <= ttl <= TTL_MAX:
        raise ValueError(f"a time of {ttl} s: {TTL_MIN} to {TTL_MAX:g} are possible")
    return [str(round(ttl * 1000))]


def own_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


async def bind(store: "AsyncStore", path: str, value: str, ttl: Optional[float]) -> bool:
    """See AsyncStore.bind()."""
    words = milliseconds(ttl)
    try:
        answer = await store._link.request(Op.CONTROL, joined("bind", path, value, *words), path=path)
    except StoreError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS):
            raise
        if not store._link.has_session:
            raise NotSupported(path) from error
        text = "not bound: what is kept over a boot is bound to nothing (xenstored --volatile), nor is a value of more than 1024 bytes"
        raise StoreError(errno.EINVAL, text, path) from error
    said = answer.rstrip(b"\0")
    if said not in (b"held", b"not held"):  # oxenstored says OK to whatever it does not know
        raise NotSupported(path)
    return said == b"held"


async def unbind(store: "AsyncStore", path: str, value: str) -> None:
    """See AsyncStore.unbind()."""
    try:
        await store._link.request(Op.CONTROL, joined("unbind", path, value), path=path)
    except NotFound:
        pass
    except StoreError as error:
        if error.errno in (errno.EINVAL, errno.ENOSYS) and not store._link.has_session:
            raise NotSupported(path) from error
        raise
    if not store._link.has_session:  # oxenstored again
        raise NotSupported(path)


class AsyncHold(AsyncContextManager["AsyncHold"]):
    """See AsyncStore.lock()."""

    def __init__(self, store: "AsyncStore", path: str, ttl: Optional[float], name: Optional[str],
                 timeout: Optional[float]) -> None:
        milliseconds(ttl)
        name = own_name() if name is None else name
        if not 0 < len(name.encode("utf-8")) <= NAME_MAX or "\0" in name:
            raise ValueError(f"a name has 1 to {NAME_MAX} bytes")
        self.path, self.ttl, self.value = path, ttl, f"{name} {secrets.token_hex(8)}"
        self._store, self._timeout = store, timeout
        self._tries_once = timeout is not None and timeout <= 0  # wait_for() would not even begin
        self._watch = store.watch(path)
        self._held_at: Optional[float] = None  # when was asked what was last found to be ours
        self._is_over = False  # given back, or never had
        self._lost: Optional[asyncio.Event] = None
        self._keeper: Optional[asyncio.Task[None]] = None

    @property
    def _time(self) -> float:
        return _SESSION if self.ttl is None else self.ttl

    @property
    def lost(self) -> bool:
        """Whether somebody else may have it: it was taken away, or nobody could say for so long. Never false again."""
        if self._is_over or self._held_at is None or not self._lost:
            return True
        return self._lost.is_set() or time.monotonic() > self._held_at + self._time * 7 / 8

    def check(self) -> None:
        """Lost, when it is."""
        if self.lost:
            raise Lost(self.path)

    async def wait_lost(self) -> None:
        """Until it is lost, or given back."""
        assert self._lost, "taken first (async with)"
        await self._lost.wait()

    # ---- taking it ----

    async def _confirm(self) -> bool:
        asked = time.monotonic()
        held = await bind(self._store, self.path, self.value, self.ttl)
        if held:
            self._held_at = asked
        return held

    async def _take_if_free(self, tx: "AsyncTransaction") -> bool:
        try:
            now = await tx.read(self.path)
        except NotFound:
            await tx.write(self.path, self.value)
            return True
        return now == self.value.encode("utf-8")

    async def _try(self) -> bool:
        """Bound first, so that the key of who dies in between goes."""
        await bind(self._store, self.path, self.value, self.ttl)
        return await self._store.transact(self._take_if_free) and await self._confirm()

    async def _take(self) -> None:
        await self._watch.__aenter__()
        while not await self._try():
            if self._tries_once:
                raise asyncio.TimeoutError
            await self._watch.__anext__()

    async def __aenter__(self) -> "AsyncHold":
        if self._lost:
            raise RuntimeError("taken once already: each time is a lock() of its own")
        self._lost = asyncio.Event()
        try:
            await asyncio.wait_for(self._take(), _ANSWER if self._tries_once else self._timeout)
        except BaseException as error:
            self._is_over = True
            # where no daemon answers it goes on behind this
            await asyncio.wait((asyncio.ensure_future(self._give_back()),), timeout=_ANSWER)
            if isinstance(error, asyncio.TimeoutError):
                raise TimeoutError(errno.ETIMEDOUT, "not free within the time", self.path) from None
            raise
        self._keeper = asyncio.ensure_future(self._keep(self._lost))
        return self

    # ---- having it ----

    async def _keep(self, lost: asyncio.Event) -> None:
        """Asks at each change, also when the connection is back, and three times in the time."""
        change = asyncio.ensure_future(self._watch.__anext__())
        try:
            while not self.lost:
                assert self._held_at is not None
                left = self._held_at + self._time / 3 - time.monotonic()
                await asyncio.wait((change,), timeout=max(0.0, left))
                if change.done():
                    change.result()
                    change = asyncio.ensure_future(self._watch.__anext__())
                left = self._held_at + self._time * 3 / 4 - time.monotonic()
                if not await asyncio.wait_for(self._confirm(), max(0.0, left)):
                    return
        except (StoreError, asyncio.TimeoutError, StopAsyncIteration):
            pass  # nobody can say that it is ours
        finally:
            change.cancel()
            lost.set()

    # ---- giving it back ----

    async def _remove_mine(self, tx: "AsyncTransaction") -> None:
        try:
            if await tx.read(self.path) == self.value.encode("utf-8"):
                await tx.rm(self.path)
        except NotFound:
            pass

    async def _give_back(self) -> None:
        """The node first: without a bond it would stay for ever."""
        try:
            await self._watch.close()
            await self._store.transact(self._remove_mine)
            await unbind(self._store, self.path, self.value)
        except StoreError:
            pass  # it goes by itself, when the time or the connection is over

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True  # wait_for() of Python 3.11 forgets that it was cancelled where it has just ended
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await asyncio.shield(self._give_back())
