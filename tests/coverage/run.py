#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
run.py [--write] - which lines of the hypervisor that a guest can reach no host test runs. They are
held to the table in docs/hypervisor-tests.md, by function: one that is not there, or runs less than it says,
is a test that is missing. --write: the table anew, with the reasons it has, shorter where more is run.

Prints TAP. Builds a copy of the tree with gcov and runs the tests: some minutes.
"""
import collections
import re
import sys
import tempfile
from pathlib import Path

import host_lines

PAGE = host_lines.TOP / "docs/hypervisor-tests.md"
REACHED = re.compile(r"(pv|domain|mm|hypercall)/|x86/tlb\.c$")
ROW = re.compile(r"^\| `([^`]+)` \| (\d+) of (\d+) \| (.*) \|$", re.M)
FUNCTION = re.compile(r"^(?!\s|#|/|\}|\{|_Static)[\w\s*(),]*?\b(\w+)\((?!\()")


def function_at(lines, nr):
    """The function that line @nr (from 1) is in: the last line before it that begins one."""
    for line in reversed(lines[:nr]):
        match = FUNCTION.match(line)
        if match and not line.rstrip().endswith(";"):
            return match[1]
    return "?"


def unreached(runs):
    """{file:function: (lines no test runs, lines)}, of those with any."""
    count = collections.defaultdict(lambda: [0, 0])
    for (name, nr), tests in runs.items():
        if REACHED.match(name) and name.endswith(".c"):
            lines = (host_lines.TOP / "hypervisor" / name).read_text().splitlines()
            place = count[f"{name}:{function_at(lines, nr)}"]
            place[0] += not tests
            place[1] += 1
    return {place: tuple(n) for place, n in count.items() if n[0]}


def write(found, page):
    """The page with the table anew; a place without a reason gets a question mark, which the check refuses."""
    reasons = {place: why for place, _, _, why in ROW.findall(page)}
    rows = [f"| `{place}` | {n} of {of} | {reasons.get(place, '?')} |" for place, (n, of) in sorted(found.items())]
    first = ROW.search(page)
    head = page[: first.start()] if first else page
    tail = ROW.sub("", page[first.start():]).lstrip("\n") if first else ""
    PAGE.write_text(head + "\n".join(rows) + "\n" + ("\n" + tail if tail else ""))


def wrong(found, page):
    told = {place: (int(n), int(of), why) for place, n, of, why in ROW.findall(page)}
    for place, (n, of) in sorted(found.items()):
        if place not in told:
            yield f"{place}: {n} of {of} lines are run by no test, and the page does not say why"
        elif n > told[place][0]:
            yield f"{place}: {n} lines are run by no test, not {told[place][0]}"
        elif told[place][2] in ("", "?"):
            yield f"{place}: the page gives no reason"


def main():
    with tempfile.TemporaryDirectory(prefix="coverage.") as where:
        host_lines.copy_tree(Path(where) / "tree")
        runs = host_lines.lines(Path(where) / "tree")
    found = unreached(runs)
    if "--write" in sys.argv:
        write(found, PAGE.read_text())
    problems = list(wrong(found, PAGE.read_text()))
    for problem in problems:
        print(f"# {problem}")
    lines = [tests for (name, _), tests in runs.items() if REACHED.match(name) and name.endswith(".c")]
    print(f"{'not ok' if problems or not lines else 'ok'} - {sum(map(bool, lines))} of {len(lines)} lines are run by host tests, "
          f"{len(found)} functions not wholly")
    return bool(problems) or not lines


if __name__ == "__main__":
    sys.exit(main())
