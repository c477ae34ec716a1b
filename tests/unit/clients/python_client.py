#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_client.py XENSTORED XS WHICH [START SHIM] - the Python client against a daemon of its own: ours, or Debian's c
or ox (tests/bench/peers/start). In between is a line that the test can cut."""
import asyncio
import errno
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "clients/python/src"))
from storevisor_store import (AsyncStore, Conflict, ConnectionLost, Lost, NotFound, NotSupported, OutcomeUnknown, Store,  # noqa: E402
                              StoreError, long_value, names, nodes)

XENSTORED, XS, WHICH = sys.argv[1:4]
START, SHIM = (sys.argv[4:6] + ["", ""])[:2]
OURS = WHICH == "ours"
WAIT = 240
VECTORS = json.loads(pathlib.Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))


class Daemon:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="pyclient-")
        self.process = self.pid = None
        self.start()

    def start(self):
        if not OURS:
            done = subprocess.run(["sh", START, WHICH, self.dir, os.path.abspath(SHIM)], stdout=subprocess.PIPE, check=False)
            if done.returncode == 77:
                sys.exit(77)
            if done.returncode:
                raise RuntimeError("the daemon did not start")
            self.pid, self.socket = int(done.stdout), f"{self.dir}/socket"
            return
        for name in ("run", "state"):
            os.makedirs(f"{self.dir}/{name}", exist_ok=True)
        self.socket = f"{self.dir}/run/socket"
        self.process = subprocess.Popen([XENSTORED, "-D", "-N", "--run-dir", f"{self.dir}/run", "--state-dir",
                                         f"{self.dir}/state"])
        until(lambda: answers(self.socket))

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        else:
            os.kill(self.pid, signal.SIGTERM)


class Line:
    """A socket in front of the daemon's. held: answers are kept back; cut(): all connections end."""

    def __init__(self, daemon):
        self.path, self.daemon = daemon.dir + "/line", daemon
        self.lock, self.open, self.held = threading.Lock(), [], False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self.daemon.socket)
            except OSError:
                near.close()
                continue
            with self.lock:
                self.open += [near, far]
            for a, b, back in ((near, far, False), (far, near, True)):
                threading.Thread(target=self.pass_on, args=(a, b, back), daemon=True).start()

    def pass_on(self, a, b, back):
        try:
            while data := a.recv(65536):
                if not (back and self.held):
                    b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        a.close()

    def cut(self):
        with self.lock:
            gone, self.open = self.open, []
        for s in gone:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def answers(path):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(path)
        return True
    except OSError:
        return False
    finally:
        s.close()


def until(so):
    end = time.monotonic() + WAIT
    while not so():
        if time.monotonic() > end:
            raise AssertionError("not so in time")
        time.sleep(0.01)


def xs(*args, stdin=None, name=XS):
    done = subprocess.run([name, *args], executable=os.path.abspath(XS), input=stdin, env={**os.environ, "XENSTORED_PATH": DAEMON.socket},
                          capture_output=True, timeout=WAIT, check=False)
    if done.returncode:
        raise AssertionError(f"xs {args}: {done.stderr!r}")
    return done.stdout


