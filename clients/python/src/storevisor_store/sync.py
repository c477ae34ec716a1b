# SPDX-License-Identifier: MIT
"""The store for programs without asyncio: the same, each call waits. Any thread may call.

    with Store() as store:
        store.write("/config/garden/tomato/height", "31")
        store.transact(lambda tx: tx.write("/a", tx.read("/b")))
"""
from __future__ import annotations

import asyncio
import errno
import os
import threading
from typing import Any, Callable, Coroutine, Iterator, List, Optional, TypeVar

from .aio import AsyncStore, AsyncTransaction, AsyncWatch, Event
from .document import Json, Node
from .errors import Conflict, ConnectionLost
from .hold import AsyncHold
from .nodes import Nodes, Value

T = TypeVar("T")


class _Looking:
    """The thread that looks after a connection, and how others ask it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock, self._ended, self._process = threading.Lock(), False, os.getpid()
        self._thread = threading.Thread(target=self._loop.run_forever, name="storevisor-store", daemon=True)
        self._thread.start()

    def _is_elsewhere(self) -> bool:
        """fork() took no thread along, and perhaps the lock as it was: who waited would wait for ever."""
        return self._process != os.getpid()

    def wait(self, what: Coroutine[Any, Any, T]) -> T:
        if self._is_elsewhere():
            what.close()
            raise ConnectionLost(errno.ENOTCONN, "opened by another process: each opens a Store of its own")
        with self._lock:
            if self._ended:
                what.close()
                raise ConnectionLost(errno.ECANCELED, "closed")
            asked = asyncio.run_coroutine_threadsafe(what, self._loop)
        try:
            return asked.result()
        except BaseException:
            asked.cancel()  # who is interrupted takes no event along
            raise

    def end(self) -> None:
        """Everybody who still waits is told first."""
        if self._is_elsewhere():
            return
        with self._lock:
            if self._ended:
                return
            self._ended = True
        asyncio.run_coroutine_threadsafe(self._rest(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _rest() -> None:
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)


class SyncNodes:
    """See nodes.Nodes for what each does."""

    _looking: _Looking
    _nodes: Nodes

    def _wait(self, what: Coroutine[Any, Any, T]) -> T:
        return self._looking.wait(what)

    def read(self, path: str) -> bytes:
        return self._wait(self._nodes.read(path))

    def read_text(self, path: str) -> str:
        return self._wait(self._nodes.read_text(path))

    def exists(self, path: str) -> bool:
        return self._wait(self._nodes.exists(path))

    def list(self, path: str) -> List[str]:
        return self._wait(self._nodes.list(path))

    def perms(self, path: str) -> "List[str]":
        return self._wait(self._nodes.perms(path))

    def tree(self, path: str) -> Node:
        return self._wait(self._nodes.tree(path))

    def write(self, path: str, value: Value) -> None:
        self._wait(self._nodes.write(path, value))

    def mkdir(self, path: str) -> None:
        self._wait(self._nodes.mkdir(path))

    def rm(self, path: str) -> None:
        self._wait(self._nodes.rm(path))

    def set_perms(self, path: str, *perms: str) -> None:
        self._wait(self._nodes.set_perms(path, *perms))

    def export_document(self, path: str = "/") -> Json:
        return self._wait(self._nodes.export_document(path))

    def import_document(self, doc: Json, path: str = "/") -> None:
        self._wait(self._nodes.import_document(doc, path))


class Transaction(SyncNodes):
    """What transact() gives its body."""

    def __init__(self, looking: _Looking, tx: AsyncTransaction) -> None:
        self._looking, self._nodes = looking, tx


class Watch(Iterator[Event]):
    """Iterates over changes; close() ends it, from another thread too."""

    def __init__(self, store: "Store", watch: AsyncWatch) -> None:
        self._store, self._watch = store, watch

    def __next__(self) -> Event:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next one; None at the end, TimeoutError when there is none within @timeout seconds (0: none is there)."""
        async def one() -> Optional[Event]:
            try:
                if timeout is not None and timeout <= 0 and self._watch.is_ready:  # wait_for() would not even begin
                    return await self._watch.__anext__()
                return await asyncio.wait_for(self._watch.__anext__(), timeout)
            except StopAsyncIteration:
                return None
            except asyncio.TimeoutError:
                raise TimeoutError from None

        return self._store._wait(one())

    def close(self) -> None:
        self._store._wait(self._watch.close())

    def __enter__(self) -> "Watch":
        self._store._wait(self._watch.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Hold:
    """See AsyncStore.lock(). A thread of the Store's keeps it; the one that works asks now and then."""

    def __init__(self, looking: _Looking, hold: AsyncHold) -> None:
        self._looking, self._hold = looking, hold
        self.path, self.value = hold.path, hold.value

    @property
    def lost(self) -> bool:
        return self._hold.lost

    def check(self) -> None:
        self._hold.check()

    def wait_lost(self, timeout: Optional[float] = None) -> bool:
        """Until it is lost, or for @timeout seconds. Whether it is."""
        async def wait() -> None:
            try:
                await asyncio.wait_for(self._hold.wait_lost(), timeout)
            except asyncio.TimeoutError:
                pass

        self._looking.wait(wait())
        return self.lost

    def __enter__(self) -> "Hold":
        try:
            self._looking.wait(self._hold.__aenter__())
        except TimeoutError:  # on its way out of the thread it has lost the path
            raise TimeoutError(errno.ETIMEDOUT, "not free within the time", self.path) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._looking.wait(self._hold.__aexit__())


class Store(SyncNodes):
    """See AsyncStore. Its connection is looked after by a thread of its own, so that watches go on."""

    def __init__(self, socket: Optional[str] = None, patience: Optional[float] = 10.0) -> None:
        self._looking = _Looking()
        try:
            self._store: AsyncStore = self._wait(self._make(socket, patience))
        except BaseException:
            self._looking.end()
            raise
        self._nodes = self._store

    @staticmethod
    async def _make(socket: Optional[str], patience: Optional[float]) -> AsyncStore:
        return await AsyncStore(socket, patience).open()

    def close(self) -> None:
        """Whoever waits in another thread gets ConnectionLost; who asks later, too."""
        try:
            self._wait(self._store.close())
        except ConnectionLost:
            pass  # that has been done
        self._looking.end()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transact(self, body: Callable[[Transaction], T], tries: int = 1000) -> T:
        """See AsyncStore.transact(); @body runs in this thread."""
        for left in reversed(range(tries)):
            tx = self._wait(self._store.begin())
            try:
                result = body(Transaction(self._looking, tx))
                self._wait(tx._end(True))
                return result
            except Conflict:
                self._wait(self._store._abort(tx))
                if not left:
                    raise
            except BaseException:
                self._wait(self._store._abort(tx))
                raise
        raise ValueError("tries: at least one")

    def bind(self, path: str, value: str, ttl: Optional[float] = None) -> bool:
        """See AsyncStore.bind()."""
        return self._wait(self._store.bind(path, value, ttl))

    def unbind(self, path: str, value: str) -> None:
        self._wait(self._store.unbind(path, value))

    def lock(self, path: str, *, ttl: Optional[float] = None, name: Optional[str] = None,
             timeout: Optional[float] = None) -> Hold:
        """See AsyncStore.lock(); for with."""
        async def make() -> AsyncHold:
            return self._store.lock(path, ttl=ttl, name=name, timeout=timeout)

        return Hold(self._looking, self._wait(make()))

    def watch(self, path: str) -> Watch:
        """See AsyncStore.watch()."""
        async def make() -> AsyncWatch:
            return self._store.watch(path)

        return Watch(self, self._wait(make()))
