# SPDX-License-Identifier: MIT
"""The store with asyncio.

    async with AsyncStore() as store:
        await store.write("/config/garden/tomato/height", "31")
        async for event in store.watch("/config/garden"):
            print(event.path)
"""
from __future__ import annotations

import asyncio
import errno
import itertools
from dataclasses import dataclass
from typing import AsyncIterator, Awaitable, Callable, Dict, List, Optional, Set, Tuple, TypeVar

from . import hold, long_value
from .errors import Conflict, ProtocolError, StoreError
from .hold import AsyncHold
from .link import Link, Refused, default_path
from .nodes import Body, Nodes
from .wire import Message, Op, joined

T = TypeVar("T")
_TRIES = 1000


@dataclass(frozen=True)
class Event:
    """Something changed at path. first: it was registered just now. resumed: the connection was lost and is back, what
    changed meanwhile has no event of its own: look at everything again."""

    path: str
    first: bool = False
    resumed: bool = False


class AsyncWatch(AsyncIterator[Event]):
    """Iterates over changes at and below a path. What is not taken yet is kept once for each path. A daemon that refuses
    it, also when it is registered again after a lost connection, is a StoreError; who goes on tries anew."""

    def __init__(self, store: "AsyncStore", path: str, token: str) -> None:
        self.path, self.token = path, token
        self.registered = self._closed = False
        self._store = store
        self._events: Dict[Event, None] = {}
        self._some = asyncio.Event()
        self._next = "first"  # what the registration's own event is
        self._registering: Optional[asyncio.Task[None]] = None
        self._error: Optional[StoreError] = None

    async def _register(self) -> None:
        """Who does not wait any longer leaves it on its way: the daemon knows it once, or not."""
        if not self._registering:
            self._registering = asyncio.ensure_future(self._ask_for_it())
            self._registering.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._registering)

    async def _ask_for_it(self) -> None:
        self._next = "first"
        try:
            await self._store._link.request(Op.WATCH, joined(self.path, self.token), path=self.path)
            self.registered = True
        finally:
            self._registering = None

    def _again(self) -> Tuple[Message, Refused]:
        self._next = "resumed"
        return Message(Op.WATCH, self._store._link.number(), 0, joined(self.path, self.token)), self._refused

    def _refused(self, error: StoreError) -> None:
        self.registered, self._error = False, error
        self._some.set()

    def _take(self, path: str) -> None:
        event = Event(path, self._next == "first", self._next == "resumed")
        self._next = ""
        self._events[event] = None
        self._some.set()

    def __aiter__(self) -> "AsyncWatch":
        return self

    @property
    def is_ready(self) -> bool:
        """Whether the next step waits for nothing: there is an event, an error or the end."""
        return bool(self._events or self._error or self._closed)

    async def __anext__(self) -> Event:
        if not (self.registered or self._error or self._closed):
            await self._register()
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            if self._error:
                error, self._error = self._error, None
                raise error
            self._some.clear()
            await self._store._or_broken(self._some.wait())
        event = next(iter(self._events))
        del self._events[event]
        return event

    async def close(self) -> None:
        """Ends it; who iterates comes to the end of what there is."""
        self._closed = True
        self._store._watches.pop(self.token, None)
        self._some.set()
        if self._registering:
            await asyncio.wait((self._registering,))
        if self.registered:
            self.registered = False
            try:
                await self._store._link.request(Op.UNWATCH, joined(self.path, self.token), path=self.path)
            except StoreError:
                pass  # the connection has gone, and it too

    async def __aenter__(self) -> "AsyncWatch":
        if not self.registered:
            await self._register()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncTransaction(Nodes):
    """What transact() gives its body: the store as this transaction sees it."""

    def __init__(self, store: "AsyncStore", number: int) -> None:
        self._store, self.number, self._epoch = store, number, store._link.epoch

    def _transaction_id(self) -> int:
        return self.number

    async def _ask(self, op: Op, payload: bytes, path: str) -> bytes:
        return await self._store._link.request(op, payload, self.number, path, self._epoch)

    async def _at_once(self, what: Body) -> bytes:
        return await what(self)

    async def read(self, path: str) -> bytes:
        """The value, also a long one."""
        value, whole = await self._value_and_whole(path)
        # of a value that somebody writes meanwhile mark and parts may be two states: END would say so too late
        if whole is None and long_value.mark_at(path, value) and await self._store.read(path) != value:
            raise Conflict(errno.EAGAIN, "somebody else writes the value", path)
        return value if whole is None else whole

    async def _knows_kinds(self) -> bool:
        return await self._store._knows_kinds()

    async def _end(self, commit: bool) -> None:
        await self._ask(Op.TRANSACTION_END, joined("T" if commit else "F"), "commit")


