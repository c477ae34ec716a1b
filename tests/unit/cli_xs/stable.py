#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A JSON document that is imported comes out byte for byte as its sorted, indented source: numbers as they were written, true,
null, empty objects and lists included. stable.py XS SEED ROUNDS [FILE...]: random documents, then files; XENSTORED_PATH
names the store. Prints what differs."""
import json
import random
import subprocess
import sys

xs, seed, rounds, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
r = random.Random(seed)
AT = "/config/stable"
NAMES = "abcXYZ019-_@@24.e /äß€\n*="


class Number(str):
    """A number as it is written."""


def run(*args, text=None):
    p = subprocess.run([xs, *args], input=text, capture_output=True, check=False)
    if p.returncode:
        sys.exit(f"seed {seed}: xs {' '.join(args)}: {p.stderr.decode(errors='replace')}")
    return p.stdout


def string(s):
    short = {"\"": "\\\"", "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04X}" if ord(c) < 32 else c) for c in s) + '"'


def source(v, indent=""):
    """Sorted by bytes, indented by two."""
    deeper = indent + "  "
    if isinstance(v, Number):
        return str(v)
    if isinstance(v, str):
        return string(v)
    if isinstance(v, dict) and v:
        rows = [f"{deeper}{string(k)}: {source(v[k], deeper)}" for k in sorted(v, key=lambda k: k.encode())]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(v, list) and v:
        return "[\n" + ",\n".join(deeper + source(i, deeper) for i in v) + f"\n{indent}]"
    return json.dumps(v)


def number():
    return Number(r.choice(["", "-"]) + r.choice(["0", str(r.randrange(1, 10)), str(r.randrange(1, 10**30))]) +
                  r.choice(["", ".10", "." + str(r.randrange(10**18))]) +
                  r.choice(["", "", r.choice("eE") + r.choice(["", "+", "-"]) + str(r.randrange(r.choice([100, 400, 10**6])))]))


def text():
    return "".join(chr(r.choice([0, 1, 9, 10, 31, 34, 47, 92, 127, 228, 0x20AC, 0x1F600, 65, 48])) for _ in range(r.randrange(20)))


def value(depth):
    kind = r.randrange(10 if depth else 6)
    if kind > 5:
        if r.random() < 0.4:
            return [value(depth - 1) for _ in range(r.randrange(13))]
        return {name(): value(depth - 1) for _ in range(r.randrange(6))}
    return [None, True, False, text(), number(), str(number())][kind]


def name():
    s = "".join(r.choice(NAMES) for _ in range(r.randrange(10)))
    return "@" + s if s[:1] == "@" else s


def check(what, doc):
    want = (source(doc) + "\n").encode()
    run("rm", "-f", AT)
    run("import", "-q", "--at", AT, "-", text=want)
    got = run("export", "--relative", AT)
    if got != want:
        print(f"{what}: {want!r} came out as {got!r}")
    elif run("import", "--at", AT, "-", text=got) != b"nothing to change\n":
        print(f"{what}: does not stay as it is")


for i in range(rounds):
    check(f"seed {seed}, round {i}", value(5))


def children(v):
    """A name that begins with @ has one more in a document."""
    if isinstance(v, dict):
        return {"@" + k if k[:1] == "@" else k: children(i) for k, i in v.items()}
    return [children(i) for i in v] if isinstance(v, list) else v


for f in files:
    with open(f, encoding="utf-8") as text_file:
        for i, line in enumerate(text_file):
            check(f"{f}:{i + 1}", children(json.loads(line, parse_int=Number, parse_float=Number)))