class Nodes(unittest.TestCase):
    def setUp(self):
        self.store = Store(LINE.path)
        try:
            self.store.rm("/t")
        except NotFound:
            pass
        self.store.mkdir("/t")

    def tearDown(self):
        LINE.held = False
        self.store.close()

    def test_a_value_of_any_bytes_comes_back(self):
        for value in (b"", b"1", bytes(range(256)), "ü".encode(), b"x" * 4087):
            self.store.write("/t/v", value)
            self.assertEqual(self.store.read("/t/v"), value)

    def test_errors_have_the_stores_number_and_the_path(self):
        with self.assertRaises(NotFound) as caught:
            self.store.read("/t/nothing")
        self.assertEqual((caught.exception.errno, caught.exception.filename), (errno.ENOENT, "/t/nothing"))
        for what in (lambda: self.store.rm("/t/nothing"), lambda: self.store.list("/t/nothing"),
                     lambda: self.store.perms("/t/nothing")):
            self.assertRaises(NotFound, what)
        with self.assertRaises(StoreError) as caught:
            self.store.write("/t/a b", "1")
        self.assertEqual(caught.exception.errno, errno.EINVAL)
        self.assertRaises(ValueError, self.store.read, "/t/a\0b")

    def test_children_are_listed_sorted_however_many(self):
        self.store.transact(lambda tx: [tx.write(f"/t/d/{i:04d}-a-rather-long-name", "") for i in range(300)])
        if WHICH == "ox":  # it hangs up on who asks for more than a message of names
            self.assertRaises(ConnectionLost, self.store.list, "/t/d")
            return
        self.assertEqual(self.store.list("/t/d"), [f"{i:04d}-a-rather-long-name" for i in range(300)])
        self.assertEqual(self.store.list("/t/d/0000-a-rather-long-name"), [])

    def test_removal_takes_all_below(self):
        self.store.write("/t/a/b/c", "1")
        self.store.rm("/t/a")
        self.assertFalse(self.store.exists("/t/a/b/c"))

    def test_permissions(self):
        self.store.write("/t/p", "1")
        self.store.set_perms("/t/p", "n0", "r1") if OURS else self.store.set_perms("/t/p", "r0")
        self.assertEqual(self.store.perms("/t/p"), ["n0", "r1"] if OURS else ["r0"])

    def test_long_values_at_below_and_past_the_limits(self):
        for size in (4090, 4091, 9000, long_value.VALUE_MAX):
            value = random.Random(size).randbytes(size)
            self.store.write("/t/v", value)
            self.assertEqual(self.store.read("/t/v"), value)
            self.assertEqual(self.store.tree("/t").children["v"].value, value)
        self.assertRaises(ValueError, self.store.write, "/t/v", b"1" * (long_value.VALUE_MAX + 1))
        self.store.write("/t/v", "short")
        self.assertEqual((self.store.read("/t/v"), self.store.list("/t/v")), (b"short", []))
        self.store.write("/t/v", "@long:5:1:00000000")
        self.assertEqual(self.store.read("/t/v"), b"@long:5:1:00000000")

    def test_anybodys_mark_costs_no_more_requests_than_it_has_parts(self):
        for mark, first, most in ((b"@long:1048576:1048576:00000000", b"", 1), (b"@long:1048576:525:00000000", b"", 3),
                                  (b"@long:1048576:525:00000000", b"1" * 2000, 50)):
            asked = []

            class Plain(nodes.Nodes):
                async def _ask(self, op, payload, path):
                    asked.append(path)
                    if path == "/t/v":
                        return mark
                    if path == "/t/v/@ff0" and first:
                        return first
                    raise NotFound(errno.ENOENT, path)

                async def _at_once(self, what):
                    return await what(self)

            self.assertEqual(asyncio.run(Plain().read("/t/v")), mark)
            self.assertLessEqual(len(asked), most)

    def test_no_part_stays_of_a_long_value_that_was_written_over(self):
        self.store.write("/t/v", b"1" * 12000)
        xs("/t/v", "plain", name="xenstore-write")
        self.store.write("/t/v", b"2" * 9000)
        parts = sorted(xs("/t/v", name="xenstore-list").decode().split())
        self.assertEqual(parts, [f"@ff{i}" for i in range(5)])
        self.assertEqual(self.store.read("/t/v"), b"2" * 9000)

    def test_xs_and_we_mean_the_same_by_long_values(self):
        value = random.Random(1).randbytes(9000)
        self.store.write("/t/ours", value)
        self.assertEqual(xs("read", "--raw", "/t/ours"), value)
        xs("write", "--stdin", "/t/xs", stdin=value)
        self.assertEqual(self.store.read("/t/xs"), value)
        for text, crc in VECTORS["crc32c"].items():
            self.assertEqual(long_value.crc32c(text.encode()), int(crc, 16))


