#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peers.py BUILD DIR [--reps N] [--keys N]: what xs and xenstored cost beside etcdctl, redis-cli, dconf and consul, each with its
own commands and its own bulk way. Prints a line a measurement for peers_report.awk: class, row, unit, peer, figure; or
"-" and why there is none. DIR is on a disk, is made, and is gone at the end, also after a signal."""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PR_SET_PDEATHSIG = 1
MARK = "XS_BENCH_SERVER"
FEW = 2000
ETCD_OPS = 10000  # operations a transaction, instead of 128, so that a batch is not bound by etcdctl's start
ANSWER_S = 120
libc = ctypes.CDLL(None)


def dies_with_us():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def names(count):
    """Directory and key of each of @count keys, a hundred a directory."""
    return ((f"d{n // 100}", f"k{n % 100}") for n in range(count))


class Cannot(Exception):
    """Why a peer has no figure in a row."""


class Peer:
    """A server and the commands of its clients. A subclass says which; all keys are below the directory b."""
    needs = []

    def __init__(self, name, where):
        self.name, self.where, self.env, self.servers = name, where, dict(os.environ), []
        for program in self.needs:
            if not shutil.which(program):
                raise Cannot(f"no {program}")
        where.mkdir()

    def serve(self, argv, **more):
        log = open(self.where / "log", "ab")
        more.setdefault("stdout", log)
        env = dict(self.env, **{MARK: str(self.where)})
        server = subprocess.Popen(argv, env=env, stderr=log, stdin=subprocess.DEVNULL, cwd=self.where,
                                  preexec_fn=dies_with_us, **more)
        log.close()
        self.servers.append(server)
        return server

    def start(self):
        raise NotImplementedError

    def stop(self):
        """In order, so that what a peer writes at its end is there for the next start."""
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.wait(ANSWER_S)
        self.servers = []

    def kill(self):
        for server in self.servers:
            server.kill()
            server.wait()
        self.servers = []
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)

    def settle(self):
        """Until what was done before costs nothing any more."""

    def pids(self):
        """The servers, and what they started, which may have another parent by now: all with our mark."""
        found, mark = {server.pid for server in self.servers}, f"{MARK}={self.where}".encode()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.add(int(process.name))
            except OSError:  # has ended, or is somebody else's
                pass
        return found

    def resident(self):
        """Bytes: pages shared by two are counted once."""
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def await_write(self):
        """Until a first write is answered."""
        until = time.monotonic() + ANSWER_S
        while run(self, self.write("started", str(time.monotonic()))):
            if time.monotonic() > until or any(server.poll() is not None for server in self.servers):
                raise Cannot("does not start: " + (self.where / "log").read_text(errors="replace")[-200:].replace("\n", " "))
            time.sleep(0.002)


class Ours(Peer):
    """With --persist / a reply is sent when the change is on the disk. Room for one transaction of so many keys is
    allocated before there is anything, for more it need not be."""
    root, options, document = "/b", ["--persist", "/"], 10000

    def __init__(self, name, where, build, ram):
        super().__init__(name, where)
        self.xs, self.daemon = f"{build}/cli/xs/xs", f"{build}/xenstored/xenstored"
        self.ram = pathlib.Path(tempfile.mkdtemp(prefix="xs-peers.", dir=ram))
        self.env["XENSTORED_PATH"] = f"{self.ram}/socket"

    def start(self):
        self.serve([self.daemon, "-D", "-N", "--run-dir", str(self.ram), "--state-dir", str(self.where / "state"), *self.options])

    def kill(self):
        super().kill()
        shutil.rmtree(self.ram, ignore_errors=True)

    def write(self, key, value):
        return [self.xs, "write", f"{self.root}/{key}", value]

    def read(self, key):
        return [self.xs, "read", f"{self.root}/{key}"]

    def watch(self):
        return [self.xs, "watch", "--initial", "none", self.root]

    def bulk(self, count):
        """In documents of at most @document keys, each a transaction."""
        keys, parts = list(names(count)), []
        for begin in range(0, count, self.document):
            folders = {}
            for folder, key in keys[begin:begin + self.document]:
                folders.setdefault(folder, {})[key] = f"value {key}"
            for name in reversed(self.root.strip("/").split("/")):
                folders = {name: folders}
            parts.append(self.where / f"in-{count}-{begin}")
            parts[-1].write_text(json.dumps(folders))
        return ["sh", "-ec", 'xs=$0; for part; do "$xs" import -q "$part"; done', self.xs, *map(str, parts)]

    def export(self):
        return [self.xs, "export", self.root]

    def clear(self):
        """As much at a time as bulk() writes."""
        return ["sh", "-ec", 'xs=$0 root=$1; "$xs" list "$root" 2>/dev/null | sed "s|^|$root/|" | xargs -r -n 100 "$xs" rm -f', self.xs,
                self.root]

    def settle(self):
        until = time.monotonic() + ANSWER_S
        while "queued_changes 0\n" not in subprocess.run([self.xs, "stats"], env=self.env, capture_output=True, text=True).stdout:
            if time.monotonic() > until:
                raise Cannot("its queue does not become empty")
            time.sleep(0.01)

    def resident(self):
        """With the files on tmpfs, of which each page is counted once even when no process has it mapped."""
        shared = files = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss_Shmem:"):
                    shared += int(line.split()[1]) * 1024
        for path in self.ram.rglob("*"):
            files += path.lstat().st_blocks * 512
        return super().resident() - shared + max(shared, files)


class OursInMemory(Ours):
    """Below /tool, which is not kept: the files on tmpfs survive the daemon, not the boot."""
    root, options, document = "/tool/b", [], 1 << 20


class Etcd(Peer):
    """etcd syncs each revision."""
    needs = ["etcd", "etcdctl"]

    def __init__(self, name, where):
        super().__init__(name, where)
        self.env.update(ETCDCTL_API="3", ETCDCTL_ENDPOINTS="unix://client:0")

    def start(self):
        client, peer = "unix://client:0", "unix://peer:0"
        self.serve(["etcd", "--data-dir", str(self.where / "data"), "--listen-client-urls", client, "--advertise-client-urls", client,
                    "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
                    "--max-txn-ops", str(ETCD_OPS)])

    def write(self, key, value):
        return ["etcdctl", "put", f"b/{key}", value]

    def read(self, key):
        return ["etcdctl", "get", f"b/{key}"]

    def watch(self):
        return ["etcdctl", "watch", "--prefix", "b/"]

    def bulk(self, count):
        lines = [f'put b/{folder}/{key} "value {key}"\n' for folder, key in names(count)]
        parts = []
        for begin in range(0, count, ETCD_OPS):
            part = self.where / f"in-{count}-{begin}"
            part.write_text("\n" + "".join(lines[begin:begin + ETCD_OPS]) + "\n\n")
            parts.append(str(part))
        return ["sh", "-ec", 'for part; do etcdctl txn <"$part"; done', "sh", *parts]

    def export(self):
        return ["etcdctl", "get", "--prefix", "b/"]

    def clear(self):
        return ["etcdctl", "del", "--prefix", "b/"]


class Redis(Peer):
    """As Debian ships it: a dump now and then. With @always each reply waits for a sync. Its bulk is in transactions of as
    many keys as ours; piped() is without any: then others see half of it, and half of it is there when it fails."""
    needs = ["redis-server", "redis-cli"]
    options, document = [], OursInMemory.document

    def start(self):
        self.serve(["redis-server", "--port", "0", "--unixsocket", str(self.where / "socket"), "--dir", str(self.where),
                    "--notify-keyspace-events", "KEA", *self.options])

    def cli(self, *words):
        return ["redis-cli", "-s", str(self.where / "socket"), "-e", *words]

    def write(self, key, value):
        return self.cli("set", f"b/{key}", value)

    def read(self, key):
        return self.cli("get", f"b/{key}")

    def watch(self):
        return self.cli("--csv", "psubscribe", "__keyspace@0__:b/*")

    def sent(self, count, at_once):
        path = self.where / f"in-{count}-{at_once}"
        lines = [f'SET b/{folder}/{key} "value {key}"\r\n' for folder, key in names(count)]
        parts = ["".join(lines[begin:begin + at_once]) for begin in range(0, count, at_once)] if at_once else []
        path.write_text("".join(f"MULTI\r\n{part}EXEC\r\n" for part in parts) or "".join(lines))
        return ["sh", "-c", '"$@" <"$0"', str(path), *self.cli("--pipe")]

    def bulk(self, count):
        return self.sent(count, self.document)

    def piped(self, count):
        return self.sent(count, 0)

    def export(self):
        return ["sh", "-c", '"$@" --scan --pattern "b/*" | xargs -n 10000 "$@" mget', "sh", *self.cli()]

    def clear(self):
        return self.cli("flushall")


class RedisAlways(Redis):
    options, document = ["--appendonly", "yes", "--appendfsync", "always"], Ours.document


class Dconf(Peer):
    """dconf-service syncs the whole file, renames it, syncs again; strace showed it."""
    needs = ["dconf", "dbus-daemon"]

    def __init__(self, name, where):
        super().__init__(name, where)
        for variable in "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR":
            self.env[variable] = str(where / variable)
            (where / variable).mkdir(mode=0o700)

    def start(self):
        bus = self.serve(["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE)
        self.env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()

    def write(self, key, value):
        return ["dconf", "write", f"/b/{key}", f"'{value}'"]

    def read(self, key):
        return ["dconf", "read", f"/b/{key}"]

    def watch(self):
        return ["dconf", "watch", "/b/"]

    def bulk(self, count):
        path, now = self.where / f"in-{count}", None
        with path.open("w") as out:
            for folder, key in names(count):
                if folder != now:
                    out.write(f"[b/{folder}]\n")
                    now = folder
                out.write(f"{key}='value {key}'\n")
        return ["sh", "-c", 'dconf load / <"$0"', str(path)]

    def export(self):
        return ["dconf", "dump", "/b/"]

    def clear(self):
        return ["dconf", "reset", "-f", "/b/"]


def run(peer, argv):
    return subprocess.run(argv, env=peer.env, cwd=peer.where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL).returncode


def took(peer, argv, out=None):
    """Milliseconds that the command takes, and its last line when it fails."""
    with open(out or os.devnull, "wb") as stdout, open(peer.where / "err", "wb") as err:
        began = time.monotonic()
        status = subprocess.run(argv, env=peer.env, cwd=peer.where, stdout=stdout, stderr=err, stdin=subprocess.DEVNULL).returncode
        ms = (time.monotonic() - began) * 1000
    if status:
        said = (peer.where / "err").read_text(errors="replace").strip().splitlines() or ["nothing"]
        raise Cannot(f"{os.path.basename(argv[0])} ended with {status}: {said[-1][:120]}")
    return ms


class Watcher:
    """The watching command of a peer, and when its last line came."""

    def __init__(self, peer):
        self.peer, self.line, self.at, self.number = peer, threading.Event(), 0, 0
        self.child = subprocess.Popen(peer.watch(), env=peer.env, cwd=peer.where, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      stdin=subprocess.DEVNULL, preexec_fn=dies_with_us)
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()

    def follow(self):
        for line in self.child.stdout:
            if f"seen{self.number}".encode() in line:
                self.at = time.monotonic()
                self.line.set()

    def sample(self, wait):
        """From the start of a writing command to the watcher's line that names its key; None when it does not come."""
        self.line.clear()
        self.number += 1
        argv = self.peer.write(f"seen{self.number}", "new")
        began = time.monotonic()
        status = run(self.peer, argv)
        if status or not self.line.wait(wait):
            return None
        return (self.at - began) * 1000

    def end(self):
        self.child.kill()
        self.child.wait()


