# SPDX-License-Identifier: MIT
"""changes.py - the single changes that can be made to the hypervisor's middle, and which of them are drawn."""
import functools
import random
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HARMLESS = Path(__file__).with_name("harmless.txt")
FOLDERS = ("pv", "domain", "mm", "hypercall")
FILES = ("x86/tlb.c",)
ERRNOS = ["EPERM", "EINVAL", "EBUSY", "ENOMEM", "ESRCH", "EFAULT"]
OFF_BY_ONE = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" + 1", ""), (" - 1", ""),
              (" == 0", " == 1"), ("++", "--"), (" - ", " + "), (" | ", " & "), (" && ", " || "), (" || ", " && ")]
# What is only said: no test reads the log.
SAID = re.compile(r"\b(log_(?:error|warn|info|debug)|hv_log|domain_log|probe_\w+|BUG_ON|CHECKED_BUG|hv_panic|_Static_assert)\b|^\s*(/?\*|//|#)")
# But that a guest's lines have a limit and a level of their own is a rule: docs/security-sites.md has every place.
LOG_LINE = re.compile(r"\b(domain_log\(.*?, LOG_|log_)(ERROR|WARN|INFO|DEBUG|error|warn|info|debug)\b")
LEVELS = {"error": "info", "warn": "debug", "info": "error", "debug": "warn"}
SAID_ON_REQUEST = ("hypercall/debug_keys.c", "pv/audit.c")
CALL_OF_LINES = re.compile(r"\t+(?!if|for|while|switch|return|do|else)\w+\(.*[^;{]$")
LINES_OF_CALL = 5
# The mark that a frame was written is one bit of its record, and nobody looks between two lines: under the lock.
MARK = re.compile(r"\bframe_note_write\(")
# The order of stores, which only another CPU sees.
BARRIER = re.compile(r"^\t+wmb\(\);$")
# How often a long operation looks whether others wait: at which of so many steps it does is nobody's concern.
CHECK = re.compile(r" % \w+_PER_CHECK == 0\b")
FREED = re.compile(r"\t+(?:xfree|xen_pages_free)\(([^,()]+)(?:, \w+)?\);$")


@functools.cache
def lines_of(name):
    """Of a file, as they were when it was looked at first: a run takes long, and the tree is worked on meanwhile."""
    return (TOP / "hypervisor" / name).read_text().splitlines()


def log_changes(line):
    """What may be wrong with a line of the log: its level, and that it has no limit."""
    match = LOG_LINE.search(line)
    if not match:
        return []
    level = match[2]
    other = LEVELS[level.lower()]
    other = other.upper() if level.isupper() else other
    found = [("another level", [line[:match.start(2)] + other + line[match.end(2):]])]
    if match[1].startswith("domain_log("):
        found.append(("limit left out", [line[:match.start()] + "hv_log(LOG_" + line[match.start(2):]]))
    return found


def call_left_out(lines, nr):
    """The call that begins in line @nr and ends in a later one, not made."""
    if CALL_OF_LINES.match(lines[nr]) and not SAID.search(lines[nr]):
        for n in range(1, LINES_OF_CALL):
            if lines[nr + n:nr + n + 1] and lines[nr + n].endswith(");"):
                return [("left out", [re.match(r"\t+", lines[nr])[0] + ";"] + [""] * n)]
            if lines[nr + n:nr + n + 1] and re.search(r"[;{}]$", lines[nr + n]):
                break
    return []


def has_no_order(line, after):
    """The two mean the same the other way round: a frame's mark, a barrier, two frees of which neither holds the other."""
    freed = [FREED.match(one) for one in (line, after)]
    return any(MARK.search(one) or BARRIER.match(one) for one in (line, after)) or \
        all(freed) and not freed[0][1].startswith(freed[1][1]) and not freed[1][1].startswith(freed[0][1])


