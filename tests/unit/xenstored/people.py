#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""people.py XENSTORED - users and groups of the host at the socket: what the table /config/access
gives them, that a change of it is felt at once, and whatever they try to get more. Other users are
children of this test, which root runs."""
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

DIRECTORY, READ, GET_PERMS, WATCH, START, END = 1, 2, 3, 4, 6, 7
CONTROL, WRITE, MKDIR, RM, SET_PERMS, INTRODUCE, SET_TARGET, ERROR = 0, 11, 12, 13, 14, 8, 19, 16
DIR = pathlib.Path(tempfile.mkdtemp(prefix="sv-people."))
PATH = DIR / "run/socket"
ALICE, BOB, CAROL, DAVE = 61001, 61002, 61003, 61004
WEB, OPS, LOCKED = 62001, 62002, 62003
failed = 0


def claim(text, wanted, got):
    global failed
    failed += wanted != got
    print("ok" if wanted == got else "not ok", "-", text, "" if wanted == got else f"wanted {wanted!r}, got {got!r}")


class Client:
    """One connection, as whoever the process is when it is made."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(PATH))
        self.sock.settimeout(60)

    def close(self):
        self.sock.close()

    def take(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def ask(self, kind, *words, tx=0, raw=b""):
        """The answer as text, an error as its name; "gone": the daemon has hung up."""
        body = b"".join(word.encode() + b"\0" for word in words) + raw
        try:
            self.sock.sendall(struct.pack("<IIII", kind, 7, tx, len(body)) + body)
            while True:
                got, _, _, length = struct.unpack("<IIII", self.take(16))
                data = self.take(length)
                if got != 15:  # events are not asked about here
                    return data.rstrip(b"\0").decode(errors="replace")
        except (ConnectionError, BrokenPipeError):
            return "gone"

    def read(self, path):
        return self.ask(READ, path)

    def write(self, path, value):
        return self.ask(WRITE, path, raw=value.encode())


def becoming(uid, *gids):
    """A client of that user with these groups: the kernel notes them when it connects."""
    gid = gids[0] if gids else uid
    os.setgroups(list(gids))
    os.setegid(gid)
    os.seteuid(uid)
    try:
        return Client()
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups([])


def start(*options, files=None):
    """@files: so many descriptors the daemon may have."""
    child = subprocess.Popen([sys.argv[1], "-N", "-D", "--run-dir", DIR / "run", "--state-dir", DIR / "state",
                              "--user", "65534", *options], stderr=subprocess.PIPE, text=True,
                             preexec_fn=files and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))))
    for line in child.stderr:
        if "serving" in line:
            break
    PATH.chmod(0o666)
    return child


def end(child):
    child.send_signal(signal.SIGTERM)
    child.wait(60)


def table(root, **rows):
    for name, value in rows.items():
        kind, number = name.rsplit("_", 1)
        claim(f"{kind} {number} is made {value}", "OK", root.write(f"/config/access/{kind}/{number}", value))


def owners(root):
    table(root, **{f"user_{ALICE}": "40001", f"user_{BOB}": "40002", f"group_{WEB}": "40100",
                   f"group_{OPS}": "read", f"group_{LOCKED}": "none", f"user_{DAVE}": "none"})
    for path, perms in [("/alice", ("n40001",)), ("/web", ("n0", "b40100")), ("/secret", ("n0",)),
                        ("/bobs", ("n40002", "r40001"))]:
        root.write(path, "x")
        claim(f"{path} gets {perms}", "OK", root.ask(SET_PERMS, path, *perms))
    alice, bob, web = becoming(ALICE), becoming(BOB), becoming(CAROL, CAROL, WEB)
    claim("who owns a node writes it", "OK", alice.write("/alice/colour", "blue"))
    claim("what is made below is its own", "n40001", alice.ask(GET_PERMS, "/alice/colour"))
    claim("another one does not see it", "EACCES", bob.read("/alice/colour"))
    claim("an entry lets read", "x", alice.read("/bobs"))
    claim("and no more", "EACCES", alice.write("/bobs", "y"))
    claim("a group's number counts for who is in it", "OK", web.write("/web", "y"))
    claim("and for nobody else", "EACCES", bob.write("/web", "z"))
    claim("user and group add up", ("OK", "y"), (becoming(ALICE, WEB).write("/alice/z", "1"), becoming(ALICE, WEB).read("/web")))
    claim("who may read may read all", "x", becoming(CAROL, OPS).read("/secret"))
    claim("but change nothing", "EROFS", becoming(CAROL, OPS).write("/web", "q"))
    claim("nor what is open to everybody", "EROFS", open_to_all(root, becoming(CAROL, OPS)))
    claim("reading is added to a number", ("x", "OK"), (becoming(ALICE, OPS).read("/secret"), becoming(ALICE, OPS).write("/alice/r", "1")))
    claim("one who is refused gets nothing", "EACCES", becoming(DAVE).read("/"))
    claim("whatever the groups give", "EACCES", becoming(DAVE, OPS, WEB).read("/"))
    claim("a group that is refused alone", "EACCES", becoming(CAROL, LOCKED).read("/"))
    claim("root may do everything", "x", root.read("/secret"))
    claim("a number of nobody's is no owner", "ENOENT", root.ask(SET_PERMS, "/alice", "n40077"))
    claim("one that Xen reserves neither", "EINVAL", root.ask(SET_PERMS, "/alice", "n32760"))