class AsyncStore(Nodes):
    """A connection to the daemon. socket: its path (default: where libxenstore looks). patience: seconds to try to come
    back when it is lost, and to wait for a greeting (at least 3); None: for ever, and a minute for a greeting."""

    def __init__(self, socket: Optional[str] = None, patience: Optional[float] = 10.0) -> None:
        self._link = Link(socket or default_path(), patience, self._on_event, self._on_up)
        self._watches: Dict[str, AsyncWatch] = {}
        self._tokens = itertools.count(1)
        self._kinds: Optional[bool] = None
        self._ending: Set[asyncio.Task[None]] = set()  # transactions that nobody waits for any more

    async def open(self) -> "AsyncStore":
        await self._link.open()
        return self

    async def close(self) -> None:
        await self._link.close()

    async def __aenter__(self) -> "AsyncStore":
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ask(self, op: Op, payload: bytes, path: str) -> bytes:
        return await self._link.request(op, payload, path=path)

    async def _at_once(self, what: Body) -> bytes:
        return await self.transact(what)

    async def _knows_kinds(self) -> bool:
        if self._kinds is None:
            try:
                answer = await self._link.request(Op.CONTROL, joined("json", "0", "/"))
                self._kinds = answer[:1].isdigit()  # oxenstored says OK to whatever it does not know
            except StoreError as error:
                # as daemons and permissions say that there are none; all else is no answer
                if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EACCES):
                    raise
                self._kinds = False
        return self._kinds

    # ---- transactions ----

    async def transact(self, body: Callable[[AsyncTransaction], Awaitable[T]], tries: int = _TRIES) -> T:
        """Runs @body in a transaction, again while others change what it uses; Conflict after @tries. An exception of
        the body ends it, and nothing is changed."""
        for left in reversed(range(tries)):
            tx = await self.begin()
            try:
                result = await body(tx)
                await tx._end(True)
                return result
            except Conflict:
                await self._abort(tx)
                if not left:
                    raise
            except BaseException:
                await self._abort(tx)
                raise
        raise ValueError("tries: at least one")

    async def begin(self) -> AsyncTransaction:
        starting = asyncio.ensure_future(self._link.request(Op.TRANSACTION_START, b"\0"))
        try:
            return self._begun(await asyncio.shield(starting))
        except asyncio.CancelledError:
            starting.add_done_callback(self._not_wanted)
            raise

    def _begun(self, answer: bytes) -> AsyncTransaction:
        number = answer.rstrip(b"\0")
        if not number.isdigit() or not 0 < int(number) < 1 << 32:
            raise ProtocolError("no number of a transaction")
        return AsyncTransaction(self, int(number))

    def _not_wanted(self, starting: "asyncio.Future[bytes]") -> None:
        """One that was asked for has begun, or not: the daemon is not to keep it."""
        if not starting.cancelled() and not starting.exception():
            try:
                tx = self._begun(starting.result())
            except ProtocolError:
                return
            task = asyncio.ensure_future(self._abort(tx))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _abort(self, tx: AsyncTransaction) -> None:
        try:
            await tx._end(False)
        except StoreError:
            pass  # it has ended, by its commit or with its connection

    # ---- what goes with its holder ----

    async def bind(self, path: str, value: str, ttl: Optional[float] = None) -> bool:
        """Has the daemon remove @path, if it still has @value then, when this client is gone (20 s after its connection was
        lost), or after @ttl seconds (0.1 to 86400). Returns whether it has that value now; it may come later. The same again
        begins the time anew. NotSupported: not Storevisor's daemon; StoreError (EINVAL): what is kept over a boot."""
        return await hold.bind(self, path, value, ttl)

    async def unbind(self, path: str, value: str) -> None:
        """Takes that back, if it is there."""
        await hold.unbind(self, path, value)

    def lock(self, path: str, *, ttl: Optional[float] = None, name: Optional[str] = None,
             timeout: Optional[float] = None) -> AsyncHold:
        """A key that one of several has at a time, for async with: waits until it is free (@timeout: TimeoutError; 0: tries
        once), and gives it back. The key holds @name (default HOST:PID) and a number of its own. Who dies loses it, after 20 s of a
        lost connection at most; with @ttl, which is renewed three times in it, who hangs, too. `.lost`, `.check()` and
        `.wait_lost()` tell. It contends with `xs lock --lease` and `xs elect` of the same key."""
        return AsyncHold(self, path, ttl, name, timeout)

    async def elect(self, path: str, work: Callable[[AsyncHold], Awaitable[T]], *, ttl: Optional[float] = None,
                    name: Optional[str] = None) -> T:
        """Runs @work while this is the leader, the one who has the lock; it is cancelled when that is lost, and run again
        when it is had again. What it returns, or raises, is what this does."""
        while True:
            async with self.lock(path, ttl=ttl, name=name) as held:
                working, lost = asyncio.ensure_future(work(held)), asyncio.ensure_future(held.wait_lost())
                try:
                    await asyncio.wait((working, lost), return_when=asyncio.FIRST_COMPLETED)
                    if working.done():
                        return working.result()
                finally:
                    lost.cancel()
                    working.cancel()
                    await asyncio.wait((working,))
            if self._link.error:
                raise self._link.error

    # ---- watches ----

    def watch(self, path: str) -> AsyncWatch:
        """Changes at and below @path, and "@introduceDomain", "@releaseDomain". Registered when it is iterated over or
        entered (async with)."""
        watch = AsyncWatch(self, path, f"py{next(self._tokens)}")
        self._watches[watch.token] = watch
        return watch

    def _on_event(self, path: str, token: str) -> None:
        watch = self._watches.get(token)
        if watch:
            watch._take(path)

    def _on_up(self) -> List[Tuple[Message, Refused]]:
        return [w._again() for w in self._watches.values() if w.registered]

    async def _or_broken(self, waiting: Awaitable[object]) -> None:
        """Waits; raises when the connection is given up."""
        waiter, broken = asyncio.ensure_future(waiting), self._link.broken()
        try:
            await asyncio.wait((waiter, broken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
        if broken.done() and not waiter.done():
            raise self._link.error or StoreError()
