#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_link.py - what the Python client makes of what a daemon says and of connections that break at a chosen moment:
the daemon is this test."""
import asyncio
import errno
import os
import pathlib
import sys
import tempfile
import threading
import unittest

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "clients/python/src"))
from storevisor_store import (AsyncStore, ConnectionLost, OutcomeUnknown, PermissionDenied, Store,  # noqa: E402
                              document, long_value)
from storevisor_store.wire import HEADER, Message, Op, joined  # noqa: E402

HANG_UP, NOTHING = object(), object()
WAIT = 30


class Daemon:
    """says: what to answer to (connection, op, transaction, payload): bytes, an error's name, HANG_UP, NOTHING."""

    def __init__(self, says, session="new", kinds=None):
        self.says, self.session, self.connections, self.asked, self.kinds = says, session, 0, [], kinds
        self.dir = tempfile.mkdtemp(prefix="pylink-")
        self.path = self.dir + "/socket"

    async def __aenter__(self):
        self.server = await asyncio.start_unix_server(self.serve, self.path)
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
                    answer = self.session.encode() + b"\0"
                elif op == Op.CONTROL:
                    answer = self.kinds(connection)
                else:
                    self.asked.append((connection, Op(op), tx, number))
                    answer = self.says(connection, op, tx, payload)
                if answer is HANG_UP:
                    break
                if answer is NOTHING:
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


unittest.main()