class Names(unittest.TestCase):
    def test_every_name_comes_back(self):
        r = random.Random(17)
        for _ in range(20000):
            name = "".join(r.choice("a1@2e40.ü/ \U0001f600-_") for _ in range(r.randrange(8)))
            encoded = names.encode(name)
            self.assertRegex(encoded, r"\A[A-Za-z0-9_@-]+\Z")
            self.assertEqual(names.decode(encoded), name)

    def test_every_stores_name_that_is_text_comes_back(self):
        r = random.Random(18)
        for _ in range(20000):
            name = "".join(r.choice("a@2e4f0c3b") for _ in range(1 + r.randrange(8)))
            text = names.decode(name)
            if text is not None:
                self.assertEqual(names.encode(text), name)

    def test_names_are_those_of_the_other_clients(self):
        for name, encoded in VECTORS["names"].items():
            self.assertEqual((names.encode(name), names.decode(encoded)), (encoded, name))
        for name in VECTORS["no text"]:
            self.assertIsNone(names.decode(name))
        self.assertEqual(names.join(*VECTORS["path"]["names"]), VECTORS["path"]["is"])


class Documents(Nodes):
    DOC = {**VECTORS["document"], "long": "z" * 9000}

    def test_a_document_comes_back(self):
        self.store.import_document(self.DOC, "/t/doc")
        found = self.store.export_document("/t/doc")
        if OURS:
            self.assertEqual(found, self.DOC)
        else:  # what a value was in JSON is kept by ours only
            expected = {**VECTORS["document without kinds"], "long": self.DOC["long"]}
            self.assertEqual({k: found[k] for k in expected}, expected)

    def test_xs_and_we_mean_the_same_by_documents(self):
        self.store.import_document(self.DOC, "/t/doc")
        ours = self.store.export_document("/t")
        self.assertEqual(json.loads(xs("export", "--relative", "/t")), ours)
        self.store.rm("/t")
        xs("import", "-", stdin=json.dumps({"t": ours}).encode())
        self.assertEqual(self.store.export_document("/t"), ours)

    @unittest.skipUnless(OURS, "what a value was in JSON is kept by ours only")
    def test_a_list_with_permissions_of_its_own_is_what_xs_says_of_it(self):
        self.store.import_document({"a": [1, True]}, "/t/d")
        self.store.set_perms("/t/d/a", "n0", "r1")
        exported = json.loads(xs("export", "--relative", "--perms", "/t/d"))
        self.assertEqual(exported["a"]["@kind"], "list")
        self.store.rm("/t/d")
        self.store.import_document(exported, "/t/d")
        self.assertEqual((self.store.export_document("/t/d"), self.store.perms("/t/d/a")), ({"a": [1, True]}, ["n0", "r1"]))

    def test_a_list_is_replaced_the_rest_is_merged(self):
        self.store.import_document({"l": [1, 2, 3], "k": {"a": 1}}, "/t/d")
        self.store.import_document({"l": [9], "k": {"b": 2}}, "/t/d")
        self.assertEqual(self.store.list("/t/d/l"), ["0"])
        self.assertEqual(self.store.list("/t/d/k"), ["a", "b"])

    def test_what_is_wrong_in_a_document_is_said_and_nothing_written(self):
        for doc in VECTORS["wrong documents"]:
            self.assertRaises(ValueError, self.store.import_document, doc, "/t/bad")
        self.assertFalse(self.store.exists("/t/bad"))


class Transactions(Nodes):
    def test_a_conflict_is_tried_again(self):
        self.store.write("/t/n", "0")
        seen = []

        def body(tx):
            seen.append(tx.read("/t/n"))
            if len(seen) == 1:
                self.store.write("/t/n", "5")
            tx.write("/t/n", str(int(tx.read("/t/n")) + 1))
            return "done"

        self.assertEqual(self.store.transact(body), "done")
        self.assertEqual((self.store.read("/t/n"), seen), (b"6", [b"0", b"5"]))

    def test_tries_have_an_end(self):
        def body(tx):
            tx.read("/t")
            tx.write("/t/n", tx.read("/t/n"))
            self.store.write("/t/n", str(random.random()))

        self.store.write("/t/n", "0")
        self.assertRaises(Conflict, self.store.transact, body, 2)

    def test_an_exception_changes_nothing(self):
        def body(tx):
            tx.write("/t/x", "1")
            raise KeyError("mine")

        self.assertRaises(KeyError, self.store.transact, body)
        self.assertFalse(self.store.exists("/t/x"))

    def test_eight_writers_count_to_80(self):
        self.store.write("/t/n", "0")

        async def one():
            async def body(tx):
                await tx.write("/t/n", str(int(await tx.read("/t/n")) + 1))

            async with AsyncStore(LINE.path) as store:
                for _ in range(10):
                    await store.transact(body)

        async def all_of_them():
            await asyncio.gather(*(one() for _ in range(8)))

        asyncio.run(all_of_them())
        self.assertEqual(self.store.read("/t/n"), b"80")


