#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every place of a class has its answer in docs/security-sites.md, and every answer its place.

usage: security_sites.py TOP           compares
       security_sites.py TOP --missing prints the rows that are missing, to be answered
"""
import re
import sys
from pathlib import Path

TOP = Path(sys.argv[1])
PAGE = TOP / "docs/security-sites.md"
# The heading of a class's table, and what a place of it looks like.
CLASSES = {
    "Ways in": re.compile(r"\b(?:hv_lock|pv_enter)\(\)"),
    "Drains": re.compile(r"\bpv_drain_deferred\(.*\)"),
    "Log lines": re.compile(r"\b(?:log_(?:error|warn|info|debug)|hv_log|domain_log)\(.*"),
    "Registers": re.compile(r"\b(?:wrmsr(?:_safe)?|write_cr[034]|debugreg_write|xsetbv_safe|swapgs|segment_load_\w\w)\(.*"),
    "Stops": re.compile(r"\b(?:BUG_ON|CHECKED_BUG|hv_panic(?:_at)?)\(.*"),
}
# Not looked at: what defines them, and where no guest gets: boot, debug keys, the end of the machine.
WITHOUT = {
    "Ways in": ("x86/lock.h",),
    "Drains": ("pv/ptval.c", "pv/ptval.h"),
    "Log lines": ("lib/log.h", "boot/", "hypercall/debug_keys.c", "pv/audit.c", "x86/probe.c", "x86/crash.c", "x86/shutdown.c"),
    "Registers": ("x86/asm.h", "x86/segment.h", "x86/fpu_insn.h", "boot/"),
    "Stops": ("lib/log.h", "x86/shutdown.c", "boot/"),
}
TEXT_MAX = 80


def statement(lines, nr):
    """From the place to the end of its statement, in one line."""
    text = ""
    for line in lines[nr:nr + 8]:
        text = f"{text} {line.strip()}".strip()
        if text.count("(") <= text.count(")"):
            break
    return text


def cut(text):
    """As far as the parentheses go."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth == 0:
            return text[:at + 1]
    return text


def places(pattern, without):
    found = []
    for path in sorted((TOP / "hypervisor").rglob("*.[ch]")):
        name = str(path.relative_to(TOP / "hypervisor"))
        if name.startswith(without):
            continue
        lines, function, heading = path.read_text().splitlines(), "", ""
        for nr, line in enumerate(lines):
            if line.startswith("{"):
                heading = re.sub(r"__attribute__\(\(.*?\)\)+", "", heading)
                function = (re.findall(r"(\w+)\(", heading) or [""])[0]
                heading = ""
            elif re.match(r"\w", line):
                heading = line if not line.startswith(("#", "/")) else ""
            elif heading:
                heading += line
            if not line.startswith(("\t", " ")) or line.strip().startswith(("*", "/*")):
                continue
            match = pattern.search(line)
            if match:
                whole = statement(lines, nr)
                text = cut(whole[pattern.search(whole).start():])
                found.append((f"{name}:{function}", text[:TEXT_MAX].strip()))
    return found


def rows(title):
    """{(place, text): answer} of the table below the heading."""
    section = PAGE.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    table = {}
    for line in section.splitlines():
        cells = [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[0].startswith("`"):
            table[cells[0].strip("`"), cells[1].strip("`")] = cells[2]
    return table


wrong = []
for title, pattern in CLASSES.items():
    there, answers = places(pattern, WITHOUT[title]), rows(title)
    for place in dict.fromkeys(there):
        if not answers.get(place):
            row = "| `%s` | `%s` | |" % (place[0], place[1].replace("|", "\\|"))
            wrong.append(row if "--missing" in sys.argv else f"{title}: no answer for {place[0]}: {place[1]}")
    if "--missing" not in sys.argv:
        wrong += [f"{title}: nothing is there any more: {p[0]}: {p[1]}" for p in answers if p not in there]
    if not there:
        wrong.append(f"{title}: the source has none: the pattern is wrong")
print("\n".join(wrong) if wrong else f"{sum(len(rows(t)) for t in CLASSES)} places, each with an answer")
sys.exit(bool(wrong))
