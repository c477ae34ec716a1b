#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""move.py XENSTORED XM XS XEND_FAKE [--long] - two hosts, each with its own store and the real xend on
a machine in memory, and a guest that moves between them with the real xm while something is killed or
cut: whatever it is and whenever, the guest never runs twice, is never lost, and goes on with the
memory it had. Without --long a part of all the places where something can be killed."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

XENSTORED, XM, XS, XEND = (os.path.abspath(a) for a in sys.argv[1:5])
LONG = "--long" in sys.argv
TOP = pathlib.Path(tempfile.mkdtemp(prefix="xm-move."))
PATIENCE_S = int(os.environ.get("PATIENCE", "240"))

# hop HOST COMMAND...: what stands in for ssh. cut=BYTES: only so many bytes get there; hush=BYTES: only
# so many come back; then the line is dead.
HOP = """#!/usr/bin/env python3
import os, subprocess, sys, threading, time
top, host = %r, sys.argv[1]
env = dict(os.environ, XENSTORED_PATH=f"{top}/{host}/run/socket", STOREVISOR_CHANNEL_DIR=f"{top}/{host}/ch")
cut, hush = (int(os.environ.get(k, "-1")) for k in ("MOVE_CUT", "MOVE_HUSH"))
if cut < 0 and hush < 0:
    os.execvpe(sys.argv[2], sys.argv[2:], env)
p = subprocess.Popen(sys.argv[2:], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def copy(fr, to, left):
    while left:
        data = os.read(fr, 65536 if left < 0 else min(left, 65536))
        if not data:
            break
        os.write(to, data)
        left -= len(data) if left > 0 else 0
    if not left:
        while os.environ.get("MOVE_STAY"): # a line that is dead and says nothing
            time.sleep(1)
        p.kill() if os.environ.get("MOVE_KILL") else None
        os._exit(1)
    os.close(to)
threading.Thread(target=copy, args=(p.stdout.fileno(), 1, hush), daemon=True).start()
threading.Thread(target=copy, args=(0, p.stdin.fileno(), cut), daemon=True).start()
sys.exit(p.wait())
"""


