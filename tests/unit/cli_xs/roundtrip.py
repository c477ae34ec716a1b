#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Export, import, export gives the same bytes: over random trees with binary values, permissions, names that begin
with @, lists and empty nodes. roundtrip.py XS SEED ROUNDS; XENSTORED_PATH names the store. Prints what differs."""
import base64
import json
import random
import subprocess
import sys

xs, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
r = random.Random(seed)
CHARS = "abcXYZ019-_@"


def run(*args, text=None):
    p = subprocess.run([xs, *args], input=text, capture_output=True, check=False)
    if p.returncode:
        sys.exit(f"seed {seed}: xs {' '.join(args)}: {p.stderr.decode(errors='replace')}")
    return p.stdout


def value():
    kind = r.randrange(6)
    if kind == 0:
        return ""
    if kind == 1:
        return r.randrange(1 << 40)
    if kind == 2:
        return {"@b64": base64.b64encode(r.randbytes(r.randrange(1, 300))).decode()}
    if kind == 3:
        return "".join(chr(r.choice([9, 10, 34, 47, 92, 228, 0x20AC, 0x1F600, 65])) for _ in range(r.randrange(30)))
    if kind == 4:
        return r.choice([True, False])
    return "v" * r.randrange(1000)


def perms():
    return ["n0"] + [r.choice("nrwb") + str(r.randrange(1)) for _ in range(r.randrange(3))]


def node(depth):
    if depth == 0 or r.random() < 0.3:
        return value()
    if r.random() < 0.1:
        return [node(depth - 1) for _ in range(r.randrange(1, 12))]
    o = {}
    if r.random() < 0.5:
        o["@value"] = value()
    if r.random() < 0.5:
        o["@perms"] = perms()
    for _ in range(r.randrange(6)):
        name = "".join(r.choice(CHARS) for _ in range(r.randrange(1, 12)))
        o["@" + name if name[0] == "@" else name] = node(depth - 1)
    return o


for i in range(rounds):
    tree = node(5)
    # one in three under a path whose children the schema calls a list
    where = "/config/domain/p/disk" if i % 3 == 0 else "/p"
    doc = {"@value": "1", "top": tree} if i % 3 else {"@value": "", "x": value()}
    run("rm", "-f", where)
    run("import", "-q", "--at", where, "-", text=json.dumps(doc).encode())
    for form in (["--perms"], ["--exact"], []):
        before = run("export", "--exact", where) if form else run("export", where)
        one = run("export", *form, where)
        run("rm", where)
        run("import", "-q", "-", text=one)
        two = run("export", *form, where)
        after = run("export", "--exact", where) if form else run("export", where)
        if one != two or before != after:
            print(f"seed {seed}, round {i}, {form}: {where}")