class Watches(Nodes):
    def test_changes_come_in_order_each_path_once_while_nobody_looks(self):
        with self.store.watch("/t/w") as watch:
            self.assertEqual((e := watch.next(WAIT)).path, "/t/w")
            self.assertTrue(e.first)
            for _ in range(5):
                self.store.write("/t/w/a", "1")
            self.store.write("/t/w/b", "1")
            self.assertEqual([watch.next(WAIT).path for _ in range(2)], ["/t/w/a", "/t/w/b"])
            self.assertRaises(TimeoutError, watch.next, 0.05)
            self.store.write("/t/w/c", "1")
            self.store.read("/t/w/c")  # its event came before this answer
            self.assertEqual(watch.next(0).path, "/t/w/c")
            self.assertRaises(TimeoutError, watch.next, 0)

    def test_close_ends_who_waits(self):
        watch = self.store.watch("/t/w").__enter__()
        watch.next(WAIT)
        threading.Timer(0.1, watch.close).start()
        self.assertEqual(list(watch), [])

    def test_a_watch_goes_on_after_the_connection_was_lost(self):
        with self.store.watch("/t/w") as watch:
            watch.next(WAIT)
            LINE.cut()
            event = watch.next(WAIT)
            self.assertEqual((event.path, event.resumed), ("/t/w", True))
            self.store.write("/t/w/a", "1")
            self.assertEqual(watch.next(WAIT).path, "/t/w/a")


class Losses(Nodes):
    def held(self, what):
        """Does @what without its answer arriving, then cuts the line. Returns its exception or None."""
        result = []

        def run():
            try:
                what()
                result.append(None)
            except Exception as error:  # pylint: disable=broad-except
                result.append(error)

        LINE.held = True
        thread = threading.Thread(target=run)
        thread.start()
        return thread, result

    def cut(self, thread, result):
        if OURS:  # a socket that is closed is a client that left: only a daemon that died is asked what became of it
            DAEMON.kill()
            LINE.held = False
            DAEMON.start()
        LINE.held = False
        if not OURS:
            LINE.cut()
        thread.join(WAIT)
        return result[0]

    def test_a_question_is_asked_again(self):
        self.store.write("/t/v", "1")
        lost = self.held(lambda: self.assertEqual(self.store.list("/t"), ["v"]))
        time.sleep(0.1)  # it cannot be seen that the answer was dropped
        self.assertIsNone(self.cut(*lost))

    def test_a_change_in_flight_is_done_once_or_said_to_be_unknown(self):
        self.store.mkdir("/t/v")
        lost = self.held(lambda: self.store.mkdir("/t/new"))
        until(lambda: "new" in xs("list", "/t").decode().split())
        xs("rm", "/t/new")  # a second time would make it again
        error = self.cut(*lost)
        self.assertIsNone(error) if OURS else self.assertIsInstance(error, OutcomeUnknown)
        self.assertEqual(self.store.list("/t"), ["v"])

    def test_a_transaction_over_a_lost_connection_is_tried_again(self):
        tries = []

        def body(tx):
            tries.append(1)
            if len(tries) == 1:
                LINE.cut()
            tx.write("/t/x", str(len(tries)))

        self.store.transact(body)
        self.assertGreaterEqual(len(tries), 2)
        self.assertEqual(self.store.read("/t/x"), str(len(tries)).encode())

    def test_no_daemon_within_the_patience(self):
        with self.assertRaises(OSError):
            Store(DAEMON.dir + "/nobody")
        store = Store(LINE.path, patience=0.2)
        watch = store.watch("/t").__enter__()
        watch.next(WAIT)
        listener, LINE.listener = LINE.listener, None
        os.rename(LINE.path, LINE.path + ".away")
        LINE.cut()
        try:
            self.assertRaises(ConnectionLost, watch.next, WAIT)
            self.assertRaises(ConnectionLost, store.read, "/t")
        finally:
            os.rename(LINE.path + ".away", LINE.path)
            LINE.listener = listener
            store.close()

    @unittest.skipUnless(OURS, "Debian's daemons end with all they know")
    def test_kill_9_of_the_daemon_is_noticed_by_nobody(self):
        store, n, end = Store(DAEMON.socket, patience=None), 0, threading.Event()
        store.write("/t/n", "0")

        def killer():
            for _ in range(5):
                time.sleep(0.15)
                DAEMON.kill()
                DAEMON.start()
            end.set()

        thread = threading.Thread(target=killer)
        thread.start()
        while not end.is_set():
            store.transact(lambda tx: tx.write("/t/n", str(int(tx.read("/t/n")) + 1)))
            n += 1
        thread.join()
        self.assertEqual(store.read("/t/n"), str(n).encode())
        self.assertGreater(n, 5)
        store.close()


