#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Functions of the hypervisor's image that come back to themselves by calls, and docs/security-sites.md, "Circles".

A CPU's stack is 28 KiB. Each set of functions that call each other in a circle has a row that says what bounds it: a
new circle, or a function more or fewer in one, fails, and so does a row for what is no longer there. Found in the
image: what the compiler put into its caller is not a call. Calls by a pointer are not seen.

usage: circles.py storevisor.elf docs/security-sites.md HYPERVISOR [--print]
"""
import re
import subprocess
import sys
from pathlib import Path

ELF, PAGE, SOURCE = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
CALL = re.compile(r"\t(call|j\w+)\s+(?:\w+ )?[0-9a-f]+ <([^>+]+)(\+0x[0-9a-f]+)?>")


def whole(symbol):
    """The function of which the compiler made this part."""
    return re.sub(r"\.(part|cold|constprop|isra)\b.*", "", symbol)


def calls():
    """{function: functions it calls, or jumps to}; a jump within itself is none."""
    graph, function = {}, ""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", ELF], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if m := re.match(r"[0-9a-f]+ <(.*)>:", line):
            function = whole(m.group(1))
            graph.setdefault(function, set())
        elif m := CALL.search(line):
            target = whole(m.group(2))
            if target != function or (m.group(1) == "call" and not m.group(3)):
                graph[function].add(target)
    return graph


def reaches(graph, start):
    found, todo = set(), [start]
    while todo:
        for target in graph.get(todo.pop(), ()):
            if target not in found:
                found.add(target)
                todo.append(target)
    return found


def circles():
    """Sets of functions, each of which reaches all of its set. Of Debian's decompression libraries: none, nobody's data come there after boot."""
    source = "\n".join(p.read_text() for p in SOURCE.rglob("*.[chS]"))
    graph = calls()
    graph = {f: to for f, to in graph.items() if re.search(rf"\b{re.escape(f)}\b", source)}
    reach = {f: reaches(graph, f) for f in graph}
    return {frozenset(g for g in reach[f] if g in reach and f in reach[g]) for f in graph if f in reach[f]}


def rows():
    """{set: answer} of the table below the heading."""
    section = PAGE.read_text().partition("\n## Circles\n")[2].partition("\n## ")[0]
    found = {}
    for line in section.splitlines():
        cells = [c.strip() for c in line.split("|")[1:-1]]
        if len(cells) == 2 and cells[0].startswith("`"):
            found[frozenset(cells[0].strip("`").split())] = cells[1]
    return found


there, answers = circles(), rows()
if "--print" in sys.argv:
    print("\n".join(f"| `{' '.join(sorted(c))}` | |" for c in there))
    sys.exit(0)
wrong = [f"no answer for: {' '.join(sorted(c))}" for c in there if not answers.get(c)]
wrong += [f"nothing is there any more: {' '.join(sorted(c))}" for c in answers if c not in there]
if not there:
    wrong.append("none is found: the pattern is wrong")
print("\n".join(wrong) if wrong else f"{len(there)} circles, each with an answer")
sys.exit(bool(wrong))
