# SPDX-License-Identifier: MIT
# report.py FIGURES COUNTS SYMBOLS KERNEL-SYMBOLS [FIGURE...] - what count.c counted, by function.
# FIGURES: what the probe printed, "NAME INSTRUCTIONS-A-TURN" in the order of the counted sections.
import bisect
import collections
import sys

HYPERVISOR = range(0xFFFF800000000000, 0xFFFF880000000000)
KERNEL = 0xFFFF880000000000


def symbols(name, address):
    """(addresses, names) of the functions in nm's output whose address satisfies."""
    found = []
    for line in open(name):
        words = line.split()
        if len(words) >= 3 and words[1] in "tTwW" and address(int(words[0], 16)):
            found.append((int(words[0], 16), words[2]))
    found.sort()
    return [f[0] for f in found], [f[1] for f in found]


def function(where, table):
    i = bisect.bisect_right(table[0], where) - 1
    return table[1][i] if i >= 0 else "?"


def sections(name):
    for line in open(name):
        words = line.split()
        if words[0] == "section":
            section = []
            yield section
        else:
            section.append((int(words[0], 16), int(words[1])))


def figures(name):
    """The probe measures the way to a hypercall before the hypercall."""
    for line in open(name):
        words = line.split()
        if words[0] == "null_hypercall":
            yield "refused_ioctl", 0
        yield words[0], float(words[1])


def report(name, a_turn, counts, hypervisor, kernel):
    by = collections.Counter()
    whole = collections.Counter()
    for where, n in counts:
        if where in HYPERVISOR:
            part, what = "hypervisor", function(where, hypervisor)
        elif where >= KERNEL:
            part, what = "kernel", function(where, kernel)
        else:
            part, what = "process", ""
        whole[part] += n
        by[part, what] += n
    total = sum(whole.values())
    scale = a_turn / total if a_turn > 0 else 1
    print(f"{name}: {a_turn:.0f} instructions a turn, {total} counted")
    for part, n in whole.most_common():
        print(f"  {n * scale:10.0f} {100 * n / total:5.1f} %  {part}")
    for (part, what), n in by.most_common():
        if what and (n >= total / 100 or part == "hypervisor" and n >= total / 500):
            print(f"    {n * scale:10.1f} {100 * n / total:5.1f} %  {part} {what}")


def main():
    wanted = sys.argv[5:]
    hypervisor = symbols(sys.argv[3], lambda a: a in HYPERVISOR)
    kernel = symbols(sys.argv[4], lambda a: a >= KERNEL)
    all_counts = list(sections(sys.argv[2]))
    for (name, a_turn), counts in zip(figures(sys.argv[1]), all_counts):
        if not wanted or name in wanted:
            report(name, a_turn, counts, hypervisor, kernel)


main()
