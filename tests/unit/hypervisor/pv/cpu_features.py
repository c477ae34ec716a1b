#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes FEATURE(name, word, bit, "letters") for each XEN_CPUFEATURE of xen/arch-x86/cpufeatureset.h.

The letters stand at the beginning of its comment: A all guests, S and H only HVM ones, lower case those
that must be asked for, ! special, none no guest."""
import re
import sys

ROW = re.compile(r"^XEN_CPUFEATURE\((\w+), +(\d+)\*32\+ *(\d+)\) */\*(\S*) ", re.M)
with open(sys.argv[1]) as header, open(sys.argv[2], "w") as out:
    rows = ROW.findall(header.read())
    if len(rows) < 150:
        sys.exit(f"only {len(rows)} features found in {sys.argv[1]}")
    for name, word, bit, letters in rows:
        out.write(f'FEATURE({name}, {word}, {bit}, "{letters}")\n')
