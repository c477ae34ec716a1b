#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Single changes to the hypervisor that a test must notice: negated conditions, bounds off by one, calls
left out, neighbouring lines swapped, another errno. For each, the host tests of the hypervisor that
run the changed line are built and run until one fails.

usage: run.py [--count N] [--seed N] [--files PREFIX[,PREFIX...]] [--quick] [--list]

--files pv/,mm/ changes these folders' lines only, as many of each file as it has of all; --quick leaves the
random machine (hypervisor/machine) out, which takes minutes a change.

Prints TAP: one line a mutant, and whether at least 95 % were noticed. A survivor is shown with its
change: either a test is missing, or the change means nothing, which harmless.txt then says with the
reason. The tree itself is not touched: a copy is made, configured and changed. A line that no host test
runs is a survivor at once. Takes half an hour for 300.
"""
import argparse
import random
import re
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/coverage"))
import host_lines  # noqa: E402

HARMLESS = Path(__file__).with_name("harmless.txt")
FOLDERS = ("pv", "domain", "mm", "hypercall")
FILES = ("x86/tlb.c",)
RANDOM_MACHINE = ("hypervisor/machine",)
NOTICED_PERCENT = 95
ERRNOS = ["EPERM", "EINVAL", "EBUSY", "ENOMEM", "ESRCH", "EFAULT"]
OFF_BY_ONE = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" + 1", ""), (" - 1", ""),
              (" == 0", " == 1"), ("++", "--"), (" - ", " + "), (" | ", " & "), (" && ", " || "), (" || ", " && ")]
# What is only said: no test reads the log.
SAID = re.compile(r"\b(log_\w+|probe_\w+|BUG_ON|CHECKED_BUG|hv_panic|_Static_assert)\b|^\s*(/?\*|//|#)")


def changed_lines(lines, nr):
    """Every single change of line @nr: (kind, lines that replace it and perhaps the next)."""
    line = lines[nr]
    found = []
    match = re.match(r"(\t+(?:} else )?(?:if|while) )\((.*)\)( \{)?$", line)
    if match:
        found.append(("negated", [f"{match[1]}(!({match[2]})){match[3] or ''}"]))
    for old, new in OFF_BY_ONE:
        for at in re.finditer(re.escape(old), line):
            found.append((f"'{old.strip()}' to '{new.strip()}'", [line[:at.start()] + new + line[at.end():]]))
    if re.match(r"\t+(\w+\(.*\)|\w+(->\w+|\[.*\]|\.\w+)+ [|&+-]?= .*|[\w>.-]+(--|\+\+));$", line):
        found.append(("left out", [re.match(r"\t+", line)[0] + ";"]))
        after = lines[nr + 1] if nr + 1 < len(lines) else ""
        is_call = re.match(r"\t+\w+\(", line) or re.match(r"\t+\w+\(", after)
        if is_call and re.match(r"\t+[\w>.\[\]-]+( [|&+-]?= .*|\(.*\));$", after) and \
                re.match(r"\t+", after)[0] == re.match(r"\t+", line)[0] and not SAID.search(after):
            found.append(("swapped with the next", [after, line]))
    for at in re.finditer(r"-(E[A-Z]+)\b", line):
        if at[1] in ERRNOS:
            other = ERRNOS[(ERRNOS.index(at[1]) + 1) % len(ERRNOS)]
            found.append((f"-{at[1]} to -{other}", [line[:at.start()] + "-" + other + line[at.end():]]))
    return found


def is_of_comment(lines, nr, new):
    """Nothing but a comment is changed."""
    return [re.sub(r"/\*.*?\*/", "", line) for line in lines[nr:nr + len(new)]] == [re.sub(r"/\*.*?\*/", "", line) for line in new]


def candidates(prefixes):
    """(file, line number, kind, new lines) of all changes, in functions only."""
    paths = [p for folder in FOLDERS for p in sorted((TOP / "hypervisor" / folder).glob("*.c"))]
    paths += [TOP / "hypervisor" / f for f in FILES]
    for path in paths:
        name = str(path.relative_to(TOP / "hypervisor"))
        if not name.startswith(prefixes):
            continue
        lines = path.read_text().splitlines()
        for nr, line in enumerate(lines):
            if line.startswith("\t") and not SAID.search(line):
                for kind, new in changed_lines(lines, nr):
                    yield name, nr, kind, new


def choose(prefixes, count, seed):
    """@count of them, as many as can be from each file by turns."""
    by_file = {}
    for change in candidates(prefixes):
        by_file.setdefault(change[0], []).append(change)
    rng = random.Random(seed)
    for changes in by_file.values():
        rng.shuffle(changes)
    # in proportion to what there is of each
    everything = [(i / len(changes), change) for changes in by_file.values() for i, change in enumerate(changes)]
    everything.sort(key=lambda pair: (pair[0], pair[1][:3]))
    texts = {name: (TOP / "hypervisor" / name).read_text().splitlines() for name in by_file}
    chosen = [change for _, change in everything if not is_of_comment(texts[change[0]], change[1], change[3])]
    return chosen[:count * 2]  # some do not compile


def key(change):
    name, nr, kind, new = change
    old = (TOP / "hypervisor" / name).read_text().splitlines()[nr].strip()
    return f"{name}: {old} -> {kind}: {' '.join(line.strip() for line in new)}"


def harmless():
    known = set()
    if HARMLESS.exists():
        known = {line.partition(" ## ")[0] for line in HARMLESS.read_text().splitlines() if " ## " in line}
    return known


class Mutants:
    """A copy of the tree with every test built, and which tests run which line."""

    def __init__(self, where, left_out):
        self.top = Path(where) / "tree"
        host_lines.copy_tree(self.top)
        self.runs = host_lines.lines(self.top, left_out)
        self.build = host_lines.Build(self.top, "build", "-Doptimization=1", left_out=left_out)
        self.seconds = {}
        for test in self.build.tests:
            began = time.monotonic()
            if not self.build.passes(test):
                sys.exit(f"Bail out! {test['name']} fails without any change")
            self.seconds[test["name"]] = time.monotonic() - began

    def is_of_macro(self, name, nr):
        lines = (self.top / "hypervisor" / name).read_text().splitlines()
        while nr and lines[nr - 1].endswith("\\"):
            nr -= 1
        return lines[nr].startswith("#define")

    def tests_of(self, change):
        """Those that run what is changed, the quickest first. A line that is no code belongs to the one before it; a macro's is run
        wherever it is used: by all that run the file."""
        name, nr, _, new = change
        names = set()
        if self.is_of_macro(name, nr):
            names = set().union(*(runs for (file, _), runs in self.runs.items() if file == name))
        for at in range(nr + 1, nr + 1 + len(new)):
            while at and (name, at) not in self.runs:
                at -= 1
            names |= self.runs.get((name, at), set())
        tests = [test for test in self.build.tests if test["name"] in names]
        return sorted(tests, key=lambda test: self.seconds[test["name"]])

    def try_change(self, change):
        """The test that notices; "": none does; None: does not compile."""
        name, nr, _, new = change
        path = self.top / "hypervisor" / name
        whole = path.read_text()
        lines = whole.splitlines()
        lines[nr:nr + len(new)] = new
        path.write_text("\n".join(lines) + "\n")
        try:
            for test in self.tests_of(change):
                if host_lines.quiet(["ninja", "-C", self.build.build, self.build.target(test)]):
                    return None
                if not self.build.passes(test, 20 + 5 * self.seconds[test["name"]]):  # it may loop for ever
                    return test["name"]
            return ""
        finally:
            path.write_text(whole)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    changes = choose(tuple(options.files.split(",")), options.count, options.seed)
    if options.list:
        print("\n".join(key(change) for change in changes))
        return 0
    known = harmless()
    noticed = survived = 0
    with tempfile.TemporaryDirectory(prefix="mutants.") as where:
        mutants = Mutants(where, RANDOM_MACHINE if options.quick else ())
        for change in changes:
            if noticed + survived >= options.count:
                break
            if key(change) in known:
                continue
            by = mutants.try_change(change)
            if by is None:
                continue
            noticed += bool(by)
            survived += not by
            print(f"# {'noticed by ' + by if by else 'SURVIVES'}: line {change[1] + 1} of {key(change)}", flush=True)
    total = noticed + survived
    is_enough = total > 0 and noticed * 100 >= total * NOTICED_PERCENT
    print(f"{'ok' if is_enough else 'not ok'} - {noticed} of {total} single changes are noticed")
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