def open_to_all(root, client):
    root.write("/open", "x")
    root.ask(SET_PERMS, "/open", "b0")
    return client.write("/open", "y")


def attacks(root):
    """Whoever is not domain 0 tries to be."""
    root.write("/config/mine", "x")
    for path in "/config", "/config/access", f"/config/access/user/{ALICE}":
        root.ask(SET_PERMS, path, "n40001")  # an administrator's mistake
    alice = becoming(ALICE)
    own, tx = f"/config/access/user/{ALICE}", alice.ask(START)
    tries = {
        "makes itself domain 0": alice.write(own, "all"),
        "in a transaction": alice.ask(WRITE, own, tx=int(tx), raw=b"all"),
        "writes somebody else's row": alice.write(f"/config/access/user/{BOB}", "none"),
        "takes the table away": alice.ask(RM, "/config/access"),
        "and what it is in": alice.ask(RM, "/config"),
        "and that in a transaction": alice.ask(RM, "/config", tx=int(tx)),
        "a row away": alice.ask(RM, f"/config/access/user/{DAVE}"),
        "opens the table": alice.ask(SET_PERMS, "/config/access", "b40001"),
        "by a longer name": alice.write("/config/access/user/../user", "all"),
        "adds a row": alice.ask(MKDIR, "/config/access/group/1"),
    }
    for text, got in tries.items():
        claim(f"refused: {text}", True, got in ("EACCES", "EINVAL"))
        if got not in ("EACCES", "EINVAL"):
            print("#", text, got)
    for kind, words in (CONTROL, ("help",)), (INTRODUCE, ("3", "1", "1")), (SET_TARGET, ("40001", "0")):
        claim(f"refused: request {kind} of domain 0", "EACCES", alice.ask(kind, *words))
    claim("refused: to give a node away", "EPERM", alice.ask(SET_PERMS, "/alice", "n0"))
    claim("what is not the table it may write", "OK", alice.write("/config/mine2", "1"))
    claim("the table is as it was", "40001", root.read(own))
    for path in "/config", "/config/access", own:
        root.ask(SET_PERMS, path, "n0")
    refused = None
    for i in range(100000):
        refused = alice.write(f"/alice/n/{i}", "1")
        if refused != "OK":
            break
    claim("it fills its own quota and no more", ("ENOSPC", "OK"), (refused, becoming(BOB).write("/bobs/still", "1")))
    claim("which holds on another connection", "ENOSPC", becoming(ALICE).write("/alice/n/more", "1"))


def crowds(root):
    many = [becoming(DAVE) for _ in range(80)]
    got = [c.read("/") for c in many]
    claim("one who is refused keeps so many connections", (64, 16), (got.count("EACCES"), got.count("gone")))
    for c in many:
        c.close()
    many = [becoming(ALICE) for _ in range(80)]
    claim("and so does one who is not", 64, [c.read("/alice/colour") for c in many].count("blue"))
    claim("others come in", ("x", "x"), (becoming(BOB).read("/bobs"), Client().read("/secret")))
    for c in many:
        c.close()
    got = "gone"
    until = time.monotonic() + 60
    while got == "gone" and time.monotonic() < until:
        got = becoming(ALICE).read("/alice/colour")
    claim("and it does again", "blue", got)


def too_many():
    """Who has as many connections as it may, and comes again and again, holds none of the daemon's descriptors."""
    child = start("--others", "none", files=256)
    many = [becoming(DAVE) for _ in range(64 + 400)]
    claim("root comes in behind who is one too many", "", Client().read("/"))
    for c in many:
        c.close()
    child.send_signal(signal.SIGTERM)
    claim("who finds as many descriptors as before", 0, child.communicate(timeout=60)[1].count("cannot accept more clients"))
    shutil.rmtree(DIR / "run")


