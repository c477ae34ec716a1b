#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""verbs.py TOP XM XS PAGES - docs/verbs.md has a row for each verb that both programs have, and for no other;
its exit statuses are those of cli/lib/die.h, as are both manuals'."""
import pathlib
import re
import subprocess
import sys

TOP, PAGES = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[4])
PAGE = (TOP / "docs/verbs.md").read_text()


def verbs(program):
    """The commands its help lists, and their second names."""
    def said(*words):
        return subprocess.run([program, "help", *words], capture_output=True, text=True, check=True).stdout
    found = set(re.findall(r"^ ([a-z][a-z-]*) ", said(), re.M))
    for command in list(found):
        found |= set(re.findall(r"^Also called (\S+)\.$", said(command), re.M))
    return found


def main():
    wrong = []
    both = verbs(sys.argv[2]) & verbs(sys.argv[3])
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.M))
    if len(both) < 5:
        wrong.append(f"the programs share {sorted(both)} only: is their help read right?")
    wrong += [f"{verb}: both programs have it, docs/verbs.md has no row" for verb in sorted(both - rows)]
    wrong += [f"{verb}: docs/verbs.md has a row, but only one program, or none, has it" for verb in sorted(rows - both)]

    header = (TOP / "cli/lib/die.h").read_text()
    statuses = re.findall(r"^\t(CLI_\w+) = (\d+), +/\* (.*) \*/$", header, re.M)
    named = re.findall(r"^\tCLI_\w+ = \d+,", header, re.M)
    if len(statuses) != len(named) or not statuses:
        wrong.append("cli/lib/die.h: a status of enum cli_exit has no words behind it")
    listed = re.findall(r"^\| (\d+) \| `(CLI_\w+)` \| (.*) \|$", PAGE, re.M)
    if [(name, number, words) for number, name, words in listed] != statuses:
        wrong.append("docs/verbs.md: its list of exit statuses is not enum cli_exit of cli/lib/die.h")
    for tool in "xm", "xs":
        page = (PAGES / f"{tool}.1.scd").read_text().partition("# EXIT STATUS")[2].partition("\n# ")[0]
        if re.findall(r"^\*(\d+)\*\n\t(.*)$", page, re.M) != [(number, words) for _, number, words in statuses]:
            wrong.append(f"{tool}(1): its list of exit statuses is not enum cli_exit of cli/lib/die.h")
    print("\n".join(wrong) or f"{len(both)} verbs, {len(statuses)} statuses")
    return bool(wrong)


sys.exit(main())