class Bench:
    def __init__(self, reps, keys):
        self.reps, self.keys, self.peers, self.out = reps, keys, [], set()

    def say(self, kind, row, unit, peer, figure):
        print(kind, row, unit, peer, figure, sep="\t", flush=True)

    def row(self, row, unit, times, figure):
        """@figure(peer) of each, in turns, so that all have the same moments. None: the row is not about that peer."""
        for _ in range(times):
            for kind, peer in self.peers:
                if (peer, row) in self.out:
                    continue
                try:
                    what = figure(peer)
                    if what is not None:
                        self.say(kind, row, unit, peer.name, f"{what:.4f}")
                except Cannot as why:
                    self.out.add((peer, row))
                    self.say(kind, row, unit, peer.name, f"- {why}")

    def began(self, peer):
        peer.stop()
        began = time.monotonic()
        peer.start()
        peer.await_write()
        return (time.monotonic() - began) * 1000

    def piped(self, peer, count):
        """Redis without transactions beside ours, which knows nothing else."""
        if hasattr(peer, "piped"):
            return self.loaded(peer, count, peer.piped(count))
        return self.loaded(peer, count) if isinstance(peer, Ours) else None

    def loaded(self, peer, count, argv=None):
        argv = argv or peer.bulk(count)
        took(peer, peer.clear())
        peer.settle()
        return took(peer, argv)

    def exported(self, peer, count):
        ms = took(peer, peer.export(), peer.where / "out")
        got = (peer.where / "out").read_bytes().count(b"value k")
        if got != count:
            raise Cannot(f"{got} of {count} keys came out")
        return ms

    def watched(self, watchers, peer):
        if peer not in watchers:
            watchers[peer] = Watcher(peer)
            until = time.monotonic() + ANSWER_S
            while watchers[peer].sample(0.2) is None:
                if time.monotonic() > until:
                    raise Cannot("its watcher says nothing")
        ms = watchers[peer].sample(ANSWER_S)
        if ms is None:
            raise Cannot("a change was not told")
        return ms

    def all_rows(self):
        several, many = 4 * self.reps + 1, self.keys
        number = iter(range(1 << 30))
        self.row("start, nothing in it", "ms", self.reps, self.began)
        self.row(f"{FEW} keys in", "ms", self.reps, lambda peer: self.loaded(peer, FEW))
        self.row(f"{FEW} keys in, Redis piped", "ms", self.reps, lambda peer: self.piped(peer, FEW))
        self.row(f"{FEW} keys out", "ms", self.reps, lambda peer: self.exported(peer, FEW))
        self.row("write one key", "ms", several, lambda peer: took(peer, peer.write("one", f"new {next(number)}")))
        self.row("read one key", "ms", several, lambda peer: took(peer, peer.read("d0/k7")))
        watchers = {}
        try:
            self.row("write to the watcher's line", "ms", several, lambda peer: self.watched(watchers, peer))
        finally:
            for watcher in watchers.values():
                watcher.end()
        # loaded once, so that what others keep no history of has little here
        self.row(f"{many} keys in", "ms", 1, lambda peer: self.loaded(peer, many))
        self.row(f"{many} keys out", "ms", self.reps, lambda peer: self.exported(peer, many))
        self.row(f"memory, {many} keys in it", "MB", 1, lambda peer: peer.resident() / 1e6)
        self.row(f"start, {many} keys in it", "ms", self.reps, self.began)
        self.row("memory, after a start", "MB", 1, lambda peer: peer.resident() / 1e6)
        self.row(f"{many} keys in", "ms", self.reps - 1, lambda peer: self.loaded(peer, many))
        self.row(f"{many} keys in, Redis piped", "ms", self.reps, lambda peer: self.piped(peer, many))


def main(argv):
    build, where, options = argv[0], pathlib.Path(argv[1]), dict(zip(argv[2::2], argv[3::2]))
    ram = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    bench = Bench(int(options.get("--reps", 5)), int(options.get("--keys", 100000)))
    made = []
    for end in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(end, lambda number, frame: sys.exit(128 + number))
    where.mkdir()
    try:
        for kind, name, make in (
                ("disk", "ours", lambda name, at: Ours(name, at, build, ram)), ("disk", "etcdctl", Etcd),
                ("disk", "redis-cli", RedisAlways), ("disk", "dconf", Dconf),
                ("memory", "ours", lambda name, at: OursInMemory(name, at, build, ram)), ("memory", "redis-cli", Redis)):
            try:
                peer = make(name, where / f"{kind}-{name}")
                made.append(peer)
                peer.start()
                peer.await_write()
                bench.peers.append((kind, peer))
            except Cannot as why:
                bench.say(kind, "all", "", name, f"- {why}")
        bench.all_rows()
        bench.say("disk", "all", "", "consul", "- not in Debian 12")
    finally:
        for end in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            signal.signal(end, signal.SIG_IGN)
        for peer in made:
            peer.kill()
        shutil.rmtree(where, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
