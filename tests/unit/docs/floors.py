#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""floors.py TOP OBJDIR - docs/architecture.md says which folder of the hypervisor may include which,
and which calls go up all the same: every include and every symbol of the objects below OBJDIR is held
to that, and what the page names must be so."""
import collections
import pathlib
import re
import subprocess
import sys

TOP, OBJDIR = map(pathlib.Path, sys.argv[1:3])
PAGE = (TOP / "docs/architecture.md").read_text()
# the compiler's own: every indirect branch (x86/thunk.S), what is below return addresses (x86/stack_guard.c)
COMPILERS = ("__x86_indirect_thunk_", "__stack_chk_")
INCLUDE = re.compile(r'^#include "([a-z0-9_]+)/([^"]+)"', re.M)


def floors():
    """Folder -> folders it may include, from the rows "| `NAME/` | what | all, -, or names |"."""
    rows = re.findall(r"^\| `(\w+)/` \|[^|]*\| ([\w -]+) \|$", PAGE, re.M)
    names = [name for name, _ in rows]
    allowed = {"all": names, "-": []}
    return {name: set(allowed.get(below.strip(), below.split())) | {name} for name, below in rows}


def calls_up():
    """(caller's folder, symbol) from the rows "| `domain/` | `entry/`, `pv/` | `symbol` ... | why |"."""
    found = set()
    for caller, symbols in re.findall(r"^\| `(\w+)/` \| `\w+/` \| (`[^|]*`) \|", PAGE, re.M):
        found |= {(caller, symbol) for symbol in re.findall(r"`(\w+)`", symbols)}
    return found


def folder(obj, may):
    """The folder an object of meson's comes from (x86_tlb.c.o); None: a source that is gone, or no floor's."""
    name, _, source = obj.name.partition("_")
    return name if name in may and (TOP / "hypervisor" / name / source[: -len(".o")]).exists() else None


def symbols(objects, may):
    defined, used = {}, collections.defaultdict(set)
    for obj in objects:
        lines = subprocess.run(["nm", obj], capture_output=True, text=True, check=True).stdout
        for line in lines.splitlines():
            kind, name = line.split()[-2:]
            if name.startswith(COMPILERS):
                continue
            if kind == "U":
                used[folder(obj, may)].add((name, obj.name))
            elif kind in "TDBRCV":
                defined[name] = folder(obj, may)
    return defined, used


def main():
    may = floors()
    wrong = []
    for folder_path in (TOP / "hypervisor").iterdir():
        if folder_path.is_dir() and folder_path.name not in may:
            wrong.append(f"hypervisor/{folder_path.name} is no floor of the page's table")
    for name in may:
        for path in sorted((TOP / "hypervisor" / name).glob("*.[chS]")):
            for other, rest in INCLUDE.findall(path.read_text()):
                if other not in may[name]:
                    wrong.append(f"{name}/{path.name} includes {other}/{rest}")
    objects = [o for o in OBJDIR.glob("**/*.o") if folder(o, may)]
    defined, used = symbols(objects, may)
    named, seen = calls_up(), set()
    for name, uses in used.items():
        for symbol, obj in sorted(uses):
            if symbol not in defined or defined[symbol] in may[name]:
                continue
            seen.add((name, symbol))
            if (name, symbol) not in named:
                wrong.append(f"{obj}: {symbol} is {defined[symbol]}/'s")
    wrong += [f"{symbol} is not called from {name}/: the page says so" for name, symbol in named - seen]
    print(*wrong, sep="\n")
    print(f"{len(may)} floors, {len(objects)} objects, {len(defined)} symbols, {len(seen)} that go up")
    return bool(wrong) or not objects or len(may) < 8


sys.exit(main())
