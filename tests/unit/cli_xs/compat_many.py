#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generated command lines of the xenstore tools, each run as ours and as Debian's on the same daemon: output, messages,
exit status and the store afterwards must be the same. compat_many.py XS SEED COUNT; XENSTORED_PATH names the daemon.
Prints TAP lines; the first difference of each kind is shown."""
import os
import random
import subprocess
import sys

xs, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
r = random.Random(seed)
DEBIAN = "/usr/bin/"
TREE = {
    "/t/a": "hello", "/t/b": "two\nlines", "/t/c": "", "/t/dir/x": "1", "/t/dir/y/z": "2", "/t/long": "7" * 200,
    "/t/odd": "tab\\tcr\\rnul\\000one\\001high\\xffbs\\\\", "/t/with@at_and-dash": "v", "/t/dir/e/m/p/t/y": "",
}
PATHS = [*TREE, "/t", "/", "/t/dir", "/t/dir/y", "/nothing", "/nothing/x", "/t/new", "/t/new/deep/er", "t/a", "a", "",
         "//t", "/t/a/", "/t//a", "/t/a b", "/t/ä", "@introduceDomain", "@other", "/" + "p" * 3000, "/t/" + "q" * 3100]
VALUES = ["", "1", "two words", "line\nbreak", "a\\tb", "a\\nb", "\\x41\\x4", "\\101\\8", "\\", "\\\\", "q\\q", "x" * 4000,
          "x" * 5000, "ä", "-n", "--", "\\000end", "\\400", "\\xzz", "'quoted\"", "%s%n"]
PERMS = ["n0", "r0", "w0", "b0", "x0", "n", "0", "n-1", "n99999", "n0x", "", "N0"]


def pick(options, p=0.35):
    return [o for o in options if r.random() < p]


def some(pool, low, high):
    return [r.choice(pool) for _ in range(r.randint(low, high))]


def pairs():
    words = [w for _ in range(r.randint(1, 3)) for w in (r.choice(PATHS), r.choice(VALUES))]
    return words[:-1] if r.random() < 0.1 else words


def line():
    tool = r.choice(["ls", "list", "read", "write", "rm", "exists", "chmod", "watch", "ls", "write", "read"])
    odd = pick(["-h", "-z", "--nonsense", "-s", "-n"], 0.04)
    args = {
        "ls": lambda: pick(["-f", "-p", "--flat", "--prefix"], 0.2) + some(PATHS, 0, 2),
        "list": lambda: pick(["-p"]) + some(PATHS, 0, 3),
        "read": lambda: pick(["-p", "-R"]) + some(PATHS, 0, 3),
        "write": lambda: pick(["-R"], 0.2) + pairs(),
        "rm": lambda: pick(["-t"]) + some(PATHS, 0, 3),
        "exists": lambda: some(PATHS, 0, 3),
        "chmod": lambda: pick(["-r", "-u"]) + some(PATHS, 0, 1) + some(PERMS, 0, 3),
        "watch": lambda: ["-n", r.choice(["0", "1", "x", "-1"])] + some([p for p in PATHS if p != "@introduceDomain"], 0, 1),
    }[tool]()
    if r.random() < 0.2:
        return ["xenstore", tool] + odd + args
    return ["xenstore-" + tool] + odd + args


patience = 3  # who has said nothing more for so long does not end


def run(name, args):
    """name: the program's file; args[0]: what it is called."""
    try:
        p = subprocess.run(args, executable=name, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience, check=False)
        return p.returncode, p.stdout, p.stderr
    except subprocess.TimeoutExpired as e:
        return "no end", e.stdout or b"", e.stderr or b""


def debian(tool, *args):
    return run(DEBIAN + tool, [tool, *args])


def reset():
    # one by one: several are one transaction, which fails as a whole
    for path in ("/t", "/nothing", "t", "a", "/" + "p" * 3000):
        debian("xenstore-rm", path)
    debian("xenstore-write", *[w for pair in TREE.items() for w in pair])
    debian("xenstore-chmod", "/t/dir", "n0", "r0", "w0", "b0")


def side(name, args):
    result = run(name, args)
    changes = any(w in args[0] + " " + args[1] for w in ("write", "rm", "chmod")) if len(args) > 1 else False
    # lines in order of paths: directories list in order of creation, which an earlier line of this run may have set
    dump = debian("xenstore-ls", "-f", "-p", "/")[1] if changes else b""
    store = b"".join(sorted(line for line in dump.splitlines(True) if not line.startswith(b"/local")))
    local = b"".join(line for line in dump.splitlines(True) if line.startswith(b"/local/domain/0/"))
    if changes:
        reset()
    return (*result, store + local)


def both(args):
    """Where only one comes to its end, the other may not have come to run: it is given much longer."""
    global patience
    sides = side(xs, args), side(DEBIAN + args[0], args)
    if sides[0] != sides[1] and "no end" in (sides[0][0], sides[1][0]):
        patience = 60
        sides = side(xs, args), side(DEBIAN + args[0], args)
        patience = 3
    return sides


def main():
    reset()
    bad = 0
    for i in range(count):
        args = line()
        if any("\0" in a for a in args):
            continue
        ours, theirs = both(args)
        text = " ".join(a if len(a) < 60 else a[:20] + f"...({len(a)})" for a in args).replace("\n", "\\n")
        if ours == theirs:
            print(f"ok {i + 1} - {text}")
            continue
        bad += 1
        print(f"not ok {i + 1} - {text}")
        for what, o, t in zip(("status", "output", "errors", "store"), ours, theirs):
            if o != t:
                print(f"# {what}: ours {o!r:.300}\n# {what}: Debian's {t!r:.300}")
    print(f"# seed {seed}")
    print(f"1..{count}")
    sys.exit(1 if bad else 0)


os.environ.pop("LD_LIBRARY_PATH", None)
main()
