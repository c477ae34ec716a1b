#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_link.py - what the Python client makes of what a daemon says and of connections that break at a chosen moment:
the daemon is this test."""
import asyncio
import errno
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import unittest
from unittest import mock

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "clients/python/src"))
from storevisor_store import (AsyncStore, Conflict, ConnectionLost, OutcomeUnknown, PermissionDenied,  # noqa: E402
                              ProtocolError, Store, StoreError, document, hold, link, long_value)
from storevisor_store.wire import HEADER, Message, Op, joined  # noqa: E402

HANG_UP, NOTHING = object(), object()
WAIT = 240


class Daemon:
    """says: what to answer to (connection, op, transaction, payload): bytes, an error's name, a Message as it is, HANG_UP,
    NOTHING. session: the same for the greeting, but a text is one of a session."""

    def __init__(self, says, session="new", kinds=None):
        self.says, self.session, self.connections, self.asked, self.kinds = says, session, 0, [], kinds
        self.dir = tempfile.mkdtemp(prefix="pylink-")
        self.path = self.dir + "/socket"

    async def __aenter__(self, **where):
        self.server = await asyncio.start_unix_server(self.serve, **(where or {"path": self.path}))
        return self

    async def __aexit__(self, *_):
        self.server.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
        os.rmdir(self.dir)

    async def serve(self, reader, writer):
        self.connections += 1
        connection = self.connections
        try:
            while True:
                op, number, tx, length = HEADER.unpack(await reader.readexactly(HEADER.size))
                payload = await reader.readexactly(length)
                if op == Op.CONTROL and payload.startswith(b"session"):
                    answer = self.session.encode() + b"\0" if isinstance(self.session, str) else self.session
                elif op == Op.CONTROL:
                    answer = self.kinds(connection)
                else:
                    self.asked.append((connection, Op(op), tx, number))
                    answer = self.says(connection, op, tx, payload)
                if answer is HANG_UP:
                    break
                if answer is NOTHING:
                    continue
                if isinstance(answer, Message):
                    writer.write(answer._replace(request=answer.request + number).pack())
                    continue
                if isinstance(answer, str):
                    op, answer = Op.ERROR, answer.encode() + b"\0"
                writer.write(Message(op, number, tx, answer).pack())
                if op == Op.WATCH:
                    writer.write(Message(Op.WATCH_EVENT, 0, 0, payload).pack())
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    def ops(self, op):
        return [a for a in self.asked if a[1] == op]


async def until(so):
    async def look():
        while not so():
            await asyncio.sleep(0.001)
    await asyncio.wait_for(look(), WAIT)


class Documents(unittest.TestCase):
    def test_a_number_that_python_has_not_stays_text(self):
        for text in ("1e400", "-1e999", "1" * 5000):
            self.assertEqual(document.of_tree(document.Node(text.encode(), kind=document.Kind.NUMBER)), text)
        self.assertEqual(document.of_tree(document.Node(b"9" * 400, kind=document.Kind.NUMBER)), 10 ** 400 - 1)


class Links(unittest.IsolatedAsyncioTestCase):
    async def test_a_watch_that_is_refused_when_it_is_made_again_says_so(self):
        def says(connection, op, _, __):
            if op == Op.WATCH:
                return "EACCES" if connection == 2 else b"OK\0"
            return HANG_UP if connection == 1 else b"OK\0"

        async with Daemon(says) as daemon, AsyncStore(daemon.path) as store:
            watch = store.watch("/a")
            self.assertTrue((await watch.__anext__()).first)
            await store.exists("/hang/up")
            with self.assertRaises(PermissionDenied):
                await asyncio.wait_for(watch.__anext__(), WAIT)
            with self.assertRaises(PermissionDenied):  # and asks anew
                await asyncio.wait_for(watch.__anext__(), WAIT)

    async def test_who_waits_for_a_registration_no_longer_asks_for_no_second_one(self):
        late = []

        def says(_, op, __, ___):
            if op == Op.WATCH and not late:
                late.append(op)
                return NOTHING
            return "EEXIST" if op == Op.WATCH else b"OK\0"

        async with Daemon(says) as daemon, AsyncStore(daemon.path) as store:
            watch = store.watch("/a")
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(watch.__anext__(), 0.05)
            waiting = asyncio.ensure_future(watch.__anext__())
            await store.exists("/behind/it")
            self.assertEqual(len(daemon.ops(Op.WATCH)), 1)
            waiting.cancel()

    async def test_a_transaction_that_nobody_waits_for_is_ended(self):
        gate = asyncio.Event()

        def says(_, op, __, ___):
            gate.set()
            return b"7\0" if op == Op.TRANSACTION_START else b"OK\0"

        async with Daemon(says) as daemon, AsyncStore(daemon.path) as store:
            beginning = asyncio.ensure_future(store.begin())
            await asyncio.sleep(0)
            beginning.cancel()
            await until(lambda: daemon.ops(Op.TRANSACTION_END))
            self.assertEqual(daemon.ops(Op.TRANSACTION_END)[0][2], 7)

    async def test_a_long_value_is_never_of_two_states(self):
        old, new = b"a" * 9000, b"b" * 9000
        parts = long_value.split("/v", new)
        marks = {1: long_value.mark_for(old, len(parts)), 0: long_value.mark_for(new, len(parts))}
        began = []

        def says(_, op, tx, payload):
            if op == Op.TRANSACTION_START:
                began.append(op)
                return b"%d\0" % len(began)
            if op == Op.TRANSACTION_END:
                return "EAGAIN" if tx == 1 and payload[:1] == b"T" else b"OK\0"
            path = payload.rstrip(b"\0").decode()
            if path == "/v":
                return marks[tx == 1]
            return parts[long_value.part_number(path.rpartition("/")[2])]

        async def body(tx):
            seen.append(await tx.read("/v"))
            return seen[-1]

        seen = []
        async with Daemon(says) as daemon, AsyncStore(daemon.path) as store:
            self.assertEqual(await store.transact(body), new)
            self.assertEqual(seen, [new])

    async def test_a_change_on_its_way_when_the_daemon_is_given_up_is_not_said_to_be_undone(self):
        def says(_, op, __, ___):
            os.unlink(daemon.path)
            return HANG_UP

        async with Daemon(says) as daemon:
            async with AsyncStore(daemon.path, patience=0) as store:
                with self.assertRaises(OutcomeUnknown):
                    await store._ask(Op.WRITE, joined("/a") + b"1", "/a")
                with self.assertRaises(ConnectionLost) as caught:
                    await store._ask(Op.WRITE, joined("/a") + b"1", "/a")
                self.assertNotIsInstance(caught.exception, OutcomeUnknown)

    async def test_one_try_for_a_lock_has_an_end_also_without_a_daemon(self):
        def says(_, __, ___, ____):
            if os.path.exists(daemon.path):
                os.unlink(daemon.path)
            return HANG_UP

        async def one_try(store):
            async with store.lock("/lock", timeout=0):
                pass

        with mock.patch.object(hold, "_ANSWER", 0.05):
            async with Daemon(says, kinds=lambda _: HANG_UP) as daemon, AsyncStore(daemon.path, patience=None) as store:
                trying = asyncio.ensure_future(one_try(store))
                self.assertTrue((await asyncio.wait((trying,), timeout=20))[0], "it waits for ever")
                self.assertIsInstance(trying.exception(), TimeoutError)

    async def test_a_commit_that_was_never_sent_is_a_conflict(self):
        began = []

        def says(connection, op, _, __):
            if op == Op.TRANSACTION_START:
                began.append(op)
                return b"1\0"
            return HANG_UP if connection == 1 else b"OK\0"

        async def body(_):
            if len(began) == 1:
                asyncio.ensure_future(store.exists("/hang/up"))
                await until(lambda: store._link._writer is None)

        async with Daemon(says) as daemon, AsyncStore(daemon.path) as store:
            await store.transact(body)
            self.assertEqual(len(began), 2)

    async def test_a_connection_that_breaks_does_not_say_that_there_are_no_kinds(self):
        async with Daemon(None, kinds=lambda _: HANG_UP) as daemon:
            async with AsyncStore(daemon.path) as store:
                with self.assertRaises(ConnectionLost):
                    await store._knows_kinds()
                daemon.kinds = lambda _: b"1x"
                self.assertTrue(await store._knows_kinds())

    async def test_close_tells_who_waits_in_another_thread(self):
        def one(path):
            store = Store(path)
            watch = store.watch("/a").__enter__()
            watch.next(WAIT)
            told = []

            def wait():
                try:
                    watch.next()
                except ConnectionLost as error:
                    told.append(error)

            threads = [threading.Thread(target=wait, daemon=True) for _ in range(50)]
            for thread in threads:
                thread.start()
            store.close()
            for thread in threads:
                thread.join(WAIT)
            self.assertRaises(ConnectionLost, store.read, "/a")
            return len(told)

        async with Daemon(lambda *_: b"OK\0") as daemon:
            self.assertEqual(await asyncio.to_thread(one, daemon.path), 50)

    async def test_numbers_begin_again(self):
        async with Daemon(lambda *_: b"OK\0") as daemon, AsyncStore(daemon.path) as store:
            store._link._last_number = {False: (1 << 31) - 2, True: (1 << 31) - 2}
            for _ in range(3):
                await store._ask(Op.READ, joined("/a"), "/a")
                await store._ask(Op.WRITE, joined("/a"), "/a")
        self.assertEqual([a[3] for a in daemon.ops(Op.READ)], [(1 << 31) - 1, 1, 2])
        self.assertEqual([a[3] for a in daemon.ops(Op.WRITE)], [(1 << 32) - 1, (1 << 31) + 1, (1 << 31) + 2])

    async def test_an_answer_is_understood_also_where_numbers_begin_again(self):
        def says(connection, op, _, __):
            return HANG_UP if connection == 1 and op == Op.READ else NOTHING if connection == 1 else b"again\0"

        async with Daemon(says, session=f"{(1 << 31) + 1} 0 {(1 << 32) - 1}:ENOENT") as daemon, AsyncStore(daemon.path) as store:
            store._link._last_number[True] = (1 << 31) - 3
            changes = [asyncio.ensure_future(store._ask(Op.WRITE, joined(p), p)) for p in "abcd"]
            await until(lambda: len(daemon.ops(Op.WRITE)) == 4)
            await store.exists("/hang/up")
            got = await asyncio.wait_for(asyncio.gather(*changes, return_exceptions=True), WAIT)
            self.assertEqual([got[0], got[2], got[3]], [b"OK\0", b"OK\0", b"again\0"])
            self.assertEqual(got[1].errno, errno.ENOENT)


#: What no daemon may say as an answer: what is told of it.
ODD = (
    (Message(Op.READ, 0, 0, b"x" * 4097), "a message of 4097 bytes"),
    (Message(Op.WRITE, 0, 0, b"x"), "message 11 as an answer"),
    (Message(4711, 0, 0, b"x"), "message 4711 as an answer"),
    (Message(Op.WATCH_EVENT, 0, 0, b"x"), "names no path"),
)
GREETINGS = (
    ("1 2 3", "a session that cannot be read"),
    ("1 2 3:oops", "a session that cannot be read"),
    (Message(Op.READ, 0, 0, b"x"), "instead of a greeting"),
    (Message(Op.CONTROL, 0, 0, b"x" * 4097), "a message of 4097 bytes"),
    (HANG_UP, "it hung up"),
)


class Hostile(unittest.IsolatedAsyncioTestCase):
    async def lost(self, waiting, words):
        with self.assertRaisesRegex(ConnectionLost, words) as caught:
            await asyncio.wait_for(waiting, WAIT)
        return caught.exception

    async def test_a_daemon_that_never_greets_is_told(self):
        for patience in (0.01, None):
            async with Daemon(None, session=NOTHING) as daemon:
                with mock.patch.multiple(link, _SHORTEST_GREETING=0.05, _LONGEST_GREETING=0.05):
                    await self.lost(AsyncStore(daemon.path, patience).open(), f"{daemon.path}.*no greeting within 0.05 s")
                    await self.lost(asyncio.to_thread(Store, daemon.path, patience), "no greeting")

    async def test_one_that_greets_no_more_is_given_up(self):
        async with Daemon(lambda *_: HANG_UP) as daemon:
            with mock.patch.object(link, "_SHORTEST_GREETING", 0.05):
                async with AsyncStore(daemon.path, 0.1) as store:
                    daemon.session = NOTHING
                    await self.lost(store.exists("/a"), "no greeting")

    async def test_a_greeting_that_cannot_be_read_is_told(self):
        for session, words in GREETINGS:
            async with Daemon(None, session=session) as daemon:
                await self.lost(AsyncStore(daemon.path, 0.01).open(), words)
        await self.lost(AsyncStore("/nowhere/socket").open(), "/nowhere/socket.*No such file")

    async def test_one_whom_too_many_wait_for_is_asked_again(self):
        async with Daemon(lambda *_: b"OK\0") as daemon:
            daemon.server.close()
            await daemon.server.wait_closed()
            os.unlink(daemon.path)
            with socket.socket(socket.AF_UNIX) as place, socket.socket(socket.AF_UNIX) as first:
                place.bind(daemon.path)
                place.listen(0)
                first.connect(daemon.path)
                await self.lost(AsyncStore(daemon.path, 0).open(), "temporarily unavailable")
                dial = mock.Mock(side_effect=link.Link._dial)
                store = AsyncStore(daemon.path)
                with mock.patch.object(link.Link, "_dial", lambda self: dial(self)):
                    opening = asyncio.ensure_future(store.open())
                    await until(lambda: dial.call_count > 1)
                    await daemon.__aenter__(sock=place.dup())
                    await asyncio.wait_for(opening, WAIT)
                await store.close()

    async def test_what_no_daemon_may_say_ends_a_question_with_its_reason_and_a_change_unknown(self):
        for answer, words in ODD:
            async with Daemon(lambda *_: answer) as daemon, AsyncStore(daemon.path, 0.05) as store:
                await self.lost(store.list("/a"), words)
            async with Daemon(lambda *_: answer) as daemon, AsyncStore(daemon.path, 0.05) as store:
                with self.assertRaises(OutcomeUnknown):
                    await asyncio.wait_for(store._ask(Op.MKDIR, joined("/a"), "/a"), WAIT)
                self.assertEqual(len(daemon.ops(Op.MKDIR)), 1)

    async def test_a_watch_over_connections_that_break_at_once_is_given_up_in_the_end(self):
        def says(connection, *_):
            return b"OK\0" if connection == 1 else HANG_UP

        async with Daemon(says) as daemon, AsyncStore(daemon.path, 0.1) as store:
            watch = store.watch("/a")
            await watch.__anext__()
            store._link._writer.close()
            await self.lost(watch.__anext__(), "it hung up")
            self.assertLess(daemon.connections, 10)

    async def test_an_error_of_a_name_that_does_not_exist_is_eio(self):
        for name in ("EOOPS", "errorcode", "__name__", "\udcff".encode("utf-8", "surrogateescape")):
            answer = Message(Op.ERROR, 0, 0, name) if isinstance(name, bytes) else name
            async with Daemon(lambda *_: answer) as daemon, AsyncStore(daemon.path) as store:
                with self.assertRaises(StoreError) as caught:
                    await asyncio.wait_for(store.read("/a"), WAIT)
                self.assertEqual((type(caught.exception), caught.exception.errno), (StoreError, errno.EIO))

    async def test_answers_that_are_none_are_told_and_end_nothing_else(self):
        def says(_, op, *__):
            return {Op.DIRECTORY: "E2BIG", Op.TRANSACTION_START: b"none\0", Op.DIRECTORY_PART: b"odd"}.get(op, b"OK\0")

        async with Daemon(says, kinds=lambda _: b"9x") as daemon, AsyncStore(daemon.path) as store:
            for asked in (store.begin(), store.list("/a"), store._value_and_kind("/a")):
                with self.assertRaises(ProtocolError):
                    await asyncio.wait_for(asked, WAIT)
            self.assertEqual(daemon.connections, 1)

    async def test_a_list_that_always_changes_has_an_end(self):
        generation = []

        def says(_, op, *__):
            generation.append(op)
            return "E2BIG" if op == Op.DIRECTORY else b"%d\0x\0" % len(generation)

        async with Daemon(says) as daemon, AsyncStore(daemon.path) as store:
            with self.assertRaises(Conflict):
                await asyncio.wait_for(store.list("/a"), WAIT)

    async def test_what_fits_into_no_message_is_refused_before_it_is_sent(self):
        async with Daemon(lambda *_: b"OK\0") as daemon, AsyncStore(daemon.path) as store:
            with self.assertRaises(StoreError) as caught:
                await store.read("/" + 5000 * "a")
            self.assertEqual((caught.exception.errno, daemon.asked), (errno.E2BIG, []))

    async def test_one_that_was_not_opened_or_by_another_process_says_so(self):
        def child(store):
            signal.alarm(WAIT)
            try:
                store.read("/a")
            except ConnectionLost:
                store.close()
                os._exit(0)
            os._exit(1)

        async with Daemon(lambda *_: b"OK\0") as daemon:
            await self.lost(AsyncStore(daemon.path).read("/a"), "not opened")
            store = await asyncio.to_thread(Store, daemon.path)
            pid = os.fork()
            if not pid:
                child(store)
            self.assertEqual(os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, pid, 0))[1]), 0)
            self.assertEqual(await asyncio.to_thread(store.read, "/a"), b"OK\0")
            await asyncio.to_thread(store.close)


unittest.main()
