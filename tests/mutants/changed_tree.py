# SPDX-License-Identifier: MIT
"""
changed_tree.py - a copy of the tree in which one change at a time is tried: only the objects of the changed
file are compiled anew, by the very commands of the build, and only the programs of the tests that run the
changed line are linked again, one by one, until a test fails. What none notices is tried once more with the sanitizers.
"""
import collections
import json
import math
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "coverage"))
import host_lines  # noqa: E402
from changes import is_log_change  # noqa: E402

SITES = "docs/security_sites"  # a rule by call site: what a line of the log is held to
SCRATCH = "changed.o"
CPU_MORE = 2  # seconds a changed test may take whatever it took before
CPU_TIMES = 4  # and so many times what it took
SANITIZED_MAX = 1  # seconds: a test that takes more without the sanitizers is not run with them
WALL_MAX = 120  # seconds; the machine may be busy with something else, so a test that loops ends by its CPU time


def command_alone(text):
    """The words of a compiler's command, without what it writes."""
    words, kept = iter(shlex.split(text)), []
    for word in words:
        if word in ("-o", "-MQ", "-MF"):
            next(words)
        elif word not in ("-MD", "ccache"):
            kept.append(word)
    return kept


class Built:
    """A build of the copy at @top, all tests of which pass, with the commands that made it."""

    def __init__(self, top, name, *options, left_out=()):
        self.build = host_lines.Build(top, name, *options, left_out=left_out)
        self.folder = self.build.build
        self.tests = {test["name"]: test for test in self.build.tests}
        self.compiled_by = self.compile_commands(top / "hypervisor")
        self.linked_by = {name: self.link_command(test) for name, test in self.tests.items()}
        self.seconds = {name: self.seconds_of(test) for name, test in self.tests.items()}

    def seconds_of(self, test):
        """CPU seconds of the test without a change."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not self.build.passes(test):
            sys.exit(f"Bail out! {test['name']} fails without any change")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def compile_commands(self, sources):
        """{file of hypervisor/: [(object, command)]}"""
        found = collections.defaultdict(list)
        for one in json.loads((self.folder / "compile_commands.json").read_text()):
            path = Path(os.path.normpath(self.folder / one["file"]))
            if path.is_relative_to(sources):
                found[str(path.relative_to(sources))].append((one["output"], command_alone(one["command"])))
        return found

    def link_command(self, test):
        told = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", self.build.target(test)],
                              check=True, capture_output=True, text=True)
        return shlex.split(told.stdout.splitlines()[-1])

    def objects_of(self, file, test_name):
        """[(object, command)] of the file in the test's program: its own, or of an archive, which names its objects only."""
        linked = self.linked_by[test_name]
        return [(out, words) for out, words in self.compiled_by[file]
                if out in linked or str(Path(out).parent).removesuffix(".p") in linked]

    def compiles(self, out, words):
        return subprocess.run([*words, "-w", "-o", out], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, env=os.environ | {"CCACHE_DISABLE": "1"}).returncode == 0

    def code_of(self, file):
        """What the compiler makes of the file as it is, in the hypervisor itself; None: it does not compile."""
        if self.compiled_by[file] and self.compiles(SCRATCH, self.compiled_by[file][0][1]):
            return (self.folder / SCRATCH).read_bytes()
        return None

    def passes(self, name):
        """The test, linked with the objects as they are, within a bound of its time without a change."""
        cpu = math.ceil(CPU_MORE + CPU_TIMES * self.seconds[name])

        def bound():
            resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if host_lines.quiet(self.linked_by[name], cwd=self.folder):
            return False
        test = self.tests[name]
        command = [host_lines.FEWER.get(word, word) for word in test["cmd"]]
        try:
            return host_lines.quiet(command, timeout=WALL_MAX + cpu, cwd=test["workdir"] or self.folder,
                                    env=os.environ | test["env"] | host_lines.ENVIRONMENT, preexec_fn=bound) == 0
        except subprocess.TimeoutExpired:
            return False

    def first_to_notice(self, file, tests):
        """The first of @tests that fails with the file as it is now; "": none does."""
        kept = {}
        try:
            for test in tests:
                for out, words in self.objects_of(file, test):
                    if out not in kept:
                        kept[out] = (self.folder / out).read_bytes()
                        self.compiles(out, words)
                if not self.passes(test):
                    return test
            return ""
        finally:
            for out, data in kept.items():
                (self.folder / out).write_bytes(data)


class ChangedTree:
    """The copy at @where, built; a copy that is already there is brought up to date."""

    def __init__(self, where, left_out):
        self.top = Path(where) / "tree"
        host_lines.copy_tree(self.top)
        self.runs = host_lines.lines(self.top, left_out)
        self.plain = Built(self.top, "build", "-Doptimization=1", left_out=left_out)
        slow = [test for test, seconds in self.plain.seconds.items() if seconds > SANITIZED_MAX]
        self.sanitized = Built(self.top, "build-sanitized", "-Doptimization=1", "-Db_sanitize=address,undefined",
                               "-Db_lundef=false", left_out=[*left_out, *slow])
        self.noticed_of = collections.Counter()  # (test, file)

    def is_outside_functions(self, name, nr):
        """In a macro or a table."""
        lines = (self.top / "hypervisor" / name).read_text().splitlines()
        while nr and (lines[nr][:1] in ("\t", "", "#") or lines[nr].endswith((":", "\\"))):
            if lines[nr].startswith("#define"):
                return True
            nr -= 1
        return lines[nr] != "{"

    def tests_of(self, change):
        """
        Names of those that run what is changed: first those that noticed most of the file's changes for their time, then the
        quickest. A line that is no code belongs to the one before it; a macro's or a table's is run wherever it is used: by all
        that run the file.
        """
        name, nr, _, new = change
        names = set()
        if self.is_outside_functions(name, nr):
            names = set().union(*(runs for (file, _), runs in self.runs.items() if file == name))
        else:
            for at in range(nr + 1, nr + 1 + len(new)):
                while at and (name, at) not in self.runs:
                    at -= 1
                names |= self.runs.get((name, at), set())
        seconds = self.plain.seconds
        return sorted(names, key=lambda test: (-self.noticed_of[test, name] / (seconds[test] + 0.1), seconds[test]))

    def noticed_by_sites(self, change):
        """A line of the log: the rule by call site reads the source."""
        return is_log_change(change) and host_lines.quiet(
            [sys.executable, self.top / "tests/unit/docs/security_sites.py", self.top])

    def try_as_it_is(self, change, code_before):
        file = change[0]
        code = self.plain.code_of(file)
        if code in (None, code_before):
            return None
        if self.noticed_by_sites(change):
            return SITES
        tests = self.tests_of(change)
        by = self.plain.first_to_notice(file, tests)
        if by:
            self.noticed_of[by, file] += 1
            return by
        by = self.sanitized.first_to_notice(file, [test for test in tests if test in self.sanitized.tests])
        return by and f"{by}, sanitized"

    def try_change(self, change):
        """The test that notices; "": none does; None: it does not compile, or to the same code."""
        name, nr, _, new = change
        path = self.top / "hypervisor" / name
        whole = path.read_text()
        lines = whole.splitlines()
        lines[nr:nr + len(new)] = new
        code_before = self.plain.code_of(name)
        path.write_text("\n".join(lines) + "\n")
        try:
            return self.try_as_it_is(change, code_before)
        finally:
            path.write_text(whole)
