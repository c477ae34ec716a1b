#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nospec.py storevisor.elf HYPERVISOR - what a guest counts by is made harmless by arithmetic before it is looked up (lib/nospec.h).

Of each function that takes a guest's number for an index, the image must hold so many masks (`sbb` of a register with itself)
as it looks up by such numbers: a branch alone does not keep a CPU from the lookup. Each function below HYPERVISOR that
masks a number is in one of the two lists: a new one is not forgotten.
"""
import pathlib
import re
import subprocess
import sys

LOOKUPS = {
    "hypercall_call": 1, "hc_sched_op": 1, "hc_mmuext_op": 1, "hc_vcpu_op": 2, "hc_memory_op": 2, "hc_grant_table_op": 1,
    "hc_set_debugreg": 1, "hc_get_debugreg": 1,
    "evtchn_bind_virq": 2,   # the virq, and the vcpu
    "evtchn_bind_ipi": 1,    # the vcpu
    "evtchn_bind_vcpu": 2,   # the port, and the vcpu
    "evtchn_bind_interdomain": 1, "evtchn_close": 1, "evtchn_send": 1, "evtchn_status": 1, "evtchn_unmask": 1,
    "evtchn_is_pending": 1,  # what SCHEDOP_poll asks about
    "evtchn_op": 1, "physdev_call": 1, "callback_register": 1, "sched_watchdog": 1, "gnttab_pin": 1, "gnttab_unmap_prepare": 1, "gnttab_swap": 1,
}
# Parts of those above, without a place of their own in the image.
PARTS = {"call", "port_find", "vcpu_of", "ref_nospec", "maptrack_entry"}


def sources():
    """The functions that mask a number."""
    found = set()
    for path in pathlib.Path(sys.argv[2]).rglob("*.c"):
        function = ""
        for line in path.read_text().splitlines():
            if re.match(r"\w", line) and (names := re.findall(r"(\w+)\(", re.sub(r"__attribute__\(\(.*?\)\)", "", line))):
                function = names[0]
            elif line.startswith("\t") and re.search(r"\b(?:index|table)_nospec\(", line):
                found.add(function)
    return found


def masks(function):
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", sys.argv[1]],
                          capture_output=True, text=True, check=True).stdout
    assert f"<{function}>:" in text, f"no function {function}"
    return sum(a == b for a, b in re.findall(r"\tsbb +%(\w+),%(\w+)", text))


bad = [f"{name}: {found} of {wanted}" for name, wanted in LOOKUPS.items() if (found := masks(name)) < wanted]
bad += [f"{name}: in no list" for name in sorted(sources() - set(LOOKUPS) - PARTS)]
bad += [f"{name}: masks nothing any more" for name in sorted(PARTS - sources())]
print("\n".join(["masks that are missing:"] + bad) if bad else f"{len(LOOKUPS)} functions look up by masked numbers")
sys.exit(bool(bad))
