#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# with_pyxs.py DAEMON - pyxs, a client that is not libxenstore's (Debian: python3-pyxs), against our
# daemon: each of its operations. 77: not installed.
import os
import subprocess
import sys
import tempfile
import time

try:
    from pyxs import Client, PyXSError
except ImportError:
    sys.exit(77)


def refused(call, error):
    try:
        call()
    except PyXSError as e:
        assert e.args[0] == error, e
    else:
        raise AssertionError("not refused")


def nodes(c):
    c[b"/py/a"] = b"1"
    c[b"/py/empty"] = b""
    assert c[b"/py/a"] == b"1" and c[b"/py/empty"] == b""
    c.mkdir(b"/py/d")
    assert c.list(b"/py") == [b"a", b"empty", b"d"]
    assert c.exists(b"/py/d") and not c.exists(b"/py/none")
    c.set_perms(b"/py/a", [b"n0", b"r7"])
    assert c.get_perms(b"/py/a") == [b"n0", b"r7"]
    c.delete(b"/py/d")
    assert c.list(b"/py") == [b"a", b"empty"]
    refused(lambda: c[b"/none"], 2)
    refused(lambda: c.delete(b"/none/x"), 2)


def transactions(c, other):
    c.transaction()
    c[b"/py/t"] = b"2"
    assert not other.exists(b"/py/t")
    assert c.commit()
    assert other[b"/py/t"] == b"2"
    c.transaction()
    c[b"/py/t"] = b"3"
    c.rollback()
    assert other[b"/py/t"] == b"2"
    c.transaction()
    assert c[b"/py/t"] == b"2"
    other[b"/py/t"] = b"4"
    assert not c.commit()


def watches(c):
    with c.monitor() as m:
        m.watch(b"/py", b"token")
        assert next(m.wait()) == (b"/py", b"token")
        c[b"/py/w"] = b"1"
        assert next(m.wait()) == (b"/py/w", b"token")
        m.unwatch(b"/py", b"token")


def domains(c):
    assert c.get_domain_path(3) == b"/local/domain/3"
    assert not c.is_domain_introduced(3)


def connect(path):
    end = time.monotonic() + 30
    while True:
        try:
            c = Client(unix_socket_path=path)
            c.connect()
            return c
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


with tempfile.TemporaryDirectory(dir="/dev/shm") as base:
    run = os.path.join(base, "run")
    with open(os.path.join(base, "log"), "wb") as log:
        daemon = subprocess.Popen([sys.argv[1], "-N", "-D", "--run-dir", run, "--state-dir",
                                   os.path.join(base, "state")], stderr=log)
    try:
        one, two = (connect(os.path.join(run, "socket")) for _ in range(2))
        nodes(one)
        transactions(one, two)
        watches(one)
        domains(one)
        one.close()
        two.close()
    finally:
        daemon.terminate()
        daemon.wait()
