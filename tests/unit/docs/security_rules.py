#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every rule has its row in docs/security-rules.md, and everything a row names is there."""
import re
import sys
from pathlib import Path

TOP = Path(sys.argv[1])
RULES = [f"C{n}" for n in range(16, 61)] + [f"D{n}" for n in range(1, 12)] + [f"P{n}" for n in range(1, 17)]
ROOTS = ["", "hypervisor/", "tests/"]
WITHOUT_TEST = re.compile(r"does not apply|not kept|all of the above")


def find(name):
    if name.startswith("guests/"):
        name += ".c"
    return next((TOP / root / name for root in ROOTS if (TOP / root / name).is_file()), None)


def problem(token):
    """What is wrong with `path` or `path:symbol`; None: nothing."""
    name, _, symbol = token.partition(":")
    path = find(name)
    if not path:
        return f"{name} does not exist"
    if name.startswith("guests/") and f"'{path.stem}'" not in (path.parent / "meson.build").read_text():
        return f"{name} is not run: tests/guests/meson.build"
    if symbol and not re.search(rf"(?<![A-Za-z0-9])(test_)?{re.escape(symbol)}\b", path.read_text()):
        return f"{symbol} is not in {path.relative_to(TOP)}"
    return None


wrong, seen = [], []
for line in (TOP / "docs/security-rules.md").read_text().splitlines():
    wrong += [f"{p}: {line[:60]}" for token in re.findall(r"`([\w./-]+/[\w.-]+(?::[\w ]+)?)`", line) if (p := problem(token))]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if not re.fullmatch(r"[CDP]\d+", cells[0]):
        continue
    seen.append(cells[0])
    if len(cells) != 4:
        wrong.append(f"{cells[0]}: {len(cells)} columns")
    elif not re.search(r"`(guests|unit|fuzz|model|boot|fakes)/", cells[3]) and not WITHOUT_TEST.search(" ".join(cells[2:])):
        wrong.append(f"{cells[0]}: no test, and no reason why not")
wrong += [f"{rule}: {seen.count(rule)} rows" for rule in RULES if seen.count(rule) != 1]
print("\n".join(wrong) if wrong else f"{len(seen)} rules")
sys.exit(bool(wrong))
