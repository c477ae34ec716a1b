#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Single changes to the hypervisor that a test must notice: negated conditions, bounds off by one, calls
left out, neighbouring lines swapped, another errno, a line of the log at another level or without its
limit. For each, the host tests of the hypervisor that run the changed line are run until one fails.

usage: run.py [--count N] [--seed N] [--files PREFIX[,PREFIX...]] [--quick] [--list] [--keep FOLDER] [--again OUTPUT]

--files pv/,mm/ changes these folders' lines only, as many of each file as it has of all; --quick leaves the
random machine (hypervisor/machine) out; --keep leaves the copy and its build in FOLDER, and the next run with it
begins sooner; --again tries those that survive in OUTPUT, what an earlier run printed.

Prints TAP: one line a mutant, and whether at least 95 % were noticed. A survivor is shown with its
change: either a test is missing, or the change means nothing, which harmless.txt then says with the
reason. One that the compiler makes the same code of does not count. The tree itself is not touched: a copy
is made, configured and changed. A line that no host test runs is a survivor at once.
"""
import argparse
import contextlib
import re
import sys
import tempfile
from pathlib import Path

import changed_tree
import changes

RANDOM_MACHINE = ("hypervisor/machine",)
NOTICED_PERCENT = 95
ALL = 1 << 20
SURVIVOR = re.compile(r"^# SURVIVES: line \d+ of (.*)$", re.M)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", default="")
    parser.add_argument("--again", default="")
    options = parser.parse_args()
    drawn = changes.choose(tuple(options.files.split(",")), ALL if options.again else options.count, options.seed)
    if options.again:
        survivors = set(SURVIVOR.findall(Path(options.again).read_text()))
        drawn = [change for change in drawn if changes.key(change) in survivors]
    if options.list:
        print("\n".join(changes.key(change) for change in drawn))
        return 0
    known = changes.harmless()
    noticed = survived = 0
    with contextlib.ExitStack() as stack:
        where = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants."))
        tree = changed_tree.ChangedTree(where, RANDOM_MACHINE if options.quick else ())
        for change in drawn:
            if noticed + survived >= options.count:
                break
            if changes.key(change) in known:
                continue
            by = tree.try_change(change)
            if by is None:
                continue
            noticed += bool(by)
            survived += not by
            print(f"# {'noticed by ' + by if by else 'SURVIVES'}: line {change[1] + 1} of {changes.key(change)}", flush=True)
    total = noticed + survived
    is_enough = total > 0 and noticed * 100 >= total * NOTICED_PERCENT
    print(f"{'ok' if is_enough else 'not ok'} - {noticed} of {total} single changes are noticed")
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