class Host:
    def __init__(self, name):
        self.name, self.dir = name, TOP / name
        for sub in ("", "run", "state", "ch", "log"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        self.env = dict(os.environ, XENSTORED_PATH=f"{self.dir}/run/socket",
                        STOREVISOR_CHANNEL_DIR=f"{self.dir}/ch", STOREVISOR_NO_BRIDGES="1",
                        STOREVISOR_CONSOLE_LOG_DIR=f"{self.dir}/log",
                        PATH=f"{TOP}/bin:{os.environ['PATH']}")
        self.kernel = f"{self.dir}/kernel"
        self.told = self.deaths = 0
        self.boot()

    def boot(self):
        self.store = subprocess.Popen(
            [XENSTORED, "-D", "-N", "--run-dir", f"{self.dir}/run", "--state-dir", f"{self.dir}/state"],
            stdout=subprocess.DEVNULL, stderr=open(self.dir / "store.log", "a"), start_new_session=True)
        until(lambda: self.xs("exists", "/") is not None, "the store of " + self.name)
        self.xend = subprocess.Popen([XEND, self.kernel, "64"], env=self.env, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=open(self.dir / "xend.log", "a"),
                                     start_new_session=True)
        assert self.xend.stdout.readline() == b"ready\n"

    def crash(self):
        """The machine: store, manager and guests at once; what is not on the disk is gone."""
        for p in (self.xend, self.store):
            kill_all(p)
        with open(self.kernel + ".life", "a") as life:
            life.write(f"{time.monotonic_ns()} -- all 0\n")
        shutil.rmtree(self.dir / "run")
        (self.dir / "run").mkdir()

    def die_after(self, deeds):
        """Holds when it returns; how often the manager died before is in .deaths then."""
        self.told += 1
        line = f"{deeds} {self.told}\n".encode()
        self.xend.stdin.write(line)
        self.xend.stdin.flush()
        while (said := self.xend.stdout.readline()) != f"told {self.told}\n".encode():
            assert said, "the machine has ended"
            if said == b"ready\n": # whether the one before has read the line is not known
                self.deaths += 1
                self.xend.stdin.write(line)
                self.xend.stdin.flush()

    def xs(self, *args):
        p = subprocess.run([XS, *args], env=self.env, capture_output=True, text=True)
        return p.stdout.strip() if p.returncode == 0 else None

    def xm(self, *args, **env):
        return subprocess.run([f"{TOP}/bin/xm", *args], env=dict(self.env, **env), capture_output=True,
                              text=True, timeout=PATIENCE_S)

    def read(self, path):
        return self.xs("read", path)

    def has(self):
        return self.read("/status/domain/web/state") == "running" and not self.read(
            "/status/domain/web/handed")

    def end(self):
        for p in (self.xend, self.store):
            if p.poll() is None:
                kill_all(p)


def members(group):
    """The processes of a group that have not ended, whether somebody has waited for them or not."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError): # it has just ended
            continue
        if int(pgrp) == group and state not in "ZX":
            yield stat


def kill_all(leader):
    """With all it has started: nobody writes any more."""
    os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    until(lambda: not any(members(leader.pid)), "the end of all of a group")


def until(fact, what):
    end = time.monotonic() + PATIENCE_S
    while not fact():
        if time.monotonic() > end:
            raise AssertionError(f"in vain: {what}")
        time.sleep(0.01)


def lives():
    """Both hosts' lines, in the order of their times."""
    lines = [(int(t), sign, host.name, uuid, int(number)) for host in HOSTS
             for t, sign, uuid, number in
             (line.split() for line in open(host.kernel + ".life"))]
    return sorted(lines)


def check_lives():
    """Never two at once; what goes on is what was suspended last."""
    where, last = None, None
    for t, sign, host, uuid, number in lives():
        if sign == "+":
            assert where in (None, host), f"runs on {where} and {host} at {t}"
            assert last in (None, number), f"goes on on {host} with memory of {number}, not {last}"
            where = host
        elif sign == "-" and where == host:
            where, last = None, number
        elif sign == "--" and where in (None, host): # suspended memory goes with its machine, too
            where, last = None, None


LIVE = ["--live", "--bandwidth=1", "--max-downtime=1"] # slow, so that there are rounds
# An ssh that neither answers nor ends, nor listens to SIGTERM.
STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"
options = []


def move(source, target, **env):
    return source.xm("migrate", *options, "-s", f"{TOP}/hop", "web", target.name, **env)


def console_of(host):
    """Lines that came with it of what it printed."""
    domid = host.read("/status/domain/web/domid")
    parts = [host.read(f"/local/domain/0/backend/console/{domid}/0/came/{n}") for n in range(8)]
    return "".join(p for p in parts if p).split("\\n")[:-1] # as xs shows it


def settled():
    return sum(h.has() for h in HOSTS) == 1 and not any(
        h.read(f"/config/domain/web/{k}") for h in HOSTS for k in ("moved", "arriving"))


def settle(what):
    """What a person does: the same command again, until it is known."""
    end = time.monotonic() + PATIENCE_S
    while not settled():
        for h in HOSTS:
            if h.read("/config/domain/web/moved"):
                move(h, OTHER[h])
            elif h.read("/status/domain/web/state") == "failed" and h.read("/config/domain/web/arriving"):
                h.xm("delete", "web")
        if time.monotonic() > end:
            for h in HOSTS:
                print(h.name, h.xs("tree", "/config"), h.xs("tree", "/status"))
            raise AssertionError(f"{what}: not settled")
        time.sleep(0.02)
    check_lives()
    return next(h for h in HOSTS if h.has())


n_claims = 0


def claim(text):
    global n_claims
    n_claims += 1
    print(f"ok {n_claims} - {text}", flush=True)


def only_child(pid):
    """0: it has none just now. Looked at one after the other, the last one and the next may both be seen."""
    while True:
        p = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
        pids = p.stdout.split()
        if len(pids) < 2:
            return int(pids[0]) if pids else 0


def child_of(host):
    """The manager's process; 0: there is none just now."""
    return only_child(host.xend.pid)


def reader_of(host):
    """The process that reads what arrives there; 0: there is none just now."""
    return only_child(child_of(host) or -1)


def every_kill(which, at):
    """Kills xend of one side at each deed until a move ends before it dies."""
    outcomes, n = {"moved": 0, "here": 0}, 1
    while True:
        host = at if which == "source" else OTHER[at]
        host.die_after(n)
        deaths = host.deaths
        move(at, OTHER[at])
        host.die_after(0)
        died = host.deaths > deaths
        now = settle(f"xend of the {which} killed at deed {n}")
        outcomes["here" if now is at else "moved"] += 1
        at = now
        if not died:
            return at, n - 1, outcomes
        n += 1 if LONG else 19


def every_cut(var, at, longest, step, **more):
    """The line is dead after so many bytes, in one direction: ssh is killed, or a host out of reach."""
    outcomes = {"moved": 0, "here": 0}
    for n in range(0, longest, step):
        move(at, OTHER[at], **{var: str(n)}, **more)
        now = settle(f"{var} {n}")
        outcomes["here" if now is at else "moved"] += 1
        at = now
    return at, outcomes


def settle_crash(what):
    """Somebody asks, and starts it again where its record is: on one host, and it runs there."""
    end = time.monotonic() + PATIENCE_S
    while not settled():
        for h in HOSTS:
            if h.read("/config/domain/web/moved"):
                move(h, OTHER[h])
            elif h.read("/config/domain/web/arriving"):
                h.xm("delete", "web")
            elif h.xs("exists", "/config/domain/web") is not None and not any(x.has() for x in HOSTS):
                h.xm("start", "web")
        assert time.monotonic() < end, f"{what}: not settled"
    check_lives()
    assert sum(h.xs("exists", "/config/domain/web") is not None for h in HOSTS) == 1, what
    return next(h for h in HOSTS if h.has())


def every_crash(which, at, deeds):
    outcomes = {"moved": 0, "here": 0}
    for n in deeds:
        host = at if which == "source" else OTHER[at]
        manager = child_of(host)
        host.die_after(n)
        p = subprocess.Popen([f"{TOP}/bin/xm", "migrate", "-s", f"{TOP}/hop", "web", OTHER[at].name],
                             env=at.env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: p.poll() is not None or child_of(host) != manager, "the move, or its end")
        host.crash()
        host.boot()
        if p.poll() is None and which == "source":
            p.kill()
        p.wait(PATIENCE_S)
        now = settle_crash(f"the machine of the {which} crashed at deed {n}")
        outcomes["here" if now is at else "moved"] += 1
        at = now
    return at, outcomes


def main():
    at, b = HOSTS
    (TOP / "disk.img").write_text("disk\n")
    (TOP / "web.cfg").write_text(
        f'name = "web"\nmemory = 4\nkernel = "{at.kernel}"\ndisk = [ "file:{TOP}/disk.img,xvda,w" ]\n'
        "vif = [ '' ]\ncpu_weight = 512\n")
    p = at.xm("create", f"{TOP}/web.cfg")
    assert p.returncode == 0, p.stderr
    until(lambda: at.read("/local/domain/1/control/feature-suspend") == "1", "a guest")
    claim("a guest on one of two hosts")

    lines = [f"what-it-prints-in-line-{n}" for n in range(1200)]
    (at.dir / "log/guest-web.log").write_text("\n".join(lines) + "\n\0")
    earlier = "what-an-earlier-one-of-its-name-printed\nand-its-last-words "
    (b.dir / "log/guest-web.log").write_text(earlier)
    past = [at.read(f"/history/domain/web/{n}") for n in at.xs("ls", "/history/domain/web").split()]
    p = move(at, b)
    assert p.returncode == 0 and p.stdout == "web runs on b\n", p
    here = [b.read(f"/history/domain/web/{n}") for n in b.xs("ls", "/history/domain/web").split()]
    assert past and here[:len(past)] == past and len(here) > len(past), (past, here)
    at = settle("a move")
    assert at is b and b.read("/config/domain/web/cpu_weight") == "512"
    assert HOSTS[0].xs("exists", "/config/domain/web") is None
    until(lambda: not b.xs("ls", "/config/move"), "the epoch is forgotten")
    came = console_of(at)
    assert len(came) > 400 and came == lines[-len(came):], (len(came), came[:3], came[-3:])
    claim("moved: with its record, its history and its console's last words, and the old host has nothing of it")
    for command in ("sched-credit", "-d", "web", "-w", "300", "-c", "70"), ("vcpu-pin", "web", "0", "1"):
        p = at.xm(*command)
        assert p.returncode == 0, p
    (b.dir / "log/guest-web.log").write_text(earlier + "its-first\nits-last\n\0")
    p = move(at, OTHER[at])
    assert p.returncode == 0, p
    at = settle("the way back")
    assert console_of(at) == ["its-first", "its-last"], console_of(at)
    share, pins = at.xm("sched-credit", "-d", "web").stdout, at.xm("vcpu-list", "web").stdout
    assert re.search(r"\b300 +70\b", share) and re.search(r"^web +\d+ +0 .* 1 */ *all *$", pins, re.M), (share, pins)
    claim("and back, with the weight, the cap and the CPUs that it was given meanwhile")
    claim("and without what an earlier one of its name had printed there")

    # Nothing of it is sent, and the guest runs, until its devices are there.
    other = OTHER[at]
    runs_since = len(lives())
    assert other.xs("write", "/test/hold", "1") is not None
    p = subprocess.Popen([f"{TOP}/bin/xm", "migrate", "-s", f"{TOP}/hop", "web", other.name], env=at.env)
    until(lambda: other.read("/status/domain/web/step") == "early", "the wait for its devices")
    assert at.read("/status/domain/web/move/phase") == "offered" and len(lives()) == runs_since
    assert other.xs("rm", "/test/hold") is not None
    assert p.wait(PATIENCE_S) == 0
    at = settle("a move to where devices come up slowly")
    assert at is other
    claim("it is not suspended before its devices are there")

    options[:] = LIVE
    for _ in range(2):
        p = move(at, OTHER[at])
        assert p.returncode == 0 and not p.stderr, p
        rounds = re.findall(r"web: (\d+) rounds; (\d+) KiB are left", (at.dir / "xend.log").read_text())
        assert int(rounds[-1][0]) >= 1 and int(rounds[-1][1]) == 12, rounds
        packed = re.findall(r"web: (\d+) KiB of its memory went packed, as (\d+)", (at.dir / "xend.log").read_text())
        assert packed and int(packed[-1][1]) < int(packed[-1][0]), packed
        at = settle("a live move")
    claim("live: in rounds, packed where the link is slow, and all it wrote is there")
    at.die_after(-1)
    p = move(at, OTHER[at])
    assert p.returncode == 0 and "it stood still while its memory was sent" in p.stderr, p
    at.die_after(-2)
    at = settle("a move of one that is not watched")
    claim("where the hypervisor cannot note what it writes, it stands still, and that is said")
    options[:] = ["-C", "/etc/xen/web"]
    p = move(at, OTHER[at])
    assert p.returncode == 0, p
    at = settle("a move with Ganeti's words")
    claim("the file that Ganeti names with -C is not needed: the record goes along")
    options[:] = []

    # The reader there hears of nothing, and so cannot tell that nobody sends any more.
    p = subprocess.Popen([f"{TOP}/bin/xm", "migrate", "-s", f"{TOP}/hop", "web", OTHER[at].name],
                         env=dict(at.env, MOVE_CUT="61000", MOVE_STAY="1"), stderr=subprocess.DEVNULL)
    until(lambda: reader_of(OTHER[at]), "a part of its memory is there")
    os.kill(reader_of(OTHER[at]), signal.SIGSTOP)
    os.kill(child_of(at), signal.SIGKILL)
    assert p.wait(PATIENCE_S) == 1
    assert settle("a move whose source died while its reader hung") is at
    claim("where the source is gone, what has begun to arrive ends, whatever reads it does")

    for command in "cat >/dev/null", STUBBORN: # neither ends nor answers
        p = subprocess.Popen([f"{TOP}/bin/xm", "migrate", "-s", "", "web", command], env=at.env,
                             stderr=subprocess.PIPE, text=True)
        until(lambda: at.read("/status/domain/web/move/phase") == "offered", "its progress is told")
        p.send_signal(signal.SIGINT)
        said = p.communicate(timeout=PATIENCE_S)[1]
        assert "interrupted" in said and "web runs here as before" in said, said
        until(lambda: at.xs("exists", "/status/domain/web/move") is None, "the end of it")
        settle("a cancelled move")
    claim("a move that is cancelled leaves the guest where it is, whatever ssh does, and that is said")

    p = at.xm("migrate", "--cancel", "web")
    assert p.returncode == 1 and "web is not being moved" in p.stderr, p
    for how in [], LIVE:
        p = subprocess.Popen([f"{TOP}/bin/xm", "migrate", *how, "-s", "", "web", "cat >/dev/null"], env=at.env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: at.read("/status/domain/web/move/phase") == "offered", "its progress is told")
        cancel = at.xm("migrate", "--cancel", "web")
        assert cancel.returncode == 0 and "web runs here as before" in cancel.stderr, cancel
        said = p.communicate(timeout=PATIENCE_S)
        assert p.returncode == 1 and not said[0] and "not moved: it was called off" in said[1], said
        settle("a move that was called off")
    claim("somebody else can call a move off, and both are told")

    other = OTHER[at]
    p = at.xm("migrate", "-s", "", "web", f"{TOP}/hop {other.name} xm migrate-receive; {STUBBORN}")
    assert p.returncode == 0 and p.stdout.startswith("web runs on ") and "does not end by itself" in p.stderr, p
    at = settle("a move by an ssh that does not end")
    assert at is other
    claim("an ssh that does not end when all is done keeps nobody waiting")

    # The answer to the hand-over does not come back, and somebody interrupts that.
    p = subprocess.Popen([f"{TOP}/bin/xm", "migrate", "-s", f"{TOP}/hop", "web", OTHER[at].name],
                         env=dict(at.env, MOVE_HUSH="1024", MOVE_STAY="1"), stderr=subprocess.PIPE, text=True)
    until(lambda: at.read("/config/domain/web/moved"), "the hand-over")
    cancel = subprocess.Popen([f"{TOP}/bin/xm", "migrate", "--cancel", "web"], env=at.env, stderr=subprocess.PIPE, text=True)
    until(lambda: any(at.read(f"/request/{i}/cancel") for i in (at.xs("ls", "/request") or "").split()), "the wish")
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=PATIENCE_S)[1]
    late = cancel.communicate(timeout=PATIENCE_S)[1]
    assert cancel.returncode == 1 and "was handed over already" in late, (cancel.returncode, late)
    assert "was handed over already; whether it runs on" in said, said
    at = settle("an interrupted hand-over")
    claim("who interrupts a hand-over is told what to do")

    # Ended before, while and after it could be told anything.
    for command in ("no-such-command-anywhere", "head -c 1 >/dev/null", "head -c 1000 >/dev/null"):
        p = at.xm("migrate", "-s", "", "web", command)
        assert p.returncode == 1 and "the connection to the other host was lost" in p.stderr, p
    other = OTHER[at]
    assert other.xs("write", "/host/hw_caps", ":".join(["00000000"] * 8)) is not None
    assert at.xs("write", "/config/domain/web/disk/0/target", "file:/no/such/image") is not None
    p = move(at, other)
    assert p.returncode == 1 and "its disk xvda, /no/such/image, is not reachable here" in p.stderr, p
    assert at.xs("write", "/config/domain/web/disk/0/target", f"file:{TOP}/disk.img") is not None
    assert at.xs("write", "/config/domain/web/disk/0/format", "qcow2") is not None
    p = move(at, other)
    assert p.returncode == 1 and "two hosts cannot have the same image open" in p.stderr, p
    assert at.xs("write", "/config/domain/web/disk/0/format", "raw") is not None
    assert other.xm("new", f"{TOP}/web.cfg").returncode == 0
    p = move(at, other)
    assert p.returncode == 1 and "there is a domain web here already" in p.stderr, p
    assert other.xm("delete", "web").returncode == 0
    until(lambda: other.xs("exists", "/status/domain/web") is None, "no domain there")
    settle("a refused move")
    claim("what cannot go there is refused beforehand, with the reason")

    for which in "source", "target":
        at, n, outcomes = every_kill(which, at)
        assert n > 10 and outcomes["moved"] and outcomes["here"], (n, outcomes)
        claim(f"xend of the {which} killed at each of {n} deeds: moved {outcomes['moved']} times, "
              f"stayed {outcomes['here']}")
    at, outcomes = every_cut("MOVE_CUT", at, 300000, 1500 if LONG else 61000)
    claim(f"the line to the target cut after so many bytes: moved {outcomes['moved']} times, stayed "
          f"{outcomes['here']}")
    at, outcomes = every_cut("MOVE_CUT", at, 120000, 29000, MOVE_KILL="1")
    claim(f"xm migrate-receive killed meanwhile: moved {outcomes['moved']} times, stayed "
          f"{outcomes['here']}")
    # ACCEPT, READY, RUNS: 512 bytes each
    at, outcomes = every_cut("MOVE_HUSH", at, 1600, 64 if LONG else 512)
    assert outcomes["moved"] and outcomes["here"], outcomes
    claim(f"the line to the source cut after so many bytes: moved {outcomes['moved']} times, stayed "
          f"{outcomes['here']}")


    assert at.xs("write", "/config/domain/web/persistent", "1") is not None
    for which in "source", "target":
        at, outcomes = every_crash(which, at, range(1, 400, 5) if LONG else range(20, 420, 90))
        claim(f"the machine of the {which} crashed at some deeds: moved {outcomes['moved']} times, "
              f"stayed {outcomes['here']}")


TOP.joinpath("bin").mkdir()
os.symlink(XM, TOP / "bin/xm")
os.symlink(XM, TOP / "bin/xl")
(TOP / "hop").write_text(HOP % str(TOP))
(TOP / "hop").chmod(0o755)
HOSTS = [Host("a"), Host("b")]
OTHER = {HOSTS[0]: HOSTS[1], HOSTS[1]: HOSTS[0]}
try:
    main()
    print(f"1..{n_claims}")
except BaseException:
    for h in HOSTS:
        print(f"# {h.name}: " + "\n# ".join((h.dir / "xend.log").read_text().splitlines()[-25:]))
    raise
finally:
    for h in HOSTS:
        h.end()
    shutil.rmtree(TOP) if not os.environ.get("KEEP") else print("#", TOP)
