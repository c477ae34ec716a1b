# SPDX-License-Identifier: MIT
"""One connection to the daemon that is made again when it breaks; requests by number, any number in flight.

A question outside a transaction is asked again on the next connection. Of a change that was on its way our daemon is asked
what became of it (CONTROL session); another daemon cannot say, and it ends in OutcomeUnknown. In a transaction everything
ends in Conflict: that always means that it was not committed."""
from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
import socket
from typing import Callable, Dict, List, Optional, Tuple

from .errors import Conflict, ConnectionLost, OutcomeUnknown, ProtocolError, StoreError, error_of
from .wire import CHANGES, HEADER, PAYLOAD_MAX, Message, Op, joined, strings, unpack_header

_LOSSES_MAX = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_SHORTEST_GREETING, _LONGEST_GREETING = 3.0, 60.0  # seconds; the second one where the patience is for ever
_CHANGE = 1 << 31  # in the number of a request: this is a change. As libxs/xs_session.c numbers them.

_OUTCOME = re.compile(r"[0-9]{1,10} [0-9]{1,10}( [0-9]{1,10}:E[A-Z0-9]+)*\Z")
_BREAKS = (OSError, EOFError, ValueError)  # what ends a connection

Refused = Callable[[StoreError], None]


def default_path() -> str:
    """Where libxenstore would look."""
    rundir = os.environ.get("XENSTORED_RUNDIR", "/run/xenstored")
    return os.environ.get("XENSTORED_PATH", os.path.join(rundir, "socket"))


def _is_behind(number: int, other: int) -> bool:
    """In the order in which they went out; the numbers may have begun again."""
    return 0 < ((number - other) << 1) % (1 << 32) < _CHANGE


def _counts(message: Message) -> bool:
    """Whether our daemon notes what became of it."""
    if message.op == Op.TRANSACTION_END:
        return message.payload[:1] == b"T"
    return message.op in CHANGES and message.transaction == 0


def _word(payload: bytes) -> str:
    """A payload that is one word, anybody's, with or without its NUL."""
    return payload.rstrip(b"\0").decode("utf-8", "replace")


class _Trouble:
    """Since when the connection does not last, and how long to wait before the next."""

    def __init__(self, begin: float) -> None:
        self.begin, self.pause = begin, _FIRST_PAUSE


