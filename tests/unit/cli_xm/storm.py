#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""storm.py XENSTORED XM XS XEND_FAKE [SEED [COMMANDS]] - commands at once on the same few domains, while the real
xend is killed again and again between any two of its deeds.

Whatever each of them is answered: it is answered, by 0 or 1, and when all have ended and every domain was destroyed
and deleted, nothing is left of any in the store or in the machine.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

xenstored, xm, xs, xend_fake = (os.path.realpath(p) for p in sys.argv[1:5])
seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
commands = int(sys.argv[6]) if len(sys.argv) > 6 else 1000 if os.environ.get("STOREVISOR_LONG") else 50
NAMES = ["a", "b", "c"]
PATIENCE = 240  # seconds: for a failing test to end

work = tempfile.mkdtemp(prefix="xm-storm.")
env = dict(os.environ, XENSTORED_PATH=f"{work}/run/socket", EDITOR="sed -i 's/^vcpus.*/vcpus = 1/'", TMPDIR=work)
wrong = []
count = 0


def claim(what, failed):
    global count
    count += 1
    print(f"{'not ok' if failed else 'ok'} {count} - {what}")
    for line in failed:
        print("#", line)


def run(program, *args):
    """The status and what was said; None: it did not end."""
    try:
        p = subprocess.run([program, *args], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None, ""
    return p.returncode, p.stdout.decode(errors="replace")


def until(what, fact):
    end = time.monotonic() + PATIENCE
    while not fact():
        if time.monotonic() > end:
            wrong.append(f"waited in vain: {what}")
            return False
        time.sleep(0.02)
    return True


def words(r):
    """A command of people."""
    name = r.choice(NAMES)
    return r.choice([
        ["create", "-q", f"{work}/web.cfg", f"name={name}"],
        ["create", "-q", "-p", f"{work}/web.cfg", f"name={name}"],
        ["new", "-q", f"{work}/web.cfg", f"name={name}"],
        ["start", "-q", name],
        ["destroy", name],
        ["shutdown", name],
        ["reboot", name],
        ["rename", name, r.choice(NAMES)],
        ["delete", name],
        ["block-attach", name, f"file:{work}/disk.img", "xvdb", "r"],
        ["block-detach", name, "xvdb"],
        ["save", name, f"{work}/{name}.save"],
        ["save", "-c", name, f"{work}/{name}.save"],
        ["restore", "-q", f"{work}/{name}.save"],
        ["pause", name],
        ["unpause", name],
        ["edit", name],
        ["mem-set", "-f", name, "12"],
        ["vcpu-set", name, "1"],
        ["sched-credit", "-d", name, "-w", str(r.randint(1, 500))],
        ["autostart", name, "off"],
        ["list", "-a"],
    ])


def worker(number):
    r = random.Random(seed * 100 + number)
    for _ in range(commands):
        line = words(r)
        status, said = run(xm, *line)
        if status not in (0, 1):
            wrong.append(f"xm {' '.join(line)}: {status}: {said}")


def killer(stop):
    """After some deeds more of xend's it is killed, and the next one begins."""
    r = random.Random(seed)
    while not stop.wait(r.random() / 3):
        xend.stdin.write(b"%d x\n" % r.randint(1, 80))
        xend.stdin.flush()


def left():
    """Names of what is listed still, after one try to end it."""
    names = [line.split()[0] for line in run(xm, "list", "-a")[1].split("\n")[1:] if line]
    for name in names[1:]:
        run(xm, "destroy", name)
        run(xm, "delete", name)
    return names[1:]


def below(path):
    return run(xs, "ls", path)[1].split()


os.makedirs(f"{work}/run")
os.makedirs(f"{work}/state")
with open(f"{work}/disk.img", "w", encoding="ascii") as f:
    f.write("x" * 512)
with open(f"{work}/web.cfg", "w", encoding="ascii") as f:
    f.write(f'name = "web"\nmemory = 16\nkernel = "{work}/kernel"\ndisk = [ "file:{work}/disk.img,xvda,w!" ]\n'
            'vif = [ "" ]\n')
store = subprocess.Popen([xenstored, "-D", "-N", "--run-dir", f"{work}/run", "--state-dir", f"{work}/state"], env=env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
xend = None
try:
    until("the store", lambda: run(xs, "exists", "/")[0] == 0)
    born = open(f"{work}/born", "wb")  # a line for each xend
    log = open(f"{work}/xend.log", "w", encoding="utf-8")
    xend = subprocess.Popen([xend_fake, f"{work}/kernel", "512"], env=env, stdin=subprocess.PIPE,
                            stdout=born, stderr=log)
    until("xend", lambda: run(xs, "exists", "/host/booted")[0] == 0 and os.path.exists(f"{work}/kernel"))
    stop = threading.Event()
    threads = [threading.Thread(target=worker, args=(i,)) for i in range(3)]
    kills = threading.Thread(target=killer, args=(stop,))
    for t in [*threads, kills]:
        t.start()
    for t in threads:
        t.join()
    stop.set()
    kills.join()
    xend.stdin.write(b"0 x\n")
    xend.stdin.flush()
    with open(f"{work}/born", encoding="ascii") as f:
        if len(f.readlines()) < 3:
            wrong.append("xend was not killed twice")
    claim("whoever asks is answered, whatever else is asked and whenever xend is killed", wrong)
    wrong = []
    until("all domains can be ended", lambda: not left())
    for path, stays in [("/config/domain", []), ("/status/domain", ["Domain-0"]), ("/local/domain", ["0"]),
                        ("/request", []), ("/local/domain/0/backend/vbd", []), ("/local/domain/0/backend/vif", [])]:
        until(f"{path} has {below(path)}, and is to have {stays}", lambda p=path, s=stays: below(p) == s)
    until(f"/vm has {below('/vm')}", lambda: len(below("/vm")) == 1)
    claim("and of what has ended nothing is left", wrong)
    if wrong:
        log.flush()
        with open(f"{work}/xend.log", encoding="utf-8", errors="replace") as f:
            print("# " + "# ".join(f.readlines()[-30:]))
finally:
    if xend:
        xend.stdin.close()
        xend.wait()
    store.terminate()
    store.wait()
    shutil.rmtree(work)
print(f"1..{count}")
