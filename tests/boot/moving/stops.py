#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stops.py A B - how long the guest of moving.sh stood still in each move, of the two hosts' output.

The machines have no clock in common: each counts its own instructions, and waits in the host's time while the other
one works. So what a move takes is put together of what each did while it was its turn: a from the guest's last look at the
clock (its machine's counter) to the last of its memory sent, b from there to READY, a to HANDOVER, b to the guest's
next look. What the two wait for each other is left out, and so is the line between them, which takes no time here."""
import re
import statistics
import sys


def host(path):
    """Pairs of counter and clock, ms; (time, words) of xend's lines; the guest's stops there."""
    pairs, lines, stops = [], [], []
    for line in open(path, errors="replace"):
        if m := re.match(r"# pair (\d+) (\d+)", line):
            pairs.append((int(m[1]) / 1e3, int(m[2]) / 1e6))
        elif m := re.match(r"# +(\d+\.\d+) xend: demo: (.*)", line):
            lines.append((float(m[1]) * 1e3, m[2]))
        elif m := re.match(r"# guest: (\w+) stood (\d+) ms by ran.*from (\d+) to (\d+)", line):
            stops.append((m[1], int(m[2]), int(m[3]) / 1e3, int(m[4]) / 1e3))
    return pairs, lines, stops


def clock_of(pairs, counter):
    """The counter as the clock of the log."""
    (c0, t0), (c1, t1) = pairs[0], pairs[-1]
    return t0 + (counter - c0) * (t1 - t0) / (c1 - c0)


def numbers(words):
    return [int(n) for n in re.findall(r"\b\d+\b", words)]


def moves(hosts):
    """Each move, source and target by turns: its lines and, where it was seen, the guest's stop."""
    lines = [[(t, w) for t, w in h[1]] for h in hosts]
    rounds = [[x for x in l if "rounds;" in x[1]] for l in lines]
    left = [[x for x in l if "stood still" in x[1]] for l in lines]
    came = [[x for x in l if "arrived:" in x[1]] for l in lines]
    for n in range(len(left[0]) + len(left[1])):
        source, target, i = n % 2, 1 - n % 2, n // 2
        if i >= len(left[source]) or i >= len(came[target]):
            return
        yield source, target, rounds[source][i], left[source][i], came[target][i]


def main():
    hosts = [host(p) for p in sys.argv[1:3]]
    kinds = {}
    print("# move      announced   stood: until suspended  its memory  ready there  written down  runs there  looks again")
    for source, target, announced, left, came in moves(hosts):
        total, memory, _, down, _ = numbers(left[1])
        ready, runs = numbers(came[1])
        began = left[0] - total
        # The guest's stop that began here before it was suspended, and ended there just after it came.
        after = [s for s in hosts[target][2]
                 if came[0] - 50 < clock_of(hosts[target][0], s[3]) < came[0] + 5000
                 and -100 < began - clock_of(hosts[source][0], s[2]) < 5000]
        kind, ran, frm, to = min(after, key=lambda s: s[3]) if after else ("?", 0, None, None)
        suspending = max(0, began - clock_of(hosts[source][0], frm)) if frm else 0
        looks = max(0, clock_of(hosts[target][0], to) - came[0]) if to else 0
        stop = suspending + memory + ready + down + runs + looks
        kinds.setdefault(kind, []).append(stop)
        said = numbers(announced[1])
        print(f"# {'ab'[source]} to {'ab'[target]} {kind:8} {said[2]:4} ms {stop:6.0f} ms: {suspending:6.0f} {memory:11} "
              f"{ready:11} {down:13} {runs:11} {looks:12.0f}")
    for kind, stops in kinds.items():
        print(f"# {kind}: {len(stops)} moves, stood still for {statistics.median(stops):.0f} ms (median), "
              f"{max(stops):.0f} ms (worst)")
    return 0 if kinds and "?" not in kinds else 1


sys.exit(main())