class _Pending:
    """A request without its answer."""

    def __init__(self, message: Message, path: Optional[str]) -> None:
        self.message = message
        self.path = path
        self.losses = 0  # connections that broke while it was on its way
        self.sent = False
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    @property
    def changes(self) -> bool:
        return _counts(self.message)

    def fail(self, error: StoreError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def done(self, payload: bytes) -> None:
        if not self.answer.done():
            self.answer.set_result(payload)


class Link:
    """patience: how long to try to come back, seconds; None: for ever. on_event gets (path, token); on_up runs when a
    connection is there again, before anything that waited is sent: what it returns goes first, each with who is told if
    the daemon refuses it."""

    def __init__(self, path: str, patience: Optional[float], on_event: Callable[[str, str], None],
                 on_up: Callable[[], List[Tuple[Message, Refused]]]) -> None:
        self._path, self._patience = path, patience
        self._on_event, self._on_up = on_event, on_up
        self._pending: Dict[int, _Pending] = {}
        self._again: Dict[int, Refused] = {}
        self._last_number = {False: 0, True: 0}  # of questions, of changes
        self._token = secrets.token_hex(16)
        self._writer: Optional[asyncio.StreamWriter] = None
        self._task: Optional[asyncio.Task[None]] = None
        self._has_session = False
        self._opened = False
        self._took = False  # something that it said, behind the greeting
        self.error: Optional[StoreError] = None  # why it was given up
        self._broken: Optional[asyncio.Future[None]] = None
        self.epoch = 0  # of the connection: transactions do not outlive it

    async def open(self) -> None:
        """ConnectionLost: nobody is there, or who is there does not greet in time."""
        loop = asyncio.get_running_loop()
        end = None if self._patience is None else loop.time() + self._patience
        self._opened = True
        while True:
            try:
                reader = await self._connect(self._patience)
                break
            except _BREAKS as error:
                # one that is there, and has too many who wait for it (oxenstored: one)
                full = getattr(error, "errno", None) == errno.EAGAIN
                if not full or end is not None and loop.time() + _FIRST_PAUSE > end:
                    self.error = self._nobody(error)
                    raise self.error from error
            await asyncio.sleep(_FIRST_PAUSE)
        self._task = asyncio.create_task(self._run(reader))

    async def close(self) -> None:
        self.error = ConnectionLost(errno.ECANCELED, "closed")
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._hang_up()
        self._fail_all(self.error)

    @property
    def has_session(self) -> bool:
        """Whether the daemon is one that knows its clients over a lost connection: ours."""
        return self._has_session

    def broken(self) -> "asyncio.Future[None]":
        """Done when the connection is given up."""
        if not self._broken:
            self._broken = asyncio.get_running_loop().create_future()
            if self.error:
                self._broken.set_result(None)
        return self._broken

    def number(self, counts: bool = False) -> int:
        """Rising, and again from the first one when there are no more: a message has 32 bits for it."""
        number = 0
        while not number or number in self._pending:
            self._last_number[counts] = (self._last_number[counts] + 1) % _CHANGE or 1
            number = self._last_number[counts] | (_CHANGE if counts else 0)
        return number

    async def request(self, op: Op, payload: bytes, transaction: int = 0, path: Optional[str] = None,
                      epoch: Optional[int] = None) -> bytes:
        if self.error:
            raise self.error
        if not self._opened:
            raise ConnectionLost(errno.ENOTCONN, "not opened")
        if len(payload) > PAYLOAD_MAX:
            raise StoreError(errno.E2BIG, os.strerror(errno.E2BIG), path)
        if epoch is not None and epoch != self.epoch:
            raise Conflict(errno.EAGAIN, "the connection was lost", path)
        message = Message(op, 0, transaction, payload)
        message = message._replace(request=self.number(_counts(message)))
        pending = self._pending[message.request] = _Pending(message, path)
        if self._writer:
            self._send(self._writer, pending)
        try:
            return await pending.answer
        finally:
            if pending.answer.cancelled():
                self._pending.pop(message.request, None)

    @staticmethod
    def _send(writer: asyncio.StreamWriter, pending: _Pending) -> None:
        pending.sent = True
        writer.write(pending.message.pack())

    # ---- the connection ----

    def _dial(self) -> socket.socket:
        """At once, or not: asyncio takes the EAGAIN of one whom too many wait for for a connection that is on its way."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.connect(self._path)
        except BaseException:
            sock.close()
            raise
        return sock

    async def _connect(self, patience: Optional[float]) -> asyncio.StreamReader:
        """Makes one and greets the daemon."""
        reader, writer = await asyncio.open_unix_connection(sock=self._dial())
        limit = _LONGEST_GREETING if patience is None else max(patience, _SHORTEST_GREETING)
        late: List[bool] = []

        def hang_up() -> None:
            late.append(True)
            writer.transport.abort()

        timer = asyncio.get_running_loop().call_later(limit, hang_up)
        try:
            outcome = await self._ask_session(reader, writer)
        except BaseException as error:
            writer.close()
            if late and isinstance(error, _BREAKS):
                raise ProtocolError(f"no greeting within {limit:g} s") from error
            raise
        finally:
            timer.cancel()
        self.epoch += 1
        self._took = False
        self._writer = writer
        self._settle(outcome)
        self._again = {}
        for message, refused in self._on_up():
            self._again[message.request] = refused
            writer.write(message.pack())
        for pending in list(self._pending.values()):
            self._send(writer, pending)
        return reader

    async def _ask_session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Optional[str]:
        """What the daemon knows of our changes: "new", "LAST FLOOR [ID:ERROR]..."; None: it has no sessions."""
        writer.write(Message(Op.CONTROL, 0, 0, joined("session", self._token)).pack())
        op, _, _, length = unpack_header(await reader.readexactly(HEADER.size))
        answer = _word(await reader.readexactly(length))
        if op not in (Op.CONTROL, Op.ERROR):
            raise ProtocolError(f"message {op} instead of a greeting")
        # oxenstored says OK to whatever it does not know
        if op == Op.ERROR or not (answer == "new" or "0" <= answer[:1] <= "9"):
            return None
        if answer != "new" and not _OUTCOME.match(answer):
            raise ProtocolError("a session that cannot be read")
        return answer

    def _settle(self, outcome: Optional[str]) -> None:
        """What was in flight on the connection before: done, failed, to be sent again, or not known."""
        words = (outcome or "new").split()
        known = len(words) >= 2 and self._has_session
        last, floor = (int(words[0]), int(words[1])) if known else (0, 0)
        failed = dict(w.split(":") for w in words[2:]) if known else {}
        self._has_session = outcome is not None
        for number, p in list(self._pending.items()):
            if not p.sent and not p.message.transaction:
                continue
            if p.sent and p.changes and str(number) in failed:
                p.fail(error_of(failed[str(number)], p.path))
            elif p.sent and p.changes and (not known or floor and not _is_behind(number, floor)):
                p.fail(self._unknown(p))
            elif p.sent and p.changes and last and not _is_behind(number, last):
                p.done(b"OK\0")
            elif p.message.transaction:
                p.fail(Conflict(errno.EAGAIN, "the connection was lost", p.path))
            elif p.losses < _LOSSES_MAX:
                p.losses += 1
                continue  # a question, or a change that did not arrive: sent again
            else:  # it may be what breaks the connection
                p.fail(ConnectionLost(errno.EIO, "the connection broke each time this was asked", p.path))
            del self._pending[number]

    @staticmethod
    def _unknown(p: _Pending) -> StoreError:
        return OutcomeUnknown(errno.EIO, "the connection broke during the change", p.path)

    async def _run(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        trouble: Optional[_Trouble] = None
        while True:
            up_since = loop.time()
            try:
                await self._read(reader)
            except _BREAKS as error:
                why: BaseException = error
            self._hang_up()
            is_fresh = not trouble or self._took or loop.time() - up_since > _LONGEST_PAUSE
            if not trouble or is_fresh:
                trouble = _Trouble(loop.time())
            try:
                reader = await self._come_back(trouble, is_fresh, why)
            except ConnectionLost as error:
                self.error = error
                self._fail_all(error)
                return

    async def _come_back(self, trouble: _Trouble, at_once: bool, why: BaseException) -> asyncio.StreamReader:
        """@at_once: the first time without a pause. One that comes up and breaks without a word counts as none."""
        loop = asyncio.get_running_loop()
        while True:
            left = None if self._patience is None else trouble.begin + self._patience - loop.time()
            if not at_once:
                if left is not None and trouble.pause > left:
                    raise self._nobody(why) from why
                await asyncio.sleep(trouble.pause)
                trouble.pause = min(2 * trouble.pause, _LONGEST_PAUSE)
            at_once = False
            try:
                return await self._connect(left)
            except _BREAKS as error:
                why = error

    def _nobody(self, why: BaseException) -> ConnectionLost:
        what = "it hung up" if isinstance(why, EOFError) else str(why)
        return ConnectionLost(errno.EIO, f"no store daemon answers at {self._path} ({what})")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            op, number, _, length = unpack_header(await reader.readexactly(HEADER.size))
            payload = await reader.readexactly(length)
            if op == Op.WATCH_EVENT:
                words = strings(payload)
                if len(words) < 2:
                    raise ProtocolError("an event that names no path and token")
                self._took = True
                self._on_event(words[0], words[1])
                continue
            pending = self._pending.get(number)
            if pending and op not in (pending.message.op, Op.ERROR):
                raise ProtocolError(f"message {op} as an answer to one of type {pending.message.op:d}")
            self._took = True
            self._pending.pop(number, None)
            refused = None if pending else self._again.pop(number, None)
            error = error_of(_word(payload), pending.path if pending else None) if op == Op.ERROR else None
            if refused and error:
                refused(error)
            elif not pending:
                continue  # given up, or of a watch that was made again
            elif error:
                pending.fail(error)
            else:
                pending.done(payload)

    def _hang_up(self) -> None:
        if self._writer:
            self._writer.close()
        self._writer = None

    def _fail_all(self, error: StoreError) -> None:
        for pending in self._pending.values():
            pending.fail(self._unknown(pending) if pending.sent and pending.changes else error)
        self._pending.clear()
        if self._broken and not self._broken.done():
            self._broken.set_result(None)
