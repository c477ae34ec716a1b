#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Claim: every operation in the hypercall tables is named in its own row or section of docs/hypercalls.md, the sections of memory,
sysctl and domctl name no other, and every hypercall row has its number."""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
doc = (root / 'docs/hypercalls.md').read_text()
sections = dict(re.findall(r'^## (\w+)(.*?)(?=^## |\Z)', doc, re.M | re.S))
wrong = []


def row(name):
    """The page's row of one hypercall."""
    m = re.search(rf'^\| [\d, ]+ \| {name} \|.*', doc, re.M)
    return m[0] if m else ''


def named(section):
    """What the first column of a section's table names."""
    names = re.findall(r'^\| ([\w, ]+) \|', section, re.M)
    return {n for line in names for n in line.split(', ')} - {'Operation', 'all others'}


# the tables: file, pattern of an entry, where the page names it, whether that names nothing else
tables = [
    ('hypercall/hypercall.c', r'^\tHC\((\w+),', doc, False),
    ('hypercall/hc_domctl.c', r'^\t(?:DOMCTL\(|\[XEN_DOMCTL_)(\w+)', sections['domctl'], True),
    ('hypercall/hc_sysctl.c', r'^\t\[XEN_SYSCTL_(\w+)\]', sections['sysctl'], True),
    ('hypercall/hc_memory.c', r'^\t(?:\[|case )XENMEM_(\w+)', sections['Memory'], True),
    ('hypercall/hc_gnttab.c', r'^\t\[GNTTABOP_(\w+)\]', row('grant_table_op'), False),
    ('hypercall/hc_platform.c', r'^\t\[XENPF_(\w+)\]', row('platform_op'), False),
    ('hypercall/hc_evtchn.c', r'\bOP\((\w+), (?:true|false)', row('event_channel_op'), False),
    ('hypercall/hc_sched.c', r'^\t\[SCHEDOP_(\w+)\]', row('sched_op'), False),
    ('hypercall/hc_vcpu.c', r'^\t\[VCPUOP_(\w+)\]', row('vcpu_op'), False),
    ('hypercall/hc_version.c', r'^\tcase XENVER_(\w+):', row('xen_version'), False),
    ('hypercall/hc_physdev.c', r'^\t\[PHYSDEVOP_(\w+)\]', row('physdev_op'), False),
    ('pv/mmuext.c', r'^\t\[MMUEXT_(\w+)\]', row('mmuext_op'), False),
]
for name, entry, text, is_all in tables:
    found = set(re.findall(entry, (root / 'hypervisor' / name).read_text(), re.M))
    words = set(re.findall(r'\w+', text))
    if not found:
        wrong.append(f'{name}: nothing matches {entry}')
    for op in sorted(found - words):
        wrong.append(f'{name}: {op} is not where it belongs in docs/hypercalls.md')
    for op in sorted(named(text) - found if is_all else ()):
        wrong.append(f'docs/hypercalls.md: {op} is not in {name}')

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
