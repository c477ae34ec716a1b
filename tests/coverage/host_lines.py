# SPDX-License-Identifier: MIT
"""
host_lines.py - a copy of the tree in which the host tests of the hypervisor are built, and which of
them runs which line: by gcov, each test by itself. For tests/mutants/run.py and run.py beside this.
"""
import gzip
import hashlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# Programs of the build folder that have the hypervisor's middle in them; its proof and its threads take too long.
PROGRAMS = re.compile(r"tests/unit/hypervisor/((pv|domain|smp)/|test_hv_x86_tlb)|tests/fuzz/hv_fuzz_(insn|hypercall|pagetable|desc)$")
TOO_LONG = re.compile(r"hypervisor/machine_")
SLOWEST = 600  # seconds a test may take
FEWER = {"seeds=20": "seeds=5", "seeds=6": "seeds=2"}  # of a test that draws cases: it runs hundreds of times
ENVIRONMENT = {"PTVAL_OPS": "2000"}  # the same


def quiet(command, check=False, **more):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                          check=check, **more).returncode


def is_same(one, other):
    return other.is_file() and one.read_bytes() == other.read_bytes()


def copy_tree(where):
    """What git knows of the tree, and what it would take in."""
    files = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True)
    for name in files.stdout.splitlines():
        if (TOP / name).is_file() and not is_same(TOP / name, where / name):
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, where / name)  # new now, for ninja


class Build:
    """A build folder @name of the copy @top, with its tests built; but for those named in @left_out."""

    def __init__(self, top, name, *options, left_out=()):
        self.top = top
        self.build = top / name
        quiet(["meson", "setup", self.build, top, "-Ddebug=false", *options], check=True)
        listed = subprocess.run(["meson", "introspect", "--tests", self.build], check=True, capture_output=True, text=True)
        self.tests = [t for t in json.loads(listed.stdout) if Path(t["cmd"][0]).is_relative_to(self.build) and
                      PROGRAMS.match(self.target(t)) and not TOO_LONG.match(t["name"]) and t["name"] not in left_out]
        quiet(["ninja", "-C", self.build] + [self.target(t) for t in self.tests], check=True)

    def target(self, test):
        return str(Path(test["cmd"][0]).relative_to(self.build))

    def passes(self, test, slowest=SLOWEST, **environment):
        command = [FEWER.get(word, word) for word in test["cmd"]]
        try:
            return quiet(command, timeout=slowest, cwd=test["workdir"] or self.build,
                         env=os.environ | test["env"] | ENVIRONMENT | environment) == 0
        except subprocess.TimeoutExpired:
            return False


def lines_of_test(build, test, prefix):
    """(file of hypervisor/, line) -> how often, of what is compiled into the test's program."""
    counts = {}
    if not build.passes(test, GCOV_PREFIX=str(prefix)):
        sys.exit(f"Bail out! {test['name']} fails without any change")
    for data in prefix.rglob("*.gcda"):
        notes = Path("/") / data.relative_to(prefix).with_suffix(".gcno")
        shutil.copy(notes, data.with_suffix(".gcno"))
        told = subprocess.run(["gcov", "--json-format", "--stdout", data.name], cwd=data.parent, check=True, capture_output=True)
        text = told.stdout if told.stdout[:2] != b"\x1f\x8b" else gzip.decompress(told.stdout)
        for one in text.splitlines():
            for file in json.loads(one)["files"]:
                _, _, name = file["file"].partition("hypervisor/")
                if file["file"].startswith("../hypervisor/") or "/tree/hypervisor/" in file["file"]:
                    for line in file["lines"]:
                        at = (name, line["line_number"])
                        counts[at] = counts.get(at, 0) + line["count"]
    shutil.rmtree(prefix, ignore_errors=True)
    return counts


def lines_kept(build, test, prefix):
    """The same, measured once for a program that stays as it is. Its objects' line numbers are in it."""
    program = Path(test["cmd"][0])
    kept = program.with_name(f"{test['name'].replace('/', '-')}.lines")
    mark = hashlib.sha256(program.read_bytes() + repr(test["cmd"]).encode()).hexdigest()
    if kept.exists():
        of, counts = pickle.loads(kept.read_bytes())
        if of == mark:
            return counts
    counts = lines_of_test(build, test, prefix)
    kept.write_bytes(pickle.dumps((mark, counts)))
    return counts


def lines(top, left_out=()):
    """(file, line) -> names of the tests that run it, of every line that is code; none: an empty set."""
    build = Build(top, "build-coverage", "-Doptimization=0", "-Db_coverage=true", left_out=left_out)
    found = {}
    for test in build.tests:
        for at, count in lines_kept(build, test, top / "gcov").items():
            found.setdefault(at, set())
            if count:
                found[at].add(test["name"])
    return found
