#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""suite_tap.py NAME TESTLOG.json: what meson noted of a suite's tests, as TAP lines; below one that failed the end of
what it said."""
import json
import re
import sys

LINES = 60


def stopped(test):
    """A shell's claims without a plan behind them: it ended on its way, with a status that meson takes for success."""
    said = test.get("stdout", "")
    return (any(word.endswith(".sh") for word in test["command"]) and re.search(r"^(not )?ok\b", said, re.M)
            and not re.search(r"^1\.\.\d", said, re.M))


name, log = sys.argv[1:]
sys.stdout.reconfigure(errors="backslashreplace")
with open(log, encoding="utf-8", errors="replace") as notes:
    for test in map(json.loads, notes):
        if test["result"] == "OK" and stopped(test):
            test["result"] = "no plan"
        if test["result"] in ("OK", "EXPECTEDFAIL"):
            print(f"ok - {name}: {test['name']}")
            continue
        print(f"not ok - {name}: {test['name']} ({test['result']}, status {test['returncode']}, {test['duration']:.0f} s)")
        for stream in "stdout", "stderr":
            for line in test.get(stream, "").splitlines()[-LINES:]:
                print(f"# {stream}: {line}")
