#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Claim: every operation in the hypercall tables has its word in docs/hypercalls.md, and every hypercall row there has its number."""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
doc = (root / 'docs/hypercalls.md').read_text()
words = set(re.findall(r'\w+', doc))
wrong = []

# the tables: file, pattern of a row, how the name is spelt in the page
tables = [
    ('hypercall.c', r'^\tHC\((\w+),'),
    ('hc_domctl.c', r'^\t(?:DOMCTL\(|\[XEN_DOMCTL_)(\w+)'),
    ('hc_sysctl.c', r'^\t\[XEN_SYSCTL_(\w+)\]'),
    ('hc_memory.c', r'^\t\[XENMEM_(\w+)\]'),
    ('hc_gnttab.c', r'^\t\[GNTTABOP_(\w+)\]'),
    ('hc_platform.c', r'^\t\[XENPF_(\w+)\]'),
]
for name, row in tables:
    found = re.findall(row, (root / 'hypervisor/hypercall' / name).read_text(), re.M)
    if not found:
        wrong.append(f'{name}: no table row matches {row}')
    for op in found:
        if op not in words:
            wrong.append(f'{name}: {op} is not in docs/hypercalls.md')

# the numbers of the page are the header's
header = Path('/usr/include/xen/xen.h').read_text()
number = dict(re.findall(r'define __HYPERVISOR_(\w+)\s+(\d+)', header))
for line in doc.splitlines():
    m = re.match(r'\| ([\d, ]+) \| ([\w, ]+?) \|', line)
    if not m:
        continue
    nrs, names = m[1].split(', '), m[2].split(', ')
    for name in names:
        expected = '48' if name == 'mca' else number.get(name)
        if expected not in nrs:
            wrong.append(f'docs/hypercalls.md: {name} has number {expected}, the page says {m[1]}')

for line in wrong:
    print(line)
print(f'{len(wrong)} differences')
sys.exit(bool(wrong))
