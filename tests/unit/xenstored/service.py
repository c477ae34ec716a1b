#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""service.py XENSTORED XS - the daemon under a service manager, which this plays: a socket that was
there before, the words that it is ready, lives and ends, a user of its own, a group for the socket."""
import os
import pathlib
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile

XENSTORED, XS = sys.argv[1:3]
DIR = pathlib.Path(tempfile.mkdtemp(prefix="sv-service."))
RUN, STATE, PATH = DIR / "run", DIR / "state", DIR / "run/socket"
NOBODY, GROUP = 65534, 60123
failed = 0


def claim(text, holds, more=""):
    global failed
    failed += not holds
    print("ok" if holds else "not ok", "-", text, "" if holds else more)


def listen():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(PATH))
    listener.listen(8)
    return listener


def start(*options, listener=None, pid="$$", user=None):
    """The daemon, its end of the notify socket, and READY waited for when it can come."""
    words = DIR / "notify"
    words.unlink(missing_ok=True)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(words))
    words.chmod(0o777)
    notify.settimeout(60)
    given = f"3<&{listener.fileno()}" if listener else ""
    command = ["sh", "-c", f'LISTEN_PID={pid} exec "$@" {given}', "sh"]
    if user:
        command += ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    command += [XENSTORED, "-N", "-D", "--run-dir", RUN, "--state-dir", STATE, *options]
    env = dict(os.environ, NOTIFY_SOCKET=str(words))
    if listener:
        env["LISTEN_FDS"] = "1"
    fds = (listener.fileno(),) if listener else ()
    child = subprocess.Popen(command, env=env, pass_fds=fds, stderr=subprocess.PIPE, text=True)
    return child, notify


def heard(notify, word):
    """All that is said up to @word."""
    said = []
    while not said or word not in said[-1].split("\n"):
        said.append(notify.recv(4096).decode())
    return said


def request(kind, *strings):
    body = b"".join(s.encode() + b"\0" for s in strings)
    return struct.pack("<IIII", kind, 1, 0, len(body)) + body


def xs(*words):
    got = subprocess.run([XS, *words], env=dict(os.environ, XENSTORED_PATH=str(PATH)), capture_output=True, text=True)
    return got.stdout.strip() if got.returncode == 0 else got.stderr


def end(child):
    child.send_signal(signal.SIGTERM)
    child.wait(60)
    return child.stderr.read()


def given_socket():
    RUN.mkdir(parents=True)
    listener = listen()
    early = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    early.connect(str(PATH))
    early.sendall(request(1, "/"))  # DIRECTORY
    child, notify = start(listener=listener)
    said = heard(notify, "READY=1")
    claim("it says first that it is starting", said[0] == "STATUS=starting", said)
    early.settimeout(60)
    claim("who came before it is answered", struct.unpack("<IIII", early.recv(16))[0] == 1)
    claim("it lives, and says so", "WATCHDOG=1" in heard(notify, "WATCHDOG=1"))
    xs("write", "/config/kept", "1")
    child.send_signal(signal.SIGTERM)
    claim("it says that it ends", heard(notify, "STOPPING=1"))
    child.wait(60)
    claim("the socket is its giver's", stat.S_ISSOCK(PATH.stat().st_mode))
    late = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    late.connect(str(PATH))
    child, notify = start(listener=listener)
    heard(notify, "READY=1")
    claim("the next one serves on it", xs("read", "/config/kept") == "1", xs("read", "/config/kept"))
    end(child)
    child, notify = start(listener=listener, pid="1")
    text = child.communicate(timeout=60)[1]
    claim("sockets for another process are not taken", child.returncode == 1 and "another process serves" in text, text)
    listener.close()
    PATH.unlink()


def own_user():
    """As root only: others cannot become somebody else."""
    for path in [DIR, RUN, STATE, *RUN.rglob("*"), *STATE.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    child, notify = start("--user", str(NOBODY), user=NOBODY)
    heard(notify, "READY=1")
    state = pathlib.Path(f"/proc/{child.pid}/status").read_text()
    claim("started as its user, it still gives up system calls", "\nSeccomp:\t2\n" in state, state)
    claim("and has what was stored", xs("read", "/config/kept") == "1")
    claim("and hears of time passing", "WATCHDOG=1" in heard(notify, "WATCHDOG=1"))
    end(child)
    claim("a socket of its own goes with it", not PATH.exists())
    child, notify = start("--user", str(NOBODY), "--group", str(GROUP))
    heard(notify, "READY=1")
    found = PATH.stat()
    claim("--group: the group may use the socket, others not",
          (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, GROUP, 0o660), found)
    end(child)
    for user in NOBODY, None:
        listener = listen()
        os.chown(PATH, 0, GROUP)
        PATH.chmod(0o660)
        child, notify = start("--user", str(NOBODY), listener=listener, user=user)
        heard(notify, "READY=1")
        found = PATH.stat()
        claim(f"a given socket stays as it is, started as {user or 'root'}",
              (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, GROUP, 0o660), found)
        end(child)
        listener.close()
        PATH.unlink()


def main():
    given_socket()
    if os.geteuid() == 0:
        own_user()
    needed = subprocess.run(["objdump", "-p", XENSTORED], check=True, capture_output=True, text=True).stdout
    claim("it needs no library of Xen", "libxen" not in needed and "liblmdb" in needed, needed)
    shutil.rmtree(DIR)
    return failed > 0


sys.exit(main())
