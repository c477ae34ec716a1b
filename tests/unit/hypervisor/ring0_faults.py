#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The instructions of the hypervisor's image that can fault on what they are given, and docs/ring0-faults.md.

Each has a row in the exception table, or a row in the page that says why its operand is always good:
a new one without either fails, and so does a row for what is no longer there. Found in the image, not in
the source, so that what the compiler makes (divisions) counts too; the debug information says which
function of the source it is, however it was inlined.

usage: ring0_faults.py storevisor.elf docs/ring0-faults.md [--print]
"""
import re
import struct
import subprocess
import sys

ELF, PAGE = sys.argv[1:3]
# Headers of single instructions: their caller is the place.
WRAPPERS = ("x86/asm.h", "x86/segment.h", "x86/fpu_insn.h")
KINDS = [
    (r"i?div[bwlq]? ", "div"), (r"wrmsr", "wrmsr"), (r"rdmsr", "rdmsr"), (r"rdpmc", "rdpmc"),
    (r"mov +%\w+,%cr0", "mov to cr0"), (r"mov +%\w+,%cr3", "mov to cr3"), (r"mov +%\w+,%cr4", "mov to cr4"),
    (r"mov +%\w+,%cr", "mov to cr"), (r"mov +%\w+,%(db|dr)", "mov to dr"),
    (r"mov[lqw]? +[^,]*,%(ds|es|fs|gs|ss)\b", "mov to segment"), (r"pop +%[fg]s", "mov to segment"),
    (r"l(ds|es|fs|gs|ss) ", "mov to segment"), (r"(lldt|ltr|lgdt|lidt|lmsw)\b", None), (r"(invpcid|xsetbv)\b", None),
    (r"(xrstors?|xrstor64|fxrstor|fxrstor64|frstor|fldenv|fldcw|ldmxcsr|vldmxcsr)\b", None),
    # those of the x87 that look for an exception that waits, and those that want CR0.TS clear and memory aligned
    (r"(f[a-mo-wyz]\w*|f(?!xsave|xrstor)x\w+|emms|fwait|wait)\b", "x87"), (r"(xsave\w*|fxsave\w*)\b", "save of state"),
    (r"(wrfsbase|wrgsbase|wrpkru|vmrun|vmload|vmsave)\b", None),
    (r"iret[qlw]?\b", "iret"), (r"sysret[ql]?\b", "sysret"), (r"sysexit", "sysexit"), (r"l?ret[fq]\b", None),
    (r"(lcall|ljmp|rex.W l(call|jmp))\b", "far jump"), (r"int3?\b", "int"), (r"(popf|popfq)\b", "popf"),
    (r"(mwait|monitor|clac|stac|movaps|movdqa|vmov)\b", None),
]
KINDS = [(re.compile(p), name) for p, name in KINDS]


def run(*args, text=None):
    return subprocess.run(args, input=text, capture_output=True, text=True, check=True).stdout


def kind_of(insn):
    for pattern, name in KINDS:
        m = pattern.match(insn)
        if m:
            return name or m.group(0).strip()
    return None


def sites():
    """(address, kind, symbol) of each such instruction. What is none in 64-bit mode (GRUB's header, the far jump by
    which boot/head.S comes there) and the rest of its symbol are not read as instructions."""
    found, symbol, code = [], "", True
    for line in run("objdump", "-d", "--no-show-raw-insn", ELF).splitlines():
        if m := re.match(r"[0-9a-f]+ <(.*)>:", line):
            symbol, code = m.group(1), True
        elif "\t(bad)" in line:
            code = False
        elif code and (m := re.match(r" *([0-9a-f]+):\t(.*)", line)) and (kind := kind_of(m.group(2))):
            found.append((int(m.group(1), 16), kind, symbol))
    return found


def with_row():
    """Addresses in the exception table."""
    start, end = (int(re.search(rf"^(\w+) \w ex_table_{which}$", run("nm", ELF), re.M).group(1), 16)
                  for which in ("start", "end"))
    for m in re.finditer(r"PROGBITS +(\w+) (\w+) (\w+)", run("readelf", "-SW", ELF)):
        va, at, size = (int(g, 16) for g in m.groups())
        if va <= start < va + size:
            with open(ELF, "rb") as f:
                f.seek(at + start - va)
                return {pair[0] for pair in struct.iter_unpack("<QQ", f.read(end - start))}
    sys.exit("no exception table")


def places(addresses):
    """file:function of each, below hypervisor/, not counting the wrappers."""
    out = run("addr2line", "-afi", "-e", ELF, text="\n".join(hex(a) for a in addresses))
    result = {}
    for block in re.split(r"^(?=0x[0-9a-f]+$)", out, flags=re.M)[1:]:
        lines = block.splitlines()
        frames = list(zip(lines[1::2], lines[2::2]))
        for function, where in frames:
            m = re.search(r"hypervisor/([\w/.]+):", where)
            if m and m.group(1) not in WRAPPERS:
                result[int(lines[0], 16)] = f"{m.group(1)}:{function}"
                break
    return result


found = sites()
rows = with_row()
place = places([a for a, _, _ in found])
needed = set()
for address, kind, symbol in found:
    if address in rows:
        continue
    where = place.get(address, "")
    if not where:
        where = "libraries" # of Debian: no debug information
    elif where.endswith(":??"):
        where = where[:-2] + symbol # assembler
    needed.add((kind, where))
if "--print" in sys.argv:
    for kind, where in sorted(needed):
        print(f"| {kind} | `{where}` |")
    sys.exit(0)
listed = set(re.findall(r"^\| ([\w ]+) \| `([\w/.:]+)` \| \S.* \|$", open(PAGE).read(), re.M))
for kind, where in sorted(needed - listed):
    print(f"{where}: {kind} has neither a row in the exception table nor one in {PAGE}")
for kind, where in sorted(listed - needed):
    print(f"{PAGE}: {where} has no {kind}")
memory = rows - {a for a, _, _ in found}
print(f"{len(found)} instructions, {len(rows)} rows of the exception table ({len(memory)} of them for memory)")
sys.exit(bool(needed ^ listed))