def until(client, refused, ask, most):
    """How many of @ask(i) are answered before one is @refused; beyond @most it is not asked."""
    for i in range(most + 1):
        got = ask(client, i)
        if got == refused:
            return i
    return f"more than {most}: {got}"


def watch(client, i):
    return client.ask(WATCH, "/any", f"token {i}")


def begin(client, _):
    return "OK" if client.ask(START).isdigit() else "refused"


def feed(client, _):
    """Its first answer is the beginning of a stream."""
    return "ENOSPC" if client.ask(CONTROL, "feed", "/any") == "ENOSPC" else "OK"


def held():
    """What connections hold is their user's, who has no number of its own too, and bounded."""
    child = start("--others", "none", "--persist", "/config")
    root = Client()
    root.write("/any", "x")
    table(root, **{f"group_{OPS}": "read", f"user_{ALICE}": "all"})
    carol, bob = becoming(CAROL, OPS), becoming(BOB, OPS)
    claim("who has no number has so many watches", 128, until(carol, "E2BIG", watch, 200))
    claim("on all its connections", "E2BIG", watch(becoming(CAROL, OPS), 1))
    claim("and so many transactions", 10, until(carol, "refused", begin, 20))
    claim("another one who has none has its own", ("OK", "OK"), (watch(bob, 1), begin(bob, 1)))
    begin(bob, 1)
    got = until(bob, "ENOMEM", lambda c, i: c.ask(READ, f"/{i}" + "n" * 1900, tx=1 + i % 2), 2000)
    claim("one's transactions are bounded in memory", True, got in range(1000, 1300))
    claim("and take none of another one's", "ENOENT", carol.ask(READ, "/" + "n" * 1900, tx=1))
    alice = becoming(ALICE)
    claim("who may do everything has so many watches", 16384, until(alice, "E2BIG", watch, 20000))
    claim("transactions", 256, until(alice, "refused", begin, 300))
    claim("bytes in them", True, isinstance(until(alice, "ENOMEM", lambda c, i: c.ask(
        READ, f"/{i}/" + "n" * 2900, tx=1), 30000), int))
    many = [becoming(ALICE) for _ in range(20)]
    claim("streams", ["OK"] * 16 + ["ENOSPC"] * 4, [feed(c, 0) for c in many])
    claim("root has as many as it likes", ("OK", "OK", "OK"), (watch(root, 1), begin(root, 1), feed(Client(), 1)))
    many[0].close()
    claim("what is ended counts no more", "OK", comes_true("OK", lambda: feed(many[19], 0)))
    claim("it is all as it is counted", "OK", root.ask(CONTROL, "check"))
    for c in many:
        c.close()
    alice.close()
    claim("so is what is left", "OK", comes_true("OK", lambda: watch(becoming(ALICE), 1)))
    claim("and counted", "OK", root.ask(CONTROL, "check"))
    unread(root)
    lost_sessions()
    bonds()
    many = [becoming(ALICE) for _ in range(300)]
    claim("connections", 256, sum(c.read("/any") == "x" for c in many))
    claim("others come in beside them", ("x", "x"), (becoming(BOB, OPS).read("/any"), Client().read("/any")))
    end(child)
    shutil.rmtree(DIR / "run")


def comes_true(wanted, ask):
    """The daemon learns of an end when it comes to it."""
    deadline = time.monotonic() + 60
    got = ask()
    while got != wanted and time.monotonic() < deadline:
        got = ask()
    return got


def unread(root):
    """Answers that nobody reads: about 16 MiB each."""
    for i in range(4096):
        root.write(f"/long/{i}", "v" * 4000)
    many = [becoming(ALICE) for _ in range(12)]
    got = []
    for c in many:
        # its head alone; the daemon has made the whole by then
        c.sock.sendall(struct.pack("<IIII", CONTROL, 7, 0, 11) + b"dump\0/long\0")
        kind, _, _, length = struct.unpack("<IIII", c.take(16))
        got.append(c.take(length).rstrip(b"\0").decode() if kind == ERROR else "begun")
    claim("so much may be unread", (True, "EBUSY"), (3 <= got.count("begun") <= 6, got[-1]))
    claim("which is nobody else's trouble", True, Client().ask(CONTROL, "dump", "/any") != "EBUSY")
    for c in many:
        c.close()
    claim("and is over with it", False, comes_true(False, lambda: dump_is_busy()))