class Holds(Nodes):
    """What goes with who has it."""

    def other(self):
        store = Store(LINE.path)
        self.addCleanup(store.close)
        return store

    @unittest.skipIf(OURS, "ours binds")
    def test_a_daemon_that_binds_nothing_is_said_to_be_one(self):
        for what in (lambda: self.store.bind("/t/k", "v"), lambda: self.store.bind("/t/k", "v", 1.0),
                     lambda: self.store.unbind("/t/k", "v"), self.store.lock("/t/k").__enter__):
            with self.assertRaises(NotSupported) as caught:
                what()
            self.assertEqual((caught.exception.errno, caught.exception.filename), (errno.EOPNOTSUPP, "/t/k"))
        self.assertFalse(self.store.exists("/t/k"))

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_a_bond_removes_what_it_was_made_to(self):
        self.assertFalse(self.store.bind("/t/k", "mine"))
        self.store.write("/t/k", "mine")
        self.assertTrue(self.store.bind("/t/k", "mine"))
        self.store.unbind("/t/k", "mine")
        self.store.unbind("/t/k", "mine")
        self.assertTrue(self.store.bind("/t/k", "mine", 0.1))
        until(lambda: not self.store.exists("/t/k"))
        other = self.other()
        self.store.write("/t/k", "other")
        self.assertTrue(other.bind("/t/k", "other"))
        other.close()
        until(lambda: not self.store.exists("/t/k"))
        self.assertRaises(ValueError, self.store.bind, "/t/k", "v", 0.05)
        self.assertRaises(ValueError, self.store.bind, "/t/k", "v", 86401)
        with self.assertRaises(StoreError) as caught:
            self.store.bind("/config/k", "v")
        self.assertEqual(caught.exception.errno, errno.EINVAL)
        self.assertIn("kept over a boot", str(caught.exception))

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_one_of_several_has_it_at_a_time(self):
        inside, most = [], []

        def work():
            store = self.other()
            for ttl in (None, 5.0, None):
                with store.lock("/t/lock", ttl=ttl) as held:
                    inside.append(held)
                    most.append(len(inside))
                    self.assertEqual(store.read_text("/t/lock"), held.value)
                    held.check()
                    inside.remove(held)
                self.assertTrue(held.lost)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        self.assertEqual(most, [1] * 12)
        self.assertFalse(self.store.exists("/t/lock"))

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_who_does_not_get_it_in_time_leaves_nothing(self):
        with self.store.lock("/t/lock", name="first") as held:
            self.assertTrue(held.value.startswith("first "))
            with self.assertRaises(TimeoutError) as caught:
                self.other().lock("/t/lock", timeout=0.2).__enter__()
            with self.assertRaises(TimeoutError):
                self.other().lock("/t/lock", timeout=0).__enter__()
            self.assertEqual(caught.exception.filename, "/t/lock")
            self.assertEqual(self.store.read_text("/t/lock"), held.value)
            self.assertFalse(held.lost)
        for name in ("", "x" * 201, "a\0b"):
            self.assertRaises(ValueError, self.store.lock, "/t/lock", name=name)
        self.assertRaises(RuntimeError, held.__enter__)
        with self.other().lock("/t/lock", timeout=0) as now:
            self.assertFalse(now.lost)

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_who_dies_has_it_no_more(self):
        script = (f"import sys, os; sys.path.insert(0, {str(TOP / 'clients/python/src')!r})\n"
                  "from storevisor_store import Store\n"
                  f"Store({LINE.path!r}).lock('/t/lock', ttl=60.0 if sys.argv[1:] else None).__enter__()\n"
                  "print('has it', flush=True); sys.stdin.read()")
        child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), b"has it\n")
        child.kill()
        child.communicate()
        with self.store.lock("/t/lock", timeout=WAIT) as held:
            self.assertFalse(held.lost)

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_what_was_taken_away_is_lost(self):
        for ttl in (None, 60.0):
            with self.store.lock("/t/lock", ttl=ttl) as held:
                self.assertFalse(held.wait_lost(0.01))
                xs("write", "/t/lock", "somebody else")
                self.assertTrue(held.wait_lost(WAIT))
                self.assertRaises(Lost, held.check)
            self.assertEqual(self.store.read("/t/lock"), b"somebody else")
            xs("rm", "/t/lock")

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_it_is_renewed_for_as_long_as_it_is_held(self):
        with self.store.lock("/t/lock", ttl=0.5) as held:
            self.assertFalse(held.wait_lost(2.0))
            self.assertEqual(self.store.read_text("/t/lock"), held.value)

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_a_daemon_that_is_started_again_changes_nothing(self):
        store = Store(DAEMON.socket, patience=None)
        self.addCleanup(store.close)
        with store.lock("/t/lock") as held:
            for _ in range(3):
                DAEMON.kill()
                DAEMON.start()
                self.assertEqual(store.read_text("/t/lock"), held.value)
            self.assertFalse(held.lost)
        self.assertFalse(store.exists("/t/lock"))

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_one_that_stays_away_has_nobody_hold_anything(self):
        store = Store(DAEMON.socket, patience=None)
        self.addCleanup(store.close)
        with store.lock("/t/lock", ttl=0.5) as held:
            DAEMON.kill()
            self.assertTrue(held.wait_lost(WAIT))
            DAEMON.start()

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_xs_contends_for_the_same(self):
        with self.store.lock("/t/lock", ttl=60.0):
            self.assertRaises(AssertionError, xs, "lock", "--lease", "1m", "--no-wait", "/t/lock", "true")
        xs("lock", "--lease", "1m", "--no-wait", "/t/lock", "true")

    @unittest.skipUnless(OURS, "Debian's daemons bind nothing")
    def test_a_leader_works_while_it_is_one(self):
        async def run():
            begun, ended = [], []

            async def work(held):
                begun.append(held.value)
                try:
                    if len(begun) == 2:
                        return "done"
                    await asyncio.sleep(WAIT)
                finally:
                    ended.append(held.lost)

            async with AsyncStore(LINE.path) as store:
                leading = asyncio.ensure_future(store.elect("/t/leader", work, name="one"))
                while not begun:
                    await asyncio.sleep(0.01)
                await store.write("/t/leader", "somebody else")
                while not ended:
                    await asyncio.sleep(0.01)
                await store.rm("/t/leader")
                self.assertEqual(await asyncio.wait_for(leading, WAIT), "done")
                self.assertEqual(len(set(begun)), 2)
                self.assertEqual(ended, [True, False])
                self.assertFalse(await store.exists("/t/leader"))

                async def fail(held):
                    raise KeyError(held.path)

                with self.assertRaises(KeyError):
                    await store.elect("/t/leader", fail)
                self.assertFalse(await store.exists("/t/leader"))

        asyncio.run(run())


DAEMON = Daemon()
try:
    LINE = Line(DAEMON)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Nodes)
    for case in (Names, Documents, Transactions, Watches, Losses, Holds):
        own = [n for n in unittest.defaultTestLoader.getTestCaseNames(case) if n in vars(case)]
        suite.addTests(case(n) for n in own)
    ok = unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful()
finally:
    DAEMON.kill()
    subprocess.run(["rm", "-rf", DAEMON.dir], check=False)
sys.exit(0 if ok else 1)