def changed_lines(lines, nr):
    """Every single change of line @nr: (kind, lines that replace it and those after it)."""
    line = lines[nr]
    found = []
    match = re.match(r"(\t+(?:} else )?(?:if|while) )\((.*)\)( \{)?$", line)
    if match:
        found.append(("negated", [f"{match[1]}(!({match[2]})){match[3] or ''}"]))
    for old, new in OFF_BY_ONE:
        for at in re.finditer(re.escape(old), line):
            if old == " == 0" and CHECK.search(line):
                continue
            found.append((f"'{old.strip()}' to '{new.strip()}'", [line[:at.start()] + new + line[at.end():]]))
    if re.match(r"\t+(\w+\(.*\)|\w+(->\w+|\[.*\]|\.\w+)+ [|&+-]?= .*|[\w>.-]+(--|\+\+));$", line):
        if not BARRIER.match(line):
            found.append(("left out", [re.match(r"\t+", line)[0] + ";"]))
        after = lines[nr + 1] if nr + 1 < len(lines) else ""
        is_call = re.match(r"\t+\w+\(", line) or re.match(r"\t+\w+\(", after)
        if is_call and re.match(r"\t+[\w>.\[\]-]+( [|&+-]?= .*|\(.*\));$", after) and \
                re.match(r"\t+", after)[0] == re.match(r"\t+", line)[0] and not SAID.search(after) and \
                not has_no_order(line, after):
            found.append(("swapped with the next", [after, line]))
    found += call_left_out(lines, nr)
    for at in re.finditer(r"-(E[A-Z]+)\b", line):
        if at[1] in ERRNOS:
            other = ERRNOS[(ERRNOS.index(at[1]) + 1) % len(ERRNOS)]
            found.append((f"-{at[1]} to -{other}", [line[:at.start()] + "-" + other + line[at.end():]]))
    return found


def is_after_bug(lines, nr):
    """What a release does where a checked build, every host test, has stopped (lib/log.h, CHECKED_BUG)."""
    indent = re.match(r"\t*", lines[nr])[0]
    while nr and re.match(r"\t*", lines[nr])[0] == indent:
        if lines[nr].strip() == "CHECKED_BUG();":
            return True
        nr -= 1
    return False


def is_of_comment(lines, nr, new):
    """Nothing but a comment is changed."""
    old = lines[nr:nr + len(new)]
    return [re.sub(r"/\*.*?\*/", "", line) for line in old] == [re.sub(r"/\*.*?\*/", "", line) for line in new]


def candidates(prefixes):
    """(file, line number, kind, new lines) of all changes, in functions only."""
    paths = [p for folder in FOLDERS for p in sorted((TOP / "hypervisor" / folder).glob("*.c"))]
    paths += [TOP / "hypervisor" / f for f in FILES]
    for path in paths:
        name = str(path.relative_to(TOP / "hypervisor"))
        if not name.startswith(prefixes):
            continue
        lines = lines_of(name)
        for nr, line in enumerate(lines):
            is_drawn = line.startswith("\t") and not SAID.search(line) and not is_after_bug(lines, nr)
            found = changed_lines(lines, nr) if is_drawn else []
            if name not in SAID_ON_REQUEST:
                found += log_changes(line)
            for kind, new in found:
                if not is_of_comment(lines, nr, new):
                    yield name, nr, kind, new


def choose(prefixes, count, seed):
    """@count of them and as many again, for some do not compile: of each file in proportion to what there is of it."""
    by_file = {}
    for change in candidates(prefixes):
        by_file.setdefault(change[0], []).append(change)
    rng = random.Random(seed)
    for changes in by_file.values():
        rng.shuffle(changes)
    everything = [(i / len(changes), change) for changes in by_file.values() for i, change in enumerate(changes)]
    everything.sort(key=lambda pair: (pair[0], pair[1][:3]))
    return [change for _, change in everything][:count * 2]


def key(change):
    """The change as harmless.txt names it: it holds while the line is as it is, wherever it moves."""
    name, nr, kind, new = change
    old = lines_of(name)[nr].strip()
    return f"{name}: {old} -> {kind}: {' '.join(line.strip() for line in new)}".rstrip()


def harmless():
    """The changes that mean nothing."""
    return {line.partition(" ## ")[0].rstrip() for line in HARMLESS.read_text().splitlines() if " ## " in line}


def is_log_change(change):
    return change[2] in ("another level", "limit left out")