def lost_sessions():
    """Who breaks the protocol loses its connection, and leaves a session; root's is there still."""
    own, mine = Client(), f"{7:032x}"
    claim("root has a session", "new", own.ask(CONTROL, "session", mine))
    broken(own)
    for i in range(1100):
        alice = becoming(ALICE)
        alice.ask(CONTROL, "session", f"{i + 100:032x}")
        broken(alice)
    got = Client().ask(CONTROL, "session", mine)
    claim("others that lose theirs do not end it", "0 0", got)
    got = becoming(ALICE).ask(CONTROL, "session", f"{100:032x}")
    claim("but their own first ones", "new", got)


def broken(client):
    """A message longer than there is one; and the end is the daemon's."""
    client.sock.sendall(struct.pack("<IIII", READ, 7, 0, 5000))
    while client.sock.recv(4096):
        pass
    client.close()


def bonds():
    alice = becoming(ALICE)
    nr = until(alice, "ENOSPC", lambda c, i: "OK" if c.ask(
        CONTROL, "bind", f"/any/{i}", "x", "86400000") == "not held" else "ENOSPC", 5000)
    claim("bonds are left for root", (3072, "not held"), (nr, Client().ask(CONTROL, "bind", "/any/root", "x", "86400000")))


def dump_is_busy():
    c = becoming(ALICE)
    got = c.ask(CONTROL, "dump", "/any")
    c.close()
    return got == "EBUSY"


def felt_at_once(root):
    alice, bob, before = becoming(ALICE), becoming(BOB), becoming(CAROL, OPS)
    alice.read("/alice"), bob.read("/bobs"), before.read("/secret")
    table(root, **{f"user_{ALICE}": "none"})
    claim("who lost its rights is hung up on", "gone", alice.read("/alice"))
    claim("and refused when it comes back", "EACCES", becoming(ALICE).read("/alice"))
    claim("others do not notice", ("x", "x"), (bob.read("/bobs"), before.read("/secret")))
    table(root, **{f"user_{ALICE}": "all"})
    claim("who is made as domain 0 is", "x", becoming(ALICE).read("/secret"))
    claim("a row that says nothing", "OK", root.write(f"/config/access/user/{ALICE}", "everything"))
    claim("gives nothing", "EACCES", becoming(ALICE).read("/alice"))
    claim("nor one that says another nothing", "OK", root.write(f"/config/access/user/{ALICE}", "nothing"))
    claim("however often it is asked", {"EACCES"}, {becoming(ALICE).read("/alice") for _ in range(9)})
    claim("rows go", "OK", root.ask(RM, "/config/access/group"))
    claim("with what they gave", "gone", before.read("/secret"))
    table(root, **{f"user_{ALICE}": "40001", f"group_{OPS}": "read"})


def after_restart(root, child):
    claim("what somebody has is counted on", "ENOSPC", becoming(ALICE).write("/alice/n/again", "1"))
    child.kill()
    child.wait()
    claim("a row that says nothing is told of once for each change of it", [f"/config/access/user/{ALICE}"] * 2,
          [line.split(": ")[2] for line in child.stderr if "not all, read, none" in line])
    child = start("--others", "none", "--entry-nb", "300", "--persist", "/")
    root = Client()
    claim("after a crash the owner is who it was", "blue", becoming(ALICE).read("/alice/colour"))
    claim("and its quota as full", "ENOSPC", becoming(ALICE).write("/alice/n/again", "1"))
    claim("others are what --others says", "EACCES", becoming(CAROL).read("/web"))
    end(child)
    shutil.rmtree(DIR / "run")
    child = start("--others", "read", "--persist", "/")
    root = Client()
    claim("after a boot the table is there", "40001", root.read(f"/config/access/user/{ALICE}"))
    root.write("/alice2", "1")
    claim("and its numbers count", "OK", root.ask(SET_PERMS, "/alice2", "n40001"))
    claim("others are what --others says now", "OK", root.write("/secret", "x") and "OK")
    claim("they read", "x", becoming(CAROL).read("/secret"))
    claim("and do not write", "EROFS", becoming(CAROL).write("/secret", "y"))
    end(child)
    bad = subprocess.run([sys.argv[1], "--others", "some"], capture_output=True, text=True)
    claim("--others takes what it knows", (2, True), (bad.returncode, "--help" in bad.stderr))


def main():
    DIR.chmod(0o755)
    too_many()
    held()
    child = start("--entry-nb", "300", "--persist", "/")
    root = Client()
    claim("without a table everybody who may connect may do everything", "OK", becoming(CAROL).write("/any", "1"))
    owners(root)
    attacks(root)
    crowds(root)
    felt_at_once(root)
    after_restart(root, child)
    shutil.rmtree(DIR)
    return failed > 0


sys.exit(main())
